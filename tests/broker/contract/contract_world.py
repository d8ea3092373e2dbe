"""A broker to test the contract with: the fake one, or the program."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol

import requests
from broker.local_provider import settings
from broker.running import Broker as Program
from servers import ports
from servers.scripted_login import follow_to_callback
from tokentoss.broker import Broker, BrokerClient, FakeBroker

if TYPE_CHECKING:
    from pathlib import Path

    from servers.provider import LocalProvider

TIMEOUT = 60
FORGED = {"Tokentoss-Account": "forged", "Tokentoss-Through": "0", "X-Tokentoss-Account": "forged"}


class Service:
    """Tells whose token came, and claims in its headers that it was another one's."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(self.headers["Authorization"]).encode()
                self.send_response(200)
                for name, value in FORGED.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World(Protocol):
    """A broker that knows the provider ``google``, and a server application that may ask for every tenant."""

    url: str
    server_key: str
    service: Service
    """A service that it may call with GET, as https."""

    def connect(self, provider: str, *, user: str, email: str) -> str:
        """Connect an account of a user of the tenant ``acme``, as a sign-in does; return its subject."""

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
        self.service = Service()
        self.fake = FakeBroker()
        self.fake.targets[self.service.host] = f"http://{self.service.host}"
        self.url, self.server_key = self.fake.url, self.fake.server_key

    def connect(self, provider: str, *, user: str, email: str) -> str:
        subject = f"subject of {email}"
        self.fake.connect(provider, tenant="acme", user=user, subject=subject, email=email)
        return subject

    def close(self) -> None:
        self.fake.close()
        self.service.close()


class RealWorld:
    """The program in front of the local OpenID provider, which it calls ``google``."""

    def __init__(self, folder: Path, provider: LocalProvider) -> None:
        port = ports.free_port()
        self.url, self.server_key = f"http://127.0.0.1:{port}", "k" * 43
        self.service = Service()
        key = folder / "caller.key"
        key.touch(mode=0o600)
        key.write_text(self.server_key)
        provider.change(callback_pages=[f"{self.url}/callback"])
        self._program = Program(
            folder,
            f'{settings(provider, self.url, name="google")}{self._rule()}\n[callers.app]\nkeys = ["{key}"]\n',
            port=port,
        )

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

    def close(self) -> None:
        self._program.stop()
        self.service.close()

    def _rule(self) -> str:
        return (
            f'[[providers.google.through]]\norigin = "http://{self.service.host}"\nprivate = true\n'
            'methods = ["GET"]\npaths = ["/"]\n'
        )
