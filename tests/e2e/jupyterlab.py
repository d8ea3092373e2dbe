"""A JupyterLab server of its own: nothing of the user's configuration, data or tokens is read or written."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import requests
from servers.ports import free_port
from servers.process import ServerProcess
from servers.stoppable import Stoppable

from .isolation import KERNELS_BY_SOCKET, RUNTIME, isolated_environment
from .waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT = 60

# Plugin ids under which JupyterLab keeps the settings that the tests change.
WIDGET_MANAGER = "@jupyter-widgets/jupyterlab-manager:plugin"
NOTIFICATIONS = "@jupyterlab/apputils-extension:notification"


class JupyterLab(Stoppable):
    """Runs JupyterLab on loopback from a work folder; its pages are at `localhost`, as users have them.

    `application` is the module that is run, `base_path` what stands before all paths, without a slash at its
    end, `kernels` the option that says how kernels are reached, `options` are further arguments of the
    command line.
    """

    def __init__(
        self,
        work_dir: Path,
        *,
        env: Mapping[str, str] | None = None,
        application: str = "jupyterlab",
        base_path: str = "",
        kernels: str = KERNELS_BY_SOCKET,
        options: Sequence[str] = (),
    ) -> None:
        self.work_dir = work_dir
        self.base_path = base_path
        self.root = work_dir / "notebooks"
        self.home = work_dir / "home"
        self._data = work_dir / "data"
        self.root.mkdir(parents=True, exist_ok=True)
        self.token = secrets.token_urlsafe(24)
        self.env = {**isolated_environment(work_dir), **(env or {})}
        runtime = Path(self.env[RUNTIME])
        self._process = ServerProcess(
            [
                *(sys.executable, "-m", application, *_arguments(self.root), kernels),
                *(f"--ServerApp.base_url={base_path}/", *options),
            ],
            log=work_dir / "jupyterlab.log",
            is_ready=lambda line: "Jupyter Server" in line and "is running at" in line,
            env={**self.env, "JUPYTER_TOKEN": self.token},
            cwd=self.root,
        )
        try:
            self._process.wait_ready()
            self.port = until(lambda: _port_in_use(runtime), "JupyterLab to write its port down")
            self.origin = f"http://localhost:{self.port}"
            # The line of the log comes a moment before the port is open.
            until(self._answers, "JupyterLab to answer")
            # Nothing pops up over the notebook, and nothing is asked of other hosts.
            self.set_setting(NOTIFICATIONS, {"fetchNews": "false", "checkForUpdates": False})
        except BaseException:
            self.stop()
            raise

    @property
    def callback_page(self) -> str:
        """Address of the callback page that the server's extension serves."""
        return f"{self.origin}{self.base_path}/tokentoss/callback"

    @property
    def log(self) -> Path:
        """Console output of the server and of its kernels."""
        return self._process.log

    def stop(self) -> None:
        """End the server and with it its kernels."""
        self._process.stop()

    def url(self, notebook: str, *, workspace: str | None = None) -> str:
        """Address of a notebook that signs in to the server; a workspace of its own keeps layouts apart."""
        where = f"/workspaces/{workspace}" if workspace else ""
        return f"{self.origin}{self.base_path}/lab{where}/tree/{notebook}?token={self.token}"

    def add_kernel(self, name: str, python: str, env: Mapping[str, str] | None = None) -> None:
        """Offer one more kernel, run by the given interpreter."""
        folder = self._data / "kernels" / name
        folder.mkdir(parents=True, exist_ok=True)
        spec = {
            "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": dict(env or {}),
        }
        (folder / "kernel.json").write_text(json.dumps(spec))

    def write_notebook(self, name: str, cells: list[str], *, kernel: str = "python3") -> Path:
        """Write a notebook of code cells under the server's root."""
        document = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
        )
        path = self.root / name
        nbformat.write(document, path)
        return path

    def copy_notebook(self, source: Path) -> Path:
        """Copy a notebook under the server's root, so that a run changes no file of the checkout."""
        return Path(shutil.copy(source, self.root / source.name))

    def set_setting(self, plugin: str, values: dict[str, Any]) -> None:
        """Replace the user settings of a plugin; pages opened from now on follow them."""
        self.call("PUT", f"/lab/api/settings/{plugin}", json={"raw": json.dumps(values)})

    def kernel_of(self, notebook: str) -> str | None:
        """Id of the kernel that runs a notebook."""
        for session in self.call("GET", "/api/sessions").json():
            if session["path"] == notebook:
                kernel_id: str = session["kernel"]["id"]
                return kernel_id
        return None

    def kernels(self) -> list[dict[str, Any]]:
        """What the server says of the kernels it runs."""
        kernels: list[dict[str, Any]] = self.call("GET", "/api/kernels").json()
        return kernels

    def restart_kernel(self, kernel_id: str) -> None:
        """Restart a kernel from outside of the page."""
        self.call("POST", f"/api/kernels/{kernel_id}/restart")

    def shut_down(self, notebook: str) -> None:
        """End the kernel of a notebook."""
        for session in self.call("GET", "/api/sessions").json():
            if session["path"] == notebook:
                self.call("DELETE", f"/api/sessions/{session['id']}")

    def _answers(self) -> bool:
        try:
            self.call("GET", "/api/status")
        except requests.ConnectionError:
            return False
        return True

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call the server's REST interface."""
        answer = requests.request(
            method,
            f"http://localhost:{self.port}{self.base_path}{path}",
            headers={"Authorization": f"token {self.token}"},
            timeout=TIMEOUT,
            **arguments,
        )
        answer.raise_for_status()
        return answer


def sends(headers: Mapping[str, str]) -> str:
    """The option with which a server sends these headers with every page."""
    return f"--ServerApp.tornado_settings={{'headers': {dict(headers)!r}}}"


def _port_in_use(runtime: Path) -> int | None:
    for server_file in runtime.glob("jpserver-*.json"):
        # The server may be in the middle of writing the file.
        with contextlib.suppress(ValueError):
            port: int = json.loads(server_file.read_text())["port"]
            return port
    return None


def _arguments(root: Path) -> list[str]:
    arguments = [
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        # The server goes on to the next free port by itself; the one in use stands in its runtime file.
        f"--ServerApp.port={free_port()}",
        "--ServerApp.port_retries=100",
        f"--ServerApp.root_dir={root}",
        # An installed wheel enables it by a file, which is not read here with the rest of the configuration.
        "--ServerApp.jpserver_extensions=tokentoss.server_extension=True",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        # Gives the tests `window.jupyterapp`.
        "--expose-app-in-browser",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")
    return arguments
