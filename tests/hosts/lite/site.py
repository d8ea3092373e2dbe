"""Builds a JupyterLite site that asks for nothing beyond its own origin."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from e2e.isolation import isolated_environment
from e2e.jupyterlab import WIDGET_MANAGER
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
PYODIDE = ROOT / "node_modules" / "pyodide"
FETCHED = ROOT / "target" / "jupyterlite"
STAND_IN = HERE / "stand_in"
EXTENSIONS = (
    FETCHED / "builder/share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension",
    Path(sys.prefix) / "share/jupyter/labextensions/@jupyter-widgets/jupyterlab-manager",
    Path(sys.prefix) / "share/jupyter/labextensions/anywidget",
)
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
SETTINGS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "exposeAppInBrowser": True,
        "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": {"disablePyPIFallback": True}},
    },
}
# The notebooks are saved with the state of their widgets.
OVERRIDES = {WIDGET_MANAGER: {"saveState": True}}
BUILD = {
    "LiteBuildConfig": {
        "apps": ["lab"],
        "federated_extensions": [str(folder) for folder in EXTENSIONS],
        "ignore_sys_prefix": ["federated_extensions"],
        "no_sourcemaps": True,
        "no_libarchive": True,
    }
}


class JupyterLiteMissingError(RuntimeError):
    """What a site is built from was not fetched."""


def built_site() -> Path:
    """The folder of the site, which is built again only when something of it has changed."""
    if not (FETCHED / "stamp").is_file() or not PYODIDE.is_dir():
        message = "JupyterLite was not fetched: run `node scripts/jupyterlite.mjs`"
        raise JupyterLiteMissingError(message)
    site, stamp = FETCHED / "site", FETCHED / "site.stamp"
    with FileLock(FETCHED / "site.lock"):
        now = _fingerprint()
        if not stamp.is_file() or stamp.read_text() != now:
            stamp.unlink(missing_ok=True)
            _build(FETCHED / "source", site)
            stamp.write_text(now)
    return site


def _fingerprint() -> str:
    digest = hashlib.sha256()
    inputs = [
        FETCHED / "stamp",
        PYODIDE / "package.json",
        ROOT / "pyproject.toml",
        *sorted(HERE.rglob("*.py")),
        *sorted(path for path in (ROOT / "python").rglob("*") if "__pycache__" not in path.parts),
    ]
    for path in inputs:
        if path.is_file():
            digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _build(source: Path, site: Path) -> None:
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    own, others = source / "static" / "pyodide", source / "pypi"
    own.mkdir(parents=True)
    others.mkdir()
    for name in CORE:
        shutil.copy(PYODIDE / name, own)
    wheels = {path.name: path for path in (FETCHED / "wheels").glob("*.whl")}
    lock = json.loads((PYODIDE / "pyodide-lock.json").read_text())
    # Pyodide's own packages as PyPI has them; the names of those that are left out lead to no other network.
    packages = {
        name: _copied(package, wheels.pop(package["file_name"]), own)
        for name, package in lock["packages"].items()
        if package["file_name"] in wheels
    }
    real = lock["packages"]["cryptography"]
    stand_in = _stand_in(real["version"], own)
    packages["cryptography"] = {**_locked(real, stand_in), "depends": []}
    (own / "pyodide-lock.json").write_text(json.dumps({**lock, "packages": packages}))
    for wheel in wheels.values():
        shutil.copy(wheel, others)
    _run(source, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(others), str(ROOT))
    (source / "jupyter-lite.json").write_text(json.dumps(SETTINGS))
    (source / "overrides.json").write_text(json.dumps(OVERRIDES))
    (source / "jupyter_lite_config.json").write_text(json.dumps(BUILD))
    _run(source, "-m", "jupyterlite_core.app", "build", "--lite-dir", ".", "--output-dir", str(site))


def _run(folder: Path, *arguments: str) -> None:
    env = {**isolated_environment(folder / "isolated"), "PYTHONPATH": str(FETCHED / "builder")}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments} failed:\n{done.stdout}{done.stderr}"


def _copied(package: dict[str, Any], wheel: Path, folder: Path) -> dict[str, Any]:
    shutil.copy(wheel, folder)
    return _locked(package, wheel)


def _locked(package: dict[str, Any], wheel: Path) -> dict[str, Any]:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return {**package, "file_name": wheel.name, "sha256": digest}


def _stand_in(version: str, folder: Path) -> Path:
    """The wheel of the stand-in for `cryptography`, under the version that Pyodide has of the real one."""
    wheel = folder / f"cryptography-{version}-py3-none-any.whl"
    about = f"cryptography-{version}.dist-info"
    files = {
        path.relative_to(STAND_IN).as_posix(): path.read_text() for path in sorted(STAND_IN.rglob("*.py"))
    }
    files[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: cryptography\nVersion: {version}\n"
    files[f"{about}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{about}/RECORD"] = _record([*files, f"{about}/RECORD"])
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel


def _record(names: Iterable[str]) -> str:
    return "".join(f"{name},,\n" for name in names)
