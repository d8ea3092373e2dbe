"""Virtual environments into which nothing but the package was installed, for every Python that this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

MINORS = range(10, 15)
"""The minor versions of Python 3 that are looked for; pyproject.toml says which are promised."""
HIDDEN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
UV = Path(sys.executable).with_name("uv")


def pythons() -> dict[str, str]:
    """The interpreters on the path or in pyenv, by version; the one of the tests is always among them."""
    found = {}
    for minor in MINORS:
        candidates = [shutil.which(f"python3.{minor}"), *_of_pyenv(minor)]
        working = [candidate for candidate in candidates if candidate and _works(candidate)]
        if working:
            found[f"3.{minor}"] = working[0]
    return found | {f"3.{sys.version_info.minor}": sys.executable}


class CleanEnvironment:
    """One environment; its programs see no Node, no Rust, and no other Python."""

    def __init__(self, python: str, folder: Path) -> None:
        self.programs = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        self.variables = {name: value for name, value in os.environ.items() if name not in HIDDEN}
        self.variables |= {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "NO_COLOR": "1"}
        # uv keeps what it downloaded where it always does.
        cache = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
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


def _of_pyenv(minor: int) -> list[str]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [str(path) for path in sorted(root.glob(f"versions/3.{minor}.*/bin/python3.{minor}"))]


def _works(python: str) -> bool:
    # A shim of pyenv is there for versions that are not.
    return subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0
