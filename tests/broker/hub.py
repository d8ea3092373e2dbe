"""A real JupyterHub that gives tokens to users and services."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from hosts.reverse_proxy import COMMAND
from servers.ports import free_port
from servers.process import ServerProcess
from servers.stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIGURATION = Path(__file__).with_name("jupyterhub_config.py")
TIMEOUT = 60


class Hub(Stoppable):
    """Runs a hub; `api_url` is the address of its REST interface. `auth_state` has it keep that of users."""

    def __init__(self, folder: Path, *, auth_state: bool = False) -> None:
        self.admin_token = secrets.token_hex(16)
        self.broker_token = secrets.token_hex(16)
        port, own_port = free_port(), free_port()
        self.api_url = f"http://127.0.0.1:{own_port}/hub/api"
        self._process = ServerProcess(
            [sys.executable, "-m", "jupyterhub", "--config", str(CONFIGURATION)],
            log=folder / "jupyterhub.log",
            is_ready=lambda line: "JupyterHub is now running" in line,
            env={
                **os.environ,
                "HUB_WORK_DIR": str(folder),
                "HUB_PORT": str(port),
                "HUB_OWN_PORT": str(own_port),
                "HUB_PROXY_API_PORT": str(free_port()),
                "HUB_PROXY": json.dumps(COMMAND),
                "HUB_TESTS_TOKEN": self.admin_token,
                "HUB_BROKER_TOKEN": self.broker_token,
                **({"JUPYTERHUB_CRYPT_KEY": secrets.token_hex(32)} if auth_state else {}),
            },
            cwd=folder,
        )
        self._process.wait_ready()

    def add_user(self, name: str) -> None:
        """Add a user."""
        self._post(f"/users/{name}")

    def token(self, user: str, scopes: Sequence[str]) -> str:
        """Return a fresh token of a user with these scopes."""
        return self._post(f"/users/{user}/tokens", json={"scopes": list(scopes)}).json()["token"]

    def _post(self, path: str, **arguments: Any) -> requests.Response:
        answer = requests.post(
            f"{self.api_url}{path}",
            headers={"Authorization": f"token {self.admin_token}"},
            timeout=TIMEOUT,
            **arguments,
        )
        answer.raise_for_status()
        return answer

    def stop(self) -> None:
        """End the hub."""
        self._process.stop()
