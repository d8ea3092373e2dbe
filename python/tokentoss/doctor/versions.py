"""Which software there is."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

from tokentoss._version import __version__
from tokentoss.doctor.finding import Finding

NEEDED = ("anywidget", "cryptography", "google-auth", "platformdirs", "PyJWT", "requests", "urllib3")
"""Distributions that the package depends on."""

OPTIONAL = ("httpx", "ipykernel", "ipywidgets", "jupyterlab", "jupyterhub", "keyring", "notebook")
"""Distributions that it can work with."""

_FRONT_END = ("auth.js", "auth.css", "configure.js", "configure.css", "status.js", "status.css")


def version_findings() -> list[Finding]:
    """Return the versions of what matters, and whether the front end is there."""
    package = Path(__file__).parent.parent
    findings = [
        Finding("tokentoss", __version__, text=f"{__version__} in {package}"),
        Finding(
            "Python", platform.python_version(), text=f"{platform.python_version()} on {platform.platform()}"
        ),
    ]
    for name in NEEDED:
        version = _version(name)
        if version is None:
            hint = "Install tokentoss again, with its dependencies."
            findings.append(Finding(name, None, "error", "missing", hint))
        else:
            findings.append(Finding(name, version))
    for name in OPTIONAL:
        version = _version(name)
        if version is not None:
            findings.append(Finding(name, version))
    missing = [name for name in _FRONT_END if not (package / "static" / name).is_file()]
    if missing:
        hint = "Install a released tokentoss, or run `npm run build` in its repository."
        findings.append(Finding("front end", False, "error", f"{', '.join(missing)} missing", hint))
    else:
        findings.append(Finding("front end", True, text="complete"))
    return findings


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
