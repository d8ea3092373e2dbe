"""A JupyterHub with its proxy; to the tests it looks like the server of its one user."""

from __future__ import annotations

import copy
import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from e2e.isolation import JUPYTER, KERNELS_BY_SOCKET, RUNTIME, isolated_environment
from e2e.jupyterlab import NOTIFICATIONS, JupyterLab
from e2e.waiting import until
from servers.ports import free_port
from servers.process import ServerProcess

from .reverse_proxy import COMMAND

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGURATION = Path(__file__).with_name("jupyterhub_config.py")
TIMEOUT = 60
USER = "ada"
SPAWN_SECONDS = 180
"""How long a user's server may take: it starts a Python with all of JupyterLab."""


class JupyterHub(JupyterLab):
    """Runs a hub and one user's JupyterLab on it; `headers` are those of the user's pages.

    `names_callback_page` puts its callback page into the environment of all users' servers. `site` is
    what a site writes into the hub's configuration; it takes the place of the service with the callback page.
    """

    def __init__(
        self,
        work_dir: Path,
        *,
        headers: Mapping[str, str],
        names_callback_page: bool = False,
        site: str = "",
    ) -> None:
        self.work_dir = work_dir
        self.token = secrets.token_urlsafe(24)
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.home = work_dir / "home"
        self.env = isolated_environment(work_dir)
        # On a hub it is the configuration of the installation that makes the user's server a JupyterLab.
        moved = [*JUPYTER, RUNTIME]
        self._site = work_dir / "site_config.py"
        self._site.write_text(site)
        self._process = ServerProcess(
            [sys.executable, "-m", "jupyterhub", "--config", str(CONFIGURATION)],
            log=work_dir / "jupyterhub.log",
            is_ready=lambda line: "JupyterHub is now running" in line,
            env={
                **self.env,
                "HUB_SITE": str(self._site),
                "HUB_WORK_DIR": str(work_dir),
                "HUB_PORT": str(self.port),
                "HUB_OWN_PORT": str(free_port()),
                "HUB_PROXY_API_PORT": str(free_port()),
                "HUB_PROXY": json.dumps(COMMAND),
                "HUB_SINGLEUSER": json.dumps(
                    [sys.executable, "-m", "jupyterhub.singleuser", KERNELS_BY_SOCKET]
                ),
                "HUB_ENV_KEEP": json.dumps(moved),
                "HUB_HEADERS": json.dumps({"Content-Security-Policy": "frame-ancestors 'none'", **headers}),
                "HUB_PATIENCE": str(SPAWN_SECONDS),
                "HUB_USER_ENVIRONMENT": json.dumps(
                    {"TOKENTOSS_REDIRECT_URI": self.callback_page} if names_callback_page else {}
                ),
                "HUB_SERVICES": json.dumps([] if site else [self._callback_service()]),
                "HUB_TESTS_TOKEN": self.token,
            },
            cwd=work_dir,
        )
        try:
            self._process.wait_ready()
            self.turn_to(USER)
        except BaseException:
            self.stop()
            raise

    def turn_to(self, user: str) -> None:
        """Start the server of a user, and look like it from then on."""
        self.user = user
        self.base_path = f"/user/{user}"
        self.root = self.work_dir / "users" / user
        self.root.mkdir(parents=True)
        self.hub("POST", f"/users/{user}")
        self.hub("POST", f"/users/{user}/server")
        what = "the user's server"
        until(lambda: self.hub("GET", f"/users/{user}").json()["server"], what, patience=SPAWN_SECONDS)
        self.set_setting(NOTIFICATIONS, {"fetchNews": "false", "checkForUpdates": False})

    def server_of(self, user: str) -> JupyterHub:
        """The same hub as another of its users has it, beside this one."""
        other = copy.copy(self)
        other.turn_to(user)
        return other

    @property
    def callback_page(self) -> str:
        """One address for all users, which a managed service of the hub serves."""
        return f"{self.origin}/services/tokentoss/callback"

    def hub(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call the hub's REST interface."""
        answer = requests.request(
            method,
            f"http://localhost:{self.port}/hub/api{path}",
            headers={"Authorization": f"token {self.token}"},
            timeout=TIMEOUT,
            **arguments,
        )
        answer.raise_for_status()
        return answer

    def _callback_service(self) -> dict[str, Any]:
        port, origin = free_port(), f"http://localhost:{self.port}"
        serve = ["callback-page", "--origin", origin, "--serve", str(port)]
        return {
            "name": "tokentoss",
            "url": f"http://127.0.0.1:{port}",
            "command": [sys.executable, "-m", "tokentoss", *serve],
        }

    def url(self, notebook: str, *, workspace: str | None = None) -> str:
        """Address of a notebook for somebody who signed in at the hub."""
        where = f"/workspaces/{workspace}" if workspace else ""
        return f"{self.origin}{self.base_path}/lab{where}/tree/{notebook}"
