"""Other versions of ipykernel beside the installed one, each as a kernel JupyterLab can start.

What a kernel does with messages while a cell runs differs between them, and a widget has to live with all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .jupyterlab import JupyterLab

# 6.30 handles messages after all queued cells, 7.2 during a cell in another thread, 7.4 after the cell again.
VERSIONS = ("6.30.1", "7.2.0", "7.4.0")
# ipykernel 6 imports a package that its successor renamed.
EXTRA = {"6.30.1": ("nest-asyncio==1.6.0",)}

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "ipykernel"


def kernel_name(version: str) -> str:
    """Name of the kernel that runs a version."""
    return f"ipykernel-{version}"


def add_kernels(lab: JupyterLab) -> None:
    """Offer every version; only ipykernel itself is laid over the environment of the tests."""
    for version in VERSIONS:
        path = os.pathsep.join(filter(None, (str(_overlay(version)), os.environ.get("PYTHONPATH"))))
        lab.add_kernel(kernel_name(version), sys.executable, {"PYTHONPATH": path})


def _overlay(version: str) -> Path:
    folder = CACHE / version
    if not (folder / "ipykernel").is_dir():
        # Installed aside and renamed: a run that was stopped half-way leaves no half of a package behind.
        unfinished = CACHE / f"{version}.{os.getpid()}"
        requirements = [f"ipykernel=={version}", *EXTRA.get(version, ())]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--target", str(unfinished), *requirements], check=True)
        try:
            unfinished.rename(folder)
        except OSError:  # another test process was faster
            if not (folder / "ipykernel").is_dir():
                raise
    return folder
