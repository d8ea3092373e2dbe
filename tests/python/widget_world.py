"""A kernel with sign-in widgets, in which only tests move time: a model provider, a listener without sockets.

Everything between them is the product's own: widgets, hand-offs, leases, what the listener's routes decide,
the manager and its renewals.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from http.client import HTTPMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

from make_answer_vectors import open_answer
from page import Page
from simulated_time import Clock, Event
from tokentoss import AuthManager, AuthWidget, ClientConfig, MemoryStorage, Provider
from tokentoss.callback import lease
from tokentoss.callback.listener import POLL, LoopbackListener
from tokentoss.callback.peers import Peer
from tokentoss.callback.routes import RequestHandler
from tokentoss.oauth.pkce import code_challenge
from tokentoss.session.endings import Endings
from tokentoss.util.base64url import b64url
from tokentoss.util.failures import TransportError
from tokentoss.util.http import Answer

_WORD = re.compile("[A-Za-z0-9_-]+")
USERS = ("ada", "bob")
CLIENT_ID = "client.example"
ISSUER = "https://idp.example"
REFUSALS = {
    "invalid_grant": Answer(400, {}, b'{"error": "invalid_grant"}'),
    "access_denied": Answer(400, {}, b'{"error": "access_denied"}'),
    "invalid_client": Answer(401, {}, b'{"error": "invalid_client"}'),
    "busy": Answer(503, {}, b""),
    "portal": Answer(200, {}, b"<html>"),
    "half": Answer(200, {}, b'{"access_token": "\\ud800", "token_type": "Bearer"}'),
}


class ModelProvider:
    """The provider's truth: whom it gave which codes and tokens."""

    def __init__(self, clock: Clock, secrets: set[str]) -> None:
        self.mode = "ok"
        self._clock = clock
        self._secrets = secrets
        self._count = 0
        self._codes: dict[str, tuple[str, str]] = {}
        self._refresh: dict[str, str] = {}
        self.device: dict[str, str] = {}
        """Which user entered a device code, if one did; "?" if nobody has, "" if somebody declined."""

    def number(self, text: str, *, is_secret: bool = True) -> str:
        self._count += 1
        made = f"{text}-{self._count:06}"
        if is_secret:
            self._secrets.add(made)
        return made

    def code(self, user: str, nonce: str) -> str:
        """A code, after the user signed in on the provider's page."""
        code = self.number("code")
        self._codes[code] = user, nonce
        return code

    def tokens(self, user: str, nonce: str | None = None) -> dict[str, Any]:
        claims: dict[str, Any] = {"iss": ISSUER, "aud": CLIENT_ID, "sub": user, "jti": self._count}
        claims |= {"email": f"{user}@example.com"} | ({"nonce": nonce} if nonce else {})
        now = int(self._clock.true_time)
        claims |= {"iat": now, "exp": now + 3600}
        parts = [b64url(json.dumps(part).encode()) for part in ({"alg": "RS256"}, claims)]
        id_token = ".".join([*parts, "c2ln"])
        self._secrets.add(parts[1])
        refresh = self.number("refresh")
        self._refresh[refresh] = user
        tokens = {"access_token": self.number("access"), "id_token": id_token, "refresh_token": refresh}
        return tokens | {"expires_in": 3600, "token_type": "Bearer"}

    def end_grants(self) -> None:
        self._refresh.clear()

    def answer(self, _method: str, url: str, *, form: Any = None, **_: Any) -> Answer:
        """Answer what the kernel asks over HTTP."""
        self._clock.sleep(0.1)
        if self.mode == "down":
            raise TransportError("unreachable", ISSUER)
        if self.mode in REFUSALS:
            return REFUSALS[self.mode]
        if url.endswith("/device"):
            return self._json(self._device_authorization())
        if form["grant_type"] == "authorization_code":
            user, nonce = self._codes.pop(form["code"], ("", ""))
            return self._json(self.tokens(user, nonce)) if user else REFUSALS["invalid_grant"]
        if form["grant_type"] == "refresh_token":
            user = self._refresh.pop(form["refresh_token"], "")
            return self._json(self.tokens(user)) if user else REFUSALS["invalid_grant"]
        user = self.device.get(form["device_code"], "")
        if user == "?":
            return Answer(400, {}, b'{"error": "authorization_pending"}')
        return self._json(self.tokens(user)) if user else REFUSALS["access_denied"]

    def _device_authorization(self) -> dict[str, Any]:
        device_code = self.number("device")
        self.device[device_code] = "?"
        codes = {"device_code": device_code, "user_code": self.number("USER", is_secret=False)}
        return codes | {"verification_uri": ISSUER + "/enter", "expires_in": 300, "interval": 5}

    def _json(self, document: dict[str, Any]) -> Answer:
        return Answer(200, {}, json.dumps(document).encode())


