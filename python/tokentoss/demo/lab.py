"""JupyterLab for the demo, with folders of its own: it reads and writes nothing of the user's."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tokentoss.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

_PATIENCE = 120.0  # seconds until JupyterLab answers
_FAREWELL = 20.0  # seconds for it and its kernels to end
_PAUSE = 0.1
_FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
}
_NOTIFICATIONS = "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
_SHOWN = 2000  # characters of the log


def is_installed() -> bool:
    """Tell whether JupyterLab and the kernel of Python are installed beside this package."""
    return all(find_spec(name) is not None for name in ("jupyterlab", "ipykernel"))


class DemoLab:
    """Runs from the moment it is made until it is closed.

    Args:
        folder: Where all of its files are.
        file: Name of the notebook.
        notebook: The notebook.

    Attributes:
        url: Address of the notebook, which lets into this JupyterLab.

    Raises:
        ConfigurationError: If JupyterLab does not start.
    """

    def __init__(self, folder: Path, file: str, notebook: str) -> None:
        work = folder / "notebooks"
        work.mkdir()
        (work / file).write_text(notebook, encoding="utf-8")
        # Nothing is asked of other hosts, and nothing is laid over the notebook.
        notifications = folder / _NOTIFICATIONS
        notifications.parent.mkdir(parents=True)
        notifications.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
        self._runtime = folder / "runtime"
        self._log = folder / "jupyterlab.log"
        token = secrets.token_urlsafe(24)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this Python, and nothing that anybody typed
                _command(work),
                cwd=work,
                env=_environment(folder, token),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the demo, which ends this; JupyterLab would ask about it.
                start_new_session=True,
            )
        try:
            self.url = f"http://localhost:{self._port()}/lab/tree/{file}?token={token}"
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait(self) -> None:
        """Wait until the user shuts JupyterLab down."""
        self._process.wait()

    def close(self) -> None:
        """End JupyterLab and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _port(self) -> int:
        """Return the port once the server says it."""
        ends = time.monotonic() + _PATIENCE
        while time.monotonic() < ends and self._process.poll() is None:
            for file in self._runtime.glob("jpserver-*.json"):
                # The server may be in the middle of writing it.
                with suppress(ValueError, KeyError, OSError):
                    return int(json.loads(file.read_text(encoding="utf-8"))["port"])
            time.sleep(_PAUSE)
        said = self._log.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
        raise ConfigurationError(f"JupyterLab did not start. Its log ends:\n{said}")


def _command(work: Path) -> list[str]:
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port_retries=100",
        f"--ServerApp.root_dir={work}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*command, "--allow-root"] if is_root else command


def _environment(folder: Path, token: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOKENTOSS_")}
    return {
        **kept,
        # Not HOME: it also leads to packages that the user installed for all environments.
        **{name: str(folder / below) for name, below in _FOLDERS.items()},
        "TOKENTOSS_TOKEN_FILE": str(folder / "tokens.json"),
        "TOKENTOSS_CLIENT_SECRETS": str(folder / "client_secrets.json"),
        "JUPYTER_TOKEN": token,
        "JUPYTER_NO_CONFIG": "1",
    }
