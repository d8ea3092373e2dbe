"""The documented lines for `jupyterhub_config.py` let a real hub's servers use the broker."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from e2e.waiting import until
from hosts.reverse_proxy import COMMAND
from servers.ports import free_port
from servers.process import ServerProcess

from .documents import blocks
from .running import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 30
ADMIN = secrets.token_hex(16)

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="cargo build -p tokentoss-broker makes it")

SERVER = """
import http.server, os, pathlib, urllib.parse

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

pathlib.Path("token").write_text(os.environ["JUPYTERHUB_API_TOKEN"])
pathlib.Path("broker").write_text(os.environ["TOKENTOSS_BROKER"])
address = urllib.parse.urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.HTTPServer((address.hostname, address.port), Answer).serve_forever()
"""
"""Stands for a user's server: it has what kernels inherit, and answers the hub."""


class Site:
    """A hub that runs the documented lines in a folder; only its addresses and paths are this machine's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port, hub_port, self.broker_port = free_port(), free_port(), free_port()
        self.api = f"http://127.0.0.1:{hub_port}/hub/api"
        (folder / "users" / "ada").mkdir(parents=True)
        (folder / "server.py").write_text(SERVER)
        for name in ("hub.token", "google.secret"):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(f"{secrets.token_hex(32)}\n")
        (settings,) = (example.text for example in blocks("toml") if example.name == "jupyterhub.md-1")
        listens = f'listen = "127.0.0.1:{self.broker_port}"\nadmin_listen = "127.0.0.1:0"\n'
        settings = settings.replace("http://127.0.0.1:8081/hub/api", self.api)
        (folder / "broker.toml").write_text(listens + self._here(settings))
        self.command = [str(PROGRAM), "--config", str(folder / "broker.toml")]
        (lines,) = (example.text for example in blocks("python") if "JupyterHub.services" in example.text)
        configuration = folder / "jupyterhub_config.py"
        configuration.write_text(
            f"""
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.command = {list(COMMAND)!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/users/{{username}}"
c.Spawner.cmd = [{sys.executable!r}, "{folder}/server.py"]
{self._here(lines)}
c.JupyterHub.services.append({{"name": "tests", "api_token": "{ADMIN}"}})
c.JupyterHub.load_roles.append(
    {{"name": "tests", "scopes": ["admin:servers", "admin:users"], "services": ["tests"]}}
)
"""
        )
        self.configuration = configuration

    def _here(self, text: str) -> str:
        text = text.replace("/usr/bin/tokentoss-broker", str(PROGRAM)).replace(
            "/etc/tokentoss", str(self.folder)
        )
        text = text.replace("/var/lib/tokentoss", str(self.folder))
        # Only root can start a service as another user.
        return re.sub(r'^ *"user": "tokentoss",\n', "", text, flags=re.MULTILINE)

    def ask_hub(self, method: str, path: str) -> requests.Response:
        headers = {"Authorization": f"token {ADMIN}"}
        answer = requests.request(method, f"{self.api}{path}", headers=headers, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer

    def is_served(self) -> bool:
        try:
            self.accounts("nobody")
        except requests.ConnectionError:
            return False
        return True

    def accounts(self, token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(
            f"http://127.0.0.1:{self.broker_port}/v1/accounts", headers=headers, timeout=TIMEOUT
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub with the broker as its service."""
    site = Site(tmp_path_factory.mktemp("site"))
    subprocess.run([*site.command, "init"], check=True, capture_output=True)
    with ServerProcess(
        [sys.executable, "-m", "jupyterhub", "--config", str(site.configuration)],
        log=site.folder / "jupyterhub.log",
        is_ready=lambda line: "JupyterHub is now running" in line,
        env=dict(os.environ),
        cwd=site.folder,
    ) as hub:
        hub.wait_ready()
        until(site.is_served, "the broker that the hub started")
        yield site


def test_a_users_server_gets_a_token_that_the_broker_takes(site: Site) -> None:
    site.ask_hub("POST", "/users/ada")
    site.ask_hub("POST", "/users/ada/server")
    home = site.folder / "users" / "ada"
    until(lambda: site.ask_hub("GET", "/users/ada").json()["server"], "the user's server")
    assert (home / "broker").read_text() == "https://broker.example.org"
    answer = site.accounts((home / "token").read_text())
    assert (answer.status_code, answer.json()) == (200, [])


def test_nobody_else_is_answered(site: Site) -> None:
    for token in (ADMIN, "0" * 64, (site.folder / "hub.token").read_text().strip()):
        answer = site.accounts(token)
        assert (answer.status_code, answer.json()["code"]) == (401, "caller_unauthenticated")


def test_the_check_finds_nothing_in_the_way(site: Site) -> None:
    checked = subprocess.run(
        [*site.command, "check", "--offline"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.endswith("nothing stands in the way\n")
    assert "1 providers, 0 callers, 1 hubs" in checked.stdout
