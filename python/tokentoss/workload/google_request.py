"""google-auth's way to the network, by this package's own calls: its proxies, certificates and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.auth import exceptions as google_exceptions

from tokentoss.util.failures import TransportError
from tokentoss.util.http import DEADLINE, Answer, call
from tokentoss.util.secret import Secret, SecretBytes

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Exchange:
    """A request of google-auth, and what came of it.

    Args:
        url: The address.
        answer: The answer; None if there was none.
        failure: Why there was none.
    """

    url: str
    answer: Answer | None = field(default=None, repr=False)
    failure: TransportError | None = None


@dataclass(frozen=True)
class _Response:
    """An answer, as ``google.auth.transport.Response`` has it."""

    status: int
    headers: Mapping[str, str]
    data: bytes = field(repr=False)


class GoogleRequest:
    """A ``google.auth.transport.Request`` that remembers its last exchange.

    google-auth's exceptions say little of what went wrong, and quote answers; the exchange says it.

    Attributes:
        last: The last exchange; None before the first.
    """

    def __init__(self) -> None:
        self.last: Exchange | None = None

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_more: Any,
    ) -> _Response:
        """Make a request.

        Raises:
            google.auth.exceptions.TransportError: If there is no answer.
        """
        # At once: a traceback with local variables shows this frame.
        content = SecretBytes(body.encode() if isinstance(body, str) else body) if body is not None else None
        hidden = {
            name: Secret(value) if name.lower() == "authorization" else value
            for name, value in (headers or {}).items()
        }
        del body, headers
        try:
            answer = call(
                method, url, body=content, more_headers=hidden, deadline=min(timeout or DEADLINE, DEADLINE)
            )
        except TransportError as failure:
            self.last = Exchange(url, failure=failure)
            reason = failure.reason
        else:
            self.last = Exchange(url, answer)
            return _Response(answer.status, answer.headers, answer.body)
        raise google_exceptions.TransportError(reason)  # type: ignore[no-untyped-call]
