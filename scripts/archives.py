"""Builds the archives of the Python package into a folder: source archive, wheel, bill of materials.

The wheel is built from the source archive, as somebody would who has only that. Needs the built front end.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bill_of_materials import bill_of_materials
from bundled_crates import ROOT

BILL = ROOT / "python" / "tokentoss.cdx.json"
"""Where the build takes the bill from."""


def build(folder: Path) -> tuple[Path, Path, Path]:
    """Build into an empty folder; return the wheel, the source archive and the bill."""
    text = bill_of_materials()
    BILL.write_text(text, encoding="utf-8", newline="\n")
    _python("build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    _python("twine", "--no-color", "check", "--strict", str(wheel), str(source))
    # Named as the archives are.
    bill = folder / f"{source.name.removesuffix('.tar.gz')}.cdx.json"
    bill.write_text(text, encoding="utf-8", newline="\n")
    return wheel, source, bill


def _python(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{module} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    for made in build(Path(sys.argv[1])):
        print(f"{made.name:<40} {made.stat().st_size} bytes")
