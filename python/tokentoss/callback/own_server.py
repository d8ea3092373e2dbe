"""The origins of the Jupyter server that runs this kernel: its pages are this user's own.

They are read where other programs cannot write: the runtime file of the server, and the variables that a
JupyterHub sets for it.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokentoss.handoff.remote_kernel import HUB_VARIABLES
from tokentoss.util.urls import origin_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_ANCESTORS = 16
_MAX_FILE = 65_536
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def is_own_server(origin: str) -> bool:
    """Tell whether an origin, as a browser reports it, is that of this kernel's own Jupyter server."""
    normal = origin_of(origin)
    return normal is not None and normal in own_origins()


def own_origins(environment: Mapping[str, str] = os.environ) -> set[str]:
    """Return the origins under which browsers reach this kernel's own Jupyter server."""
    origins = {origin_of(environment.get(name, "")) for name in HUB_VARIABLES}
    for info in _runtime_files(environment):
        origins |= _origins_of(info)
    return {one for one in origins if one is not None}


def _origins_of(info: dict[str, Any]) -> set[str | None]:
    port, hostname = info.get("port"), info.get("hostname")
    if isinstance(port, bool) or not isinstance(port, int):
        return set()
    scheme = "https" if info.get("secure") is True else "http"
    hosts = ["localhost", "127.0.0.1", "[::1]"]
    if isinstance(hostname, str) and hostname:
        hosts.append(f"[{hostname}]" if ":" in hostname else hostname)
    return {origin_of(f"{scheme}://{host}:{port}") for host in hosts}


def _runtime_files(environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    try:
        from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415 - only where Jupyter is

        folder = Path(jupyter_runtime_dir())
    except (ImportError, OSError, RuntimeError):
        return
    for pid in _server_pids(environment):
        info = _read(folder / f"jpserver-{pid}.json")
        if info is not None:
            yield info
            return


def _server_pids(environment: Mapping[str, str]) -> Iterator[int]:
    """Return the processes that may be the server, the likeliest first: whoever started this kernel."""
    started_by = environment.get("JPY_PARENT_PID", "")
    if started_by.isascii() and started_by.isdigit():
        yield int(started_by)
    pid = os.getppid()
    for _ in range(_MAX_ANCESTORS):
        if pid <= 1:
            return
        yield pid
        pid = _parent_of(pid)


def _parent_of(pid: int) -> int:
    """Return the parent of a process; 0 where that cannot be found out."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # The name, in brackets, may hold anything.
        return int(text.rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _read(path: Path) -> dict[str, Any] | None:
    """Read a file that belongs to this user, and that nobody else may write."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            is_ours = not hasattr(os, "getuid") or (
                status.st_uid == os.getuid() and not status.st_mode & _WRITABLE_BY_OTHERS
            )
            if not stat.S_ISREG(status.st_mode) or not is_ours:
                return None
            info = json.loads(file.read(_MAX_FILE))
    except (OSError, ValueError, RecursionError):
        return None
    return info if isinstance(info, dict) else None
