"""The crates whose code is in the WebAssembly of the front end, from what cargo says of them."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MODULES = ("tokentoss-wasm", "tokentoss-configure")
"""The crates that become the modules of auth.js and configure.js."""
TARGET = "wasm32-unknown-unknown"


@dataclass(frozen=True, order=True)
class Crate:
    """One crate of the WebAssembly."""

    name: str
    version: str
    licence: str
    """Its licence, as an SPDX expression."""
    folder: Path
    checksum: str | None
    """The SHA-256 of the crate's archive; none for the crates of this repository."""
    needs: tuple[tuple[str, str], ...]
    """Names and versions of the crates of the WebAssembly that it uses."""


@cache
def bundled_crates() -> tuple[Crate, ...]:
    """Find the crates by cargo's own resolution for the browser, in order of their names."""
    compiled = _compiled()
    metadata = json.loads(_cargo("metadata", "--format-version", "1", "--filter-platform", TARGET))
    checksums = _checksums((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    known = {package["id"]: (package["name"], package["version"]) for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    crates = [
        Crate(
            package["name"],
            package["version"],
            # Older crates write a slash for OR.
            package["license"].replace("/", " OR "),
            Path(package["manifest_path"]).parent,
            checksums.get(known[package["id"]]),
            tuple(sorted(_needs(nodes[package["id"]], known) & compiled)),
        )
        for package in metadata["packages"]
        if known[package["id"]] in compiled
    ]
    return tuple(sorted(crates))


def rust_version() -> str:
    """Return the version of the compiler, whose standard library is in the WebAssembly as well."""
    said = subprocess.run(["rustc", "--version"], cwd=ROOT, capture_output=True, text=True, check=True)
    return said.stdout.split()[1]


def _compiled() -> set[tuple[str, str]]:
    """Crates that are linked: neither macros nor what only builds."""
    modules = [part for name in MODULES for part in ("--package", name)]
    options = ["--target", TARGET, "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]
    tree = _cargo("tree", *modules, *options)
    return {(name, version) for name, version in re.findall(r"(?m)^(\S+) v(\S+)", tree)}


def _needs(node: dict[str, Any], known: dict[str, tuple[str, str]]) -> set[tuple[str, str]]:
    return {
        known[need["pkg"]] for need in node["deps"] if any(kind["kind"] is None for kind in need["dep_kinds"])
    }


def _checksums(lock: str) -> dict[tuple[str, str], str]:
    entry = r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = "[^"]+"\nchecksum = "([^"]+)"'
    return {(name, version): checksum for name, version, checksum in re.findall(entry, lock)}


def _cargo(*arguments: str) -> str:
    command = ["cargo", arguments[0], "--locked", *arguments[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"`{' '.join(command)}` failed:\n{done.stderr}")
    return done.stdout