class Storage(MemoryStorage):
    """Fails in the ways of disks, and of code that users write."""

    write_fails: Exception | None = None
    read_fails: Exception | None = None

    def _write(self, records: Any) -> None:
        if self.write_fails is not None:
            raise self.write_fails
        super()._write(records)

    def _read(self) -> Any:
        if self.read_fails is not None:
            raise self.read_fails
        return super()._read()


class QuietServer:
    """What listens on a port, without a socket: nobody connects, requests are made of :class:`Request`."""

    def __init__(self, clock: Clock, port: int) -> None:
        self.server_address = "127.0.0.1", port
        self._nobody = Event(clock)

    def handle_request(self) -> None:
        self._nobody.wait(POLL)

    def server_close(self) -> None:
        self._nobody.set()


class Request(RequestHandler):
    """A request whose HTTP has been read, by a program that asks for no page."""

    command = "GET"
    headers: Any = HTTPMessage()

    def __init__(self, listener: LoopbackListener, peer: Peer) -> None:
        self.listener, self.peer = listener, peer
        self.answered: tuple[int, Any] = (0, None)

    def answer_json(self, status: Any, content: Any) -> None:
        self.answered = int(status), dict(content)

    def answer(self, status: Any, body: bytes, headers: Any) -> None:
        self.answered = int(status), body.decode()


