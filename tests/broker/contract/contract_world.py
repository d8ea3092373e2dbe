"""A broker to test the contract with: the fake one, or the program."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol

import requests
from servers import ports
from tokentoss.broker import Broker, FakeBroker


class World(Protocol):
    """A broker that knows the provider ``google``, and a server application that may ask for every tenant."""

    url: str
    server_key: str

    def connect(
        self, provider: str, *, tenant: str, user: str, subject: str, email: str | None = None
    ) -> Any:
        """Connect an account, as a sign-in does."""

    def close(self) -> None:
        """End it."""


def call(
    world: World,
    method: str,
    path: str,
    *,
    key: str | None = None,
    user: str | None = "ada",
    **arguments: Any,
) -> requests.Response:
    """Call a route as the server application for a user of the tenant ``acme``."""
    headers = {"Authorization": f"Bearer {world.server_key if key is None else key}"}
    if user is not None:
        headers |= {"X-Tokentoss-Tenant": "acme", "X-Tokentoss-User": user}
    headers |= arguments.pop("headers", {})
    return requests.request(method, world.url + path, headers=headers, timeout=30, **arguments)


def broker_for(world: World, user: str = "ada") -> Broker:
    """Return the broker for a user."""
    return Broker(world.url, world.server_key, tenant="acme", user=user)


class FakeWorld:
    def __init__(self) -> None:
        self.fake = FakeBroker()
        self.url, self.server_key = self.fake.url, self.fake.server_key

    def connect(self, provider: str, **whose: Any) -> Any:
        return self.fake.connect(provider, **whose)

    def close(self) -> None:
        self.fake.close()


class RealWorld:
    def __init__(self, binary: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        port, admin_port = ports.free_port(), ports.free_port()
        self.url, self.server_key = f"http://127.0.0.1:{port}", "k" * 43
        for name, secret in (("caller.key", self.server_key), ("client.secret", "client-secret")):
            (folder / name).write_text(secret)
            (folder / name).chmod(0o600)
        config = folder / "broker.toml"
        config.write_text(
            f"""
            listen = "127.0.0.1:{port}"
            admin_listen = "127.0.0.1:{admin_port}"
            database = "sqlite:{folder / "broker.sqlite"}"
            key_ring = "{folder / "ring"}"
            [providers.google]
            token_endpoint = "https://oauth2.googleapis.com/token"
            client_id = "client"
            client_secrets = ["{folder / "client.secret"}"]
            [callers.app]
            keys = ["{folder / "caller.key"}"]
            """
        )
        subprocess.run([binary, "--config", str(config), "init"], check=True, capture_output=True)
        self._process = subprocess.Popen(
            [binary, "--config", str(config), "serve"], stderr=subprocess.DEVNULL
        )
        ends = time.monotonic() + 30
        while True:
            try:
                requests.get(f"http://127.0.0.1:{admin_port}/livez", timeout=1)
                break
            except requests.ConnectionError:
                assert self._process.poll() is None
                assert time.monotonic() < ends

    def connect(self, provider: str, **whose: Any) -> Any:
        raise NotImplementedError("the sign-in at the broker's pages, once they are there")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._folder.cleanup()
