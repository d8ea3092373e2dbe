"""The leak scan: the secrets of a sign-in, seen on their way, and the places where none may turn up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route, WebSocket

    from .kernel import KernelClient
    from .notebook import Notebook

# A token cut into pieces of this length: a log that shortens tokens is found as well.
PIECE = 24

ENVELOPE = re.compile(rb'"sealed_tokens"\s*:\s*"([A-Za-z0-9_-]+)"')


class Traffic:
    """Watches a browser context from outside and keeps what its pages sent, said and stored."""

    def __init__(self, context: BrowserContext) -> None:
        self._requests: list[Request] = []
        self._sent: list[bytes] = []
        self.console: list[str] = []
        self._tokens: dict[str, dict[str, str]] = {}
        context.on("request", self._note_request)
        # A browser forgets the bodies of a page that has gone on, so they are read on their way.
        context.route("**/token", self._pass_tokens)
        context.on("console", self._note_console)
        context.on("page", self._note_page)

    @property
    def sent(self) -> bytes:
        """Everything that went to kernels over websockets."""
        return b"\n".join(self._sent)

    def secrets(self, *, unseen: Collection[str] = ()) -> dict[str, str]:
        """Name and value of every secret of the sign-in that passed; fails if one of them was not seen.

        `unseen` names those that a host keeps from this watcher.
        """
        found: dict[str, str] = {}
        for request in self._requests:
            query = parse_qs(urlsplit(request.url).query)
            if request.is_navigation_request() and "state" in query:
                found["state"] = query["state"][0]
            elif request.method == "POST" and urlsplit(request.url).path == "/token":
                form = parse_qs(request.post_data or "")
                if "code" not in form:
                    continue
                found["authorization code"] = form["code"][0]
                found["code verifier"] = form["code_verifier"][0]
                if "client_secret" in form:
                    found["client secret"] = form["client_secret"][0]
                tokens = self._tokens[form["code"][0]]
                found |= {name: tokens[name] for name in ("access_token", "id_token", "refresh_token")}
            elif request.method == "POST" and urlsplit(request.url).path == "/tokentoss/deliver":
                body = json.loads(request.post_data or "{}")
                found["envelope sent to the listener"] = body["sealed"]
                found["token of the callback page"] = body["page_token"]
            elif request.method == "POST" and (envelope := ENVELOPE.search(request.post_data_buffer or b"")):
                # A host whose pages reach their kernel by requests.
                found["envelope in the trait"] = envelope[1].decode()
        for frame in self._sent:
            for envelope in ENVELOPE.findall(frame):
                found["envelope in the trait"] = envelope.decode()
        missing = (
            {
                "authorization code",
                "state",
                "code verifier",
                "id_token",
                "envelope in the trait",
            }
            - found.keys()
            - set(unseen)
        )
        assert not missing, f"the sign-in was not seen completely: {missing}"
        return found

    def _pass_tokens(self, route: Route) -> None:
        """Let a token request through and keep what it is answered."""
        answer = route.fetch()
        form = parse_qs(route.request.post_data or "")
        if "code" in form:
            self._tokens[form["code"][0]] = answer.json()
        route.fulfill(response=answer)

    def _note_request(self, request: Request) -> None:
        self._requests.append(request)

    def _note_page(self, page: Page) -> None:
        page.on("websocket", self._note_websocket)

    def _note_console(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)

    def _note_websocket(self, websocket: WebSocket) -> None:
        websocket.on("framesent", self._note_frame)

    def _note_frame(self, payload: str | bytes) -> None:
        self._sent.append(payload.encode() if isinstance(payload, str) else payload)


def places(notebook: Notebook, observer: KernelClient, traffic: Traffic) -> dict[str, bytes]:
    """Everything that outlives a sign-in or that others can see, by the name of the place."""
    return {
        **files(notebook.lab.work_dir),
        "iopub of a second client": b"\n".join(observer.frames),
        **pages(notebook.page, traffic),
    }


def files(work_dir: Path) -> dict[str, bytes]:
    """What a host wrote below its folder: notebooks, sessions, logs. The home is the tokens' own place."""
    return {
        f"file {path.relative_to(work_dir)}": path.read_bytes()
        for path in sorted(work_dir.rglob("*"))
        if path.is_file() and not path.is_relative_to(work_dir / "home")
    }


def pages(page: Page, traffic: Traffic) -> dict[str, bytes]:
    """What the browser keeps of its pages, and what they said."""
    return {
        "browser console": "\n".join(traffic.console).encode(),
        **{f"{name} of the page": _storage(page, name) for name in ("localStorage", "sessionStorage")},
        "storage of all pages": json.dumps(page.context.storage_state(indexed_db=True)).encode(),
    }


def find(secrets: Mapping[str, str], haystacks: Mapping[str, bytes]) -> list[str]:
    """Say which secret, or piece of one, stands where; an empty list is a clean scan."""
    return [
        f"{secret} in {place}"
        for secret, value in secrets.items()
        for place, content in haystacks.items()
        if any(spelling in content for piece in _pieces(value) for spelling in _spellings(piece))
    ]


def _storage(page: Page, name: str) -> bytes:
    content: str = page.evaluate(f"() => JSON.stringify(window.{name})")
    return content.encode()


def _pieces(value: str) -> list[str]:
    if len(value) < 2 * PIECE:
        return [value]
    # The header of a JWT is the same for all tokens of a key and no secret.
    start = value.index(".") + 1 if value.count(".") == 2 else 0
    return [value[at : at + PIECE] for at in range(start, len(value) - PIECE + 1, PIECE)]


def _spellings(piece: str) -> set[bytes]:
    return {piece.encode(), quote(piece, safe="").encode()}
