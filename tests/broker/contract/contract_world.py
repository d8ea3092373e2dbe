"""A broker to test the contract with: the fake one, or the program."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import requests
from broker.local_provider import settings
from broker.running import Broker as Program
from servers import ports
from servers.scripted_login import follow_to_callback
from tokentoss.broker import Broker, BrokerClient, FakeBroker

if TYPE_CHECKING:
    from pathlib import Path

    from servers.provider import LocalProvider
    from servers.recording import RecordingServer

TIMEOUT = 60


class World(Protocol):
    """A broker that knows the provider ``google``, and a server application that may ask for every tenant."""

    url: str
    server_key: str

    def connect(self, provider: str, *, user: str, email: str) -> str:
        """Connect an account of a user of the tenant ``acme``, as a sign-in does; return its subject."""

    def let_tokens_age(self) -> None:
        """Let a minute pass: a token that was given out now is renewed when a service refuses it."""

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


def host_of(service: RecordingServer) -> str:
    """How a call through a broker names the service."""
    return urlsplit(service.origin()).netloc


def _rules(service: RecordingServer) -> str:
    """What lets calls through to the service, with either token."""
    return "".join(
        f"""
[[providers.google.through]]
origin = "{service.origin()}"
methods = ["GET", "POST", "HEAD"]
paths = ["/"]
credential = "{credential}"
private = true
"""
        for credential in ("access_token", "id_token")
    )


class FakeWorld:
    def __init__(self, service: RecordingServer) -> None:
        self.fake = FakeBroker()
        self.fake.targets[host_of(service)] = service.origin()
        self.url, self.server_key = self.fake.url, self.fake.server_key

    def connect(self, provider: str, *, user: str, email: str) -> str:
        subject = f"subject of {email}"
        self.fake.connect(provider, tenant="acme", user=user, subject=subject, email=email)
        return subject

    def let_tokens_age(self) -> None:
        """It renews at once."""

    def close(self) -> None:
        self.fake.close()


class RealWorld:
    """The program in front of the local OpenID provider, which it calls ``google``."""

    def __init__(self, folder: Path, provider: LocalProvider, service: RecordingServer) -> None:
        port = ports.free_port()
        self.url, self.server_key = f"http://127.0.0.1:{port}", "k" * 43
        key = folder / "caller.key"
        key.touch(mode=0o600)
        key.write_text(self.server_key)
        provider.change(callback_pages=[f"{self.url}/callback"])
        of_provider = f"{settings(provider, self.url, name='google')}{_rules(service)}"
        self._settings = f'{of_provider}[callers.app]\nkeys = ["{key}"]\n'
        self._folder, self._port = folder, port
        self._program = Program(folder, self._settings, port=port)

    def connect(self, provider: str, *, user: str, email: str) -> str:
        client = BrokerClient(broker_for(self, user))
        begun = client.begin(provider)
        browser = requests.Session()
        browser.headers["Origin"] = self.url
        asked = browser.post(begun.url, allow_redirects=False, timeout=TIMEOUT)
        assert asked.status_code == requests.codes.see_other, asked.text
        back = follow_to_callback(asked.headers["Location"], email)
        page = browser.get(back, timeout=TIMEOUT)
        confirmation = re.search(r"<output[^>]*>([A-Z0-9]+)<", page.text)
        assert confirmation is not None, page.text
        confirmed = client.confirm(begun.id, confirmation[1])
        assert confirmed.account is not None
        return confirmed.account.subject

    def let_tokens_age(self) -> None:
        self._program.stop()
        with closing(sqlite3.connect(self._folder / "broker.sqlite")) as database, database:
            database.execute("UPDATE tokens SET obtained_at = obtained_at - 60000")
        # Another process has nothing of it in its cache.
        self._program = Program(self._folder, self._settings, port=self._port)

    def close(self) -> None:
        self._program.stop()
