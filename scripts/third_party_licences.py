"""Writes THIRD_PARTY_LICENSES.txt: the licence texts of all code in the WebAssembly that the package ships.

Without an option it only checks that the file is up to date; ``--fix`` writes it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from bundled_crates import ROOT, Crate, bundled_crates, rust_version
from license_expression import get_spdx_licensing

FILE = ROOT / "THIRD_PARTY_LICENSES.txt"
PREFERRED = ("MIT", "BSD-3-Clause", "Unicode-3.0", "Apache-2.0")
"""Of a choice of licences the first one here is taken."""
SIGNS = {
    "MIT": "Permission is hereby granted, free of charge",
    "BSD-3-Clause": "Redistribution and use in source and binary forms",
    "Unicode-3.0": "UNICODE LICENSE V3",
    "Apache-2.0": "Apache License Version 2.0",
}
"""Words by which a licence is known in a file."""
STANDARD_LIBRARY = ("Apache-2.0", "LLVM-exception", "MIT", "Unicode-3.0")
"""The licences of Rust's standard library and of what it is made of for the browser."""
INTRODUCTION = """\
Licences of the code of others in this package

tokentoss itself is under the licence in LICENSE. Its front end, tokentoss/static/*.js, holds WebAssembly and
glue code that are compiled from the Rust crates below and Rust's standard library.
"""
RULE = "\n" + "=" * 100 + "\n\n"


def taken(crate: Crate) -> tuple[str, ...]:
    """Return the licences that the crate is taken under."""
    if not _files(crate.folder):
        # Of all licences only this one has no line for the holder of the copyright.
        alone = "Apache-2.0"
        if alone in crate.licence:
            return (alone,)
        raise SystemExit(
            f"{crate.name} {crate.version} comes without its licence's text: use another version."
        )
    parsed = get_spdx_licensing().parse(crate.licence, validate=True, strict=True)
    return tuple(dict.fromkeys(_chosen(parsed, crate)))


def texts(crate: Crate) -> list[str]:
    """Return the licence texts to be shipped with the crate."""
    wanted = taken(crate)
    found = [path.read_text(encoding="utf-8") for path in _files(crate.folder)]
    found = found or [_of_rust(name) for name in wanted]
    kept = [text for text in found if any(_holds(text, name) for name in wanted)]
    missing = [name for name in wanted if not any(_holds(text, name) for text in kept)]
    if missing:
        raise SystemExit(
            f"{crate.name} {crate.version} is under {' and '.join(missing)}, and none of its files holds "
            "that text: add words of it to SIGNS in scripts/third_party_licences.py, or use another version."
        )
    return [_tidy(text) for text in kept]


def document() -> str:
    """Compose the file: each text once, below all that it belongs to."""
    owners: dict[str, list[str]] = {}
    for crate in bundled_crates():
        # The crates of this repository are under its own licence.
        if crate.checksum is not None:
            for text in texts(crate):
                owners.setdefault(text, []).append(f"{crate.name} {crate.version} ({crate.licence})")
    standard = f"Rust's standard library {rust_version()}"
    for name in STANDARD_LIBRARY:
        owners.setdefault(_tidy(_of_rust(name)), []).append(f"{standard} ({name})")
    sections = ["\n".join(names) + "\n\n" + text for text, names in owners.items()]
    return RULE.join([INTRODUCTION, *sections])


def _chosen(parsed, crate: Crate) -> list[str]:  # noqa: ANN001 - the library has no types
    operator = getattr(parsed, "operator", None)
    if operator is None:
        return [str(parsed)]
    if operator.strip() == "AND":
        return [name for part in parsed.args for name in _chosen(part, crate)]
    offered = [str(part) for part in parsed.args]
    for name in PREFERRED:
        if name in offered:
            return [name]
    raise SystemExit(
        f"{crate.name} offers {crate.licence}: name one of them in scripts/third_party_licences.py."
    )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if re.match(r"(?i)(un)?licen[cs]e|copying", path.name))


def _holds(text: str, name: str) -> bool:
    return SIGNS.get(name, name) in " ".join(text.split())


def _of_rust(name: str) -> str:
    said = subprocess.run(
        ["rustc", "--print", "sysroot"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    path = Path(said.stdout.strip()) / "share" / "doc" / "rust" / "licenses" / f"{name}.txt"
    if not path.is_file():
        raise SystemExit(
            f"Rust comes without {path}: install it with rustup, which brings the licence texts."
        )
    return path.read_text(encoding="utf-8")


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") + "\n"


def main() -> None:
    """Check the file, or write it."""
    wanted = document()
    if "--fix" in sys.argv[1:]:
        FILE.write_text(wanted, encoding="utf-8", newline="\n")
    elif not FILE.is_file() or FILE.read_text(encoding="utf-8") != wanted:
        raise SystemExit(f"{FILE.name} is not up to date: `npm run fix` writes it.")


if __name__ == "__main__":
    main()
