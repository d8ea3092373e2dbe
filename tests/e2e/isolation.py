"""An environment in which nothing of the user's configuration, data or tokens is read or written."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# What stands below the work folder, by the variable that leads there.
HOME = {
    "HOME": "home",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_STATE_HOME": "home/.local/state",
    "XDG_CACHE_HOME": "home/.cache",
}
JUPYTER = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
}
RUNTIME = "JUPYTER_RUNTIME_DIR"

# By sockets, not by ports: those that Jupyter finds free may be taken before the kernel has them.
KERNELS_BY_SOCKET = "--KernelManager.transport=ipc"
# As most launchers have it: every user of the machine can then read what a kernel broadcasts.
KERNELS_BY_PORT = "--KernelManager.transport=tcp"


def isolated_environment(work_dir: Path) -> dict[str, str]:
    """This process's environment, with every folder of the user and of Jupyter moved below `work_dir`."""
    folders = {name: work_dir / below for name, below in (HOME | JUPYTER).items()}
    for name in ("HOME", "JUPYTER_DATA_DIR", "JUPYTERLAB_SETTINGS_DIR"):
        folders[name].mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        **{name: str(folder) for name, folder in folders.items()},
        RUNTIME: short_folder(),
        "JUPYTER_NO_CONFIG": "1",
    }


def short_folder() -> str:
    """A folder until this process ends; the path of a kernel's socket in it may have 107 characters."""
    folder = tempfile.mkdtemp(prefix="jupyter-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