class Tab:
    """A page that shows a widget, in one attempt of a user; another one after each reload."""

    def __init__(self, world: World, widget: AuthWidget) -> None:
        self.world, self.widget = world, widget
        self.page = Page(widget.ticket)
        self.number = world.dice.random()
        self.page_token = ""
        self.link = ""
        world.secrets |= {self.page.verifier, self.page.state, self.page.answer_key}

    def heard(self, message: dict[str, Any]) -> None:
        """Take a message of the kernel, if it is this page's."""
        kind, page = message.get("type"), self.page
        if message.get("ticket") != page.ticket["id"]:
            return
        if kind == "introduced" and message["key"] == b64url(page.introduction_key.public):
            page.introduced(message)
            self.world.secrets.add(str(page.introduction_proof))
        elif kind == "registered" and message["key"] == b64url(page.key.public):
            page.registered(message)
            self.world.secrets.add(str(page.proof))
        elif kind == "link":
            self.link = message["link"]

    def post(self, name: str, members: dict[str, str]) -> Any:
        """Send what a page of the listener sends; None if nobody listens any more."""
        request = self.world.request(self.page.listener)
        if request is None:
            return None
        getattr(request, name)(members)
        assert request.answered[0] in {200, 403}
        return request.answered[1]

    def page_told(self, answer: str) -> str:
        """Open the answer to a registration, and return the proof in it."""
        page = self.page
        page.told(open_answer(answer, page.answer_key, page.ticket["id"], b64url(page.key.public)))
        return str(page.proof)

    def token_in(self, html: str) -> str:
        """Return the token of a callback page; empty if it is none."""
        start = html.find('id="page"')
        if start < 0:
            return ""
        block = html[html.index(">", start) + 1 : html.index("</script>", start)]
        return str(json.loads(block)["token"])

    def callback(self, query: str) -> str:
        """Come back from the provider."""
        request = self.world.request(self.page.listener)
        if request is None:
            return ""
        request._callback(self.page.path, query)
        return str(request.answered[1])

    def envelope(self, user: str, purpose: str, **changes: Any) -> str:
        """What the page seals for the kernel once the user has signed in."""
        page, provider = self.page, self.world.provider
        common = {"version": 2, "ticket": page.ticket["id"], "proof": page.proof}
        common["received_at"] = int(self.world.clock.wall())
        if purpose == "code":
            code = provider.code(user, page.nonce)
            return page.code_envelope(code=code, received_at=common["received_at"], **changes)
        tokens = provider.tokens(user, page.nonce if purpose == "tokens" else None)
        members = common | tokens | {"scopes": ["openid", "email"]} | {"salt": page.salt}
        if purpose == "device_tokens":
            del members["salt"], members["proof"]
        members.pop("token_type")
        return page.seal(members | changes, purpose)

    def answer_of_link(self, user: str) -> str:
        """The query with which the provider sends the browser of a sign-in by link back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.link).query).items()}
        code = self.world.provider.code(user, asked["nonce"])
        self.world.secrets.add(asked["state"])
        assert asked["code_challenge"] != code_challenge(self.page.verifier)
        return f"code={code}&state={asked['state']}"


class World:
    """A kernel, and what is around it.

    Attributes:
        flight: What pages have sent and nobody has received yet.
        secrets: What no trait may hold.
    """

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = Clock()
        self.secrets: set[str] = set()
        self.provider = ModelProvider(self.clock, self.secrets)
        self.storage = Storage()
        self.flight: list[Callable[[], object]] = []
        self.widgets: list[AuthWidget] = []
        self.tabs: list[Tab] = []
        self.outcomes: list[tuple[AuthWidget, Any]] = []
        self.seen: Counter[str] = Counter()
        self.undo: list[Callable[[], object]] = []
        self.endings = Endings()
        self.has_secret = self.dice.random() < 0.5
        self.exchange: Any = "kernel" if self.dice.random() < 0.3 else "auto"

    def begin(self) -> None:
        """Run the cell, once the modules use this world."""
        secret = "client-secret-1" if self.has_secret else ""
        if secret:
            self.secrets.add(secret)
        client = ClientConfig(CLIENT_ID, secret, auth_uri=ISSUER + "/auth", token_uri=ISSUER + "/token")
        provider = Provider(
            "Model",
            ISSUER,
            ISSUER + "/auth",
            ISSUER + "/token",
            ISSUER + "/keys",
            rotation="one-use",
            device_authorization_endpoint=ISSUER + "/device",
        )
        self._manage = lambda: AuthManager(client, provider=provider, storage=self.storage)
        self.managers = [self._manage()]
        self.run_cell()

    def run_cell(self, *, anew: bool = False) -> AuthWidget:
        """Make another widget, of the latest manager or of a new one over the same storage."""
        if anew:
            self.managers.append(self._manage())
        widget = AuthWidget(auth_manager=self.managers[-1], exchange=self.exchange)
        self.widgets.append(widget)
        return widget

    def request(self, origin: str) -> Request | None:
        for one in lease._listeners.values():
            if one.origin == origin:
                peer = self.dice.choice([Peer.TRUSTED, Peer.UNKNOWN])
                return Request(one, peer)
        return None

    def say(self, widget: AuthWidget, content: Any) -> None:
        """Let a page's message arrive."""
        if widget.comm is not None:
            widget._take_message(widget, content, [])

    def secrets_in(self, shown: Any) -> set[str]:
        """Return the secrets that something shows; each of them is a word."""
        return self.secrets & set(_WORD.findall(json.dumps(shown, default=str)))

    def hear(self) -> None:
        """Let the pages take what the kernel said."""
        for widget in self.widgets:
            sent = getattr(widget.comm, "sent", []) if widget.comm is not None else []
            messages, sent[:] = list(sent), []
            for message in messages:
                data = message.get("data") or {}
                content = data.get("content")
                # A link holds the state of the kernel's own request, which is of use to nobody else.
                if data.get("method") in {"update", "custom"} and (content or {}).get("type") != "link":
                    assert not self.secrets_in(data), "a message holds a secret"
                if isinstance(content, dict):
                    for tab in self.tabs:
                        if tab.widget is widget:
                            tab.heard(content)
