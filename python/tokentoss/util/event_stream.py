"""Server-sent events (HTML Living Standard, section 9.2), read as they come, within limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tokentoss.util.deadline import Deadline
from tokentoss.util.failures import TOO_LARGE, ConnectError, TransportError
from tokentoss.util.http import CONNECT_TIMEOUT, Answer, error_of, new_session
from tokentoss.util.proxies import Proxy, proxy_for
from tokentoss.util.secret import bearer_header

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import requests

CONTENT_TYPE = "text/event-stream"

SILENCE = 40.0
"""Seconds without a byte after which a stream counts as cut off; senders write a comment more often."""

LARGEST = 65_536
"""The longest event, and the longest answer that is no stream, in bytes."""

_CHUNK = 8192


@dataclass(frozen=True)
class Event:
    """An event.

    Args:
        name: Its type.
        data: Its data.
    """

    name: str
    data: str


class NoStreamError(Exception):
    """The answer is no stream of events.

    Args:
        answer: What it is instead.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass
class EventReader:
    """Puts events together from the bytes of a stream, whose lines end with a line feed."""

    _name: str = ""
    _data: list[str] = field(default_factory=list)
    _line: bytes = b""
    _size: int = 0

    def feed(self, content: bytes) -> list[Event]:
        """Return the events that end in these bytes.

        Raises:
            TransportError: If an event is too large.
        """
        *lines, self._line = (self._line + content).split(b"\n")
        found: list[Event] = []
        for line in lines:
            self._size += len(line)
            text = line.removesuffix(b"\r").decode("utf-8", "replace")
            if text:
                self._take(text)
            else:
                if self._data:
                    found.append(Event(self._name or "message", "\n".join(self._data)))
                self._name, self._data, self._size = "", [], 0
            self._require_small()
        self._require_small(len(self._line))
        return found

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)

    def _require_small(self, more: int = 0) -> None:
        if self._size + more > LARGEST:
            raise TransportError(TOO_LARGE, was_sent=True)


class EventStream:
    """One request for events, which another thread may end.

    Args:
        url: An endpoint that was checked to be https, or http on loopback.
        bearer: The access token of the call.
        more_headers: Further headers.
    """

    def __init__(self, url: str, *, bearer: str, more_headers: Mapping[str, str]) -> None:
        self._url = url
        # Nothing of ours is compressed: a small body must not become a large one.
        self._headers = {"Accept": CONTENT_TYPE, "Accept-Encoding": "identity", **more_headers}
        self._headers["Authorization"] = bearer_header(bearer)
        self._deadline = Deadline(math.inf)

    def close(self) -> None:
        """End it, from whichever thread."""
        self._deadline.abort()

    def batches(self) -> Generator[list[Event], None, None]:
        """Yield nothing once the stream stands, and then the events as they come, until it ends.

        Raises:
            NoStreamError: If the answer is none.
            TransportError: If there is no answer, or it breaks off.
        """
        import requests  # noqa: PLC0415 - a widget shows before it needs the network
        import urllib3  # noqa: PLC0415

        proxy: Proxy | None = None
        failure: TransportError
        try:
            proxy = proxy_for(self._url)
            with self._deadline, new_session() as session, self._opened(session, proxy) as response:
                _require_stream(response)
                yield []
                reader = EventReader()
                while chunk := response.raw.read1(_CHUNK, decode_content=False):
                    yield reader.feed(chunk)
                return
        except TransportError as broken:
            failure = TransportError(broken.reason, broken.subject, was_sent=broken.was_sent)
        except (
            ConnectError,
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as broken:
            failure = error_of(broken, self._url, proxy, deadline=self._deadline)
        # Raised here, it leaves the frames behind in which the request's bytes are.
        raise failure

    def _opened(self, session: requests.Session, proxy: Proxy | None) -> requests.Response:
        return session.get(
            self._url,
            headers=self._headers,
            allow_redirects=False,
            timeout=(CONNECT_TIMEOUT, SILENCE),
            stream=True,
            proxies={urlsplit(self._url).scheme: proxy.url} if proxy is not None else None,
        )


def _require_stream(response: requests.Response) -> None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if response.status_code != 200 or kind != CONTENT_TYPE or encoding not in {"", "identity"}:  # noqa: PLR2004
        body = response.raw.read(LARGEST, decode_content=False)
        raise NoStreamError(Answer(response.status_code, response.headers, body))
