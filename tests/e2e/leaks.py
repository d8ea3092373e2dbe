"""The leak scan: the secrets of a sign-in, seen on their way, and the places where none may turn up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Page, Request, WebSocket
    from servers.provider import LocalProvider

    from .kernel import KernelClient
    from .notebook import Notebook

# A token cut into pieces of this length: a log that shortens tokens is found as well.
PIECE = 24

ENVELOPE = re.compile(rb'"sealed_tokens"\s*:\s*"([A-Za-z0-9_-]+)"')
# What only the page and the kernel know; it crosses between them, sealed, by nature.
SEALED = ("envelope in the trait", "envelope sent to the listener")
TO_PAGE = "messages to the page"

# What is to be seen of every sign-in by authorization code: in the page, and in the kernel alone.
OF_A_KERNEL = ("code", "state", "code_verifier", "access_token", "id_token")
OF_A_CODE = (*OF_A_KERNEL, SEALED[0])

# Everything in a document that a script or a user could read, shadow trees and fields included.
DOCUMENT = """() => {
  const parts = [location.href, document.documentElement.outerHTML];
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if ("value" in element) parts.push(String(element.value));
      if (!element.shadowRoot) continue;
      parts.push(element.shadowRoot.innerHTML);
      walk(element.shadowRoot);
    }
  };
  walk(document);
  return parts.join("\\n");
}"""


class Traffic:
    """Watches a browser context from outside and keeps what its pages sent, said and stored."""

    def __init__(self, context: BrowserContext) -> None:
        self._requests: list[Request] = []
        self._sent: list[bytes] = []
        self._received: list[bytes] = []
        self.console: list[str] = []
        context.on("request", self._note_request)
        context.on("console", self._note_console)
        context.on("page", self._note_page)

    @property
    def sent(self) -> bytes:
        """Everything that went to kernels over websockets."""
        return b"\n".join(self._sent)

    @property
    def received(self) -> bytes:
        """Everything that came from kernels over websockets."""
        return b"\n".join(self._received)

    def posted(self, origin: str) -> bytes:
        """Everything that went to a host in the bodies of requests, by which some reach their kernels."""
        bodies = (request.post_data_buffer for request in self._requests if _is_of(request, origin))
        return b"\n".join(body for body in bodies if body)

    def envelopes(self) -> dict[str, str]:
        """What crossed to the kernel sealed, and what the listener gave its page; by name."""
        found: dict[str, str] = {}
        for request in self._requests:
            body = request.post_data_buffer or b""
            if request.method == "POST" and urlsplit(request.url).path == "/tokentoss/deliver":
                members = json.loads(body)
                found["envelope sent to the listener"] = members["sealed"]
                found["token of the callback page"] = members["page_token"]
            elif envelope := ENVELOPE.search(body):
                found["envelope in the trait"] = envelope[1].decode()
        for envelope in ENVELOPE.findall(self.sent):
            found["envelope in the trait"] = envelope.decode()
        return found

    def _note_request(self, request: Request) -> None:
        self._requests.append(request)

    def _note_page(self, page: Page) -> None:
        page.on("websocket", self._note_websocket)

    def _note_console(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)

    def _note_websocket(self, websocket: WebSocket) -> None:
        websocket.on("framesent", lambda payload: self._sent.append(_bytes_of(payload)))
        websocket.on("framereceived", lambda payload: self._received.append(_bytes_of(payload)))


def secrets(provider: LocalProvider, traffic: Traffic, needed: Collection[str] = OF_A_CODE) -> dict[str, str]:
    """Every secret of the sign-in that passed, by its name; fails if one of the `needed` was not seen."""
    found = provider.secrets() | traffic.envelopes()
    missing = set(needed) - found.keys()
    assert not missing, f"the sign-in was not seen completely: {missing}"
    return found


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
    """What the browser keeps of its pages, what they show and said, and what their kernels told them."""
    return {
        "browser console": "\n".join(traffic.console).encode(),
        TO_PAGE: traffic.received,
        **{name: _of_frames(page, script) for name, script in FRAMES.items()},
        "history of the page": _history(page),
        "storage of all pages": json.dumps(page.context.storage_state(indexed_db=True)).encode(),
    }


FRAMES = {
    "document of the page": DOCUMENT,
    # Frames of another origin may be denied theirs.
    "localStorage of the page": "() => { try { return JSON.stringify(localStorage); } catch { return ''; } }",
    "sessionStorage of the page": (
        "() => { try { return JSON.stringify(sessionStorage); } catch { return ''; } }"
    ),
}


def find(secrets: Mapping[str, str], haystacks: Mapping[str, bytes]) -> list[str]:
    """Say which secret, or piece of one, stands where; an empty list is a clean scan."""
    return [
        f"{secret} in {place}"
        for secret, value in secrets.items()
        for place, content in haystacks.items()
        if any(spelling in content for piece in _pieces(value) for spelling in _spellings(piece))
    ]


def _of_frames(page: Page, script: str) -> bytes:
    parts: list[str] = [frame.evaluate(script) for frame in page.frames if _is_web(frame)]
    return "\n".join(parts).encode()


def _is_web(frame: Frame) -> bool:
    return urlsplit(frame.url).scheme in {"http", "https"}


def _history(page: Page) -> bytes:
    session = page.context.new_cdp_session(page)
    entries = session.send("Page.getNavigationHistory")["entries"]
    session.detach()
    return json.dumps(entries).encode()


def _is_of(request: Request, origin: str) -> bool:
    parts = urlsplit(request.url)
    return f"{parts.scheme}://{parts.netloc}" == origin


def _bytes_of(payload: str | bytes) -> bytes:
    return payload.encode() if isinstance(payload, str) else payload


def _pieces(value: str) -> list[str]:
    if len(value) < 2 * PIECE:
        return [value]
    # The header of a JWT is the same for all tokens of a key and no secret.
    start = value.index(".") + 1 if value.count(".") == 2 else 0
    return [value[at : at + PIECE] for at in range(start, len(value) - PIECE + 1, PIECE)]


def _spellings(piece: str) -> set[bytes]:
    return {piece.encode(), quote(piece, safe="").encode()}
