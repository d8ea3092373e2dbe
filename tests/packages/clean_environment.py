"""Virtual environments with nothing but the package in them, for every Python that this machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MINORS = range(10, 15)
"""The minor versions of Python 3 that are looked for; pyproject.toml says which are promised."""
HIDDEN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
UV = Path(sys.executable).with_name("uv")


def pythons() -> dict[str, str]:
    """The interpreters that uv or pyenv know, by version; the one of the tests is always among them.

    TOKENTOSS_PYTHON asks for one version alone.
    """
    asked = os.environ.get("TOKENTOSS_PYTHON")
    if asked:
        return {asked: _found(asked) or pytest.exit(f"There is no Python {asked}: install it.", returncode=1)}
    found = {version: _found(version) for version in (f"3.{minor}" for minor in MINORS)}
    found[f"3.{sys.version_info.minor}"] = sys.executable
    return {version: python for version, python in found.items() if python}


class CleanEnvironment:
    """One environment; its programs see no Node, no Rust, and no other Python."""

    def __init__(self, python: str, folder: Path) -> None:
        self.programs = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        self.variables = {name: value for name, value in os.environ.items() if name not in HIDDEN}
        self.variables |= {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "NO_COLOR": "1"}
        # uv keeps what it downloaded where it always does.
        cache = subprocess.run(
            [UV, "cache", "dir"], capture_output=True, text=True, check=True
        ).stdout.strip()
        self.variables |= {"PATH": str(self.programs), "UV_CACHE_DIR": cache}
        self._uv("venv", "--quiet", "--python", python, str(folder / "venv"))

    def install(self, archive: Path) -> None:
        """Install the archive and what it needs."""
        self._uv("pip", "install", "--quiet", "--python", str(self.programs / "python"), str(archive))

    def run(self, *command: str) -> str:
        """Run one of its programs; return what it printed."""
        program = str(self.programs / command[0])
        done = subprocess.run(
            [program, *command[1:]], env=self.variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _uv(self, *arguments: str) -> None:
        done = subprocess.run(
            [UV, *arguments], env=self.variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def _found(version: str) -> str | None:
    find = [UV, "python", "find", "--quiet", "--system", "--no-python-downloads", version]
    said = subprocess.run(find, capture_output=True, text=True, check=False)
    if said.returncode == 0:
        return said.stdout.strip()
    # uv takes only those of pyenv that are switched on.
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    kept = sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
    return str(kept[-1]) if kept else None
