"""Why a call got no answer: the certificate, the proxy, the name, the address, or who answers there."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNREACHABLE = "unreachable"
"""No address of the host takes connections; each kind of call has a code of its own for that."""

TOO_LARGE = "too_large"
"""The answer is larger than what is read; each kind of call has a code of its own for that."""

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")
_PASSWORD_WANTED = "407"


class TransportError(Exception):
    """A call got no usable answer.

    Args:
        reason: :data:`UNREACHABLE`, :data:`TOO_LARGE`, or the stable code of the reason.
        subject: What the sentence of the code is about. It holds no password.
        was_sent: Whether the other side may have got the request.
    """

    def __init__(self, reason: str, subject: str | None = None, *, was_sent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.subject = subject
        self.was_sent = was_sent

    def named(self, unreachable: str, too_large: str, url: str) -> tuple[str, str]:
        """Return the stable code and its subject, for a kind of call.

        Args:
            unreachable: The code of such calls if no address of the host takes connections.
            too_large: The code of such calls if the answer is too large.
            url: What was called.
        """
        own = {UNREACHABLE: unreachable, TOO_LARGE: too_large}
        return own.get(self.reason, self.reason), self.subject or url


class ConnectError(Exception):
    """No connection could be made; ``reason`` and ``subject`` are those of :class:`TransportError`.

    It is no OSError, so that urllib3 and requests pass it on as it is.
    """

    def __init__(self, reason: str, subject: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.subject = subject


def is_refused_by_proxy(failure: BaseException) -> str | None:
    """Return the status with which a proxy refused a tunnel (RFC 9110 section 9.3.6); None if none did."""
    for one in _chain(failure):
        match = _TUNNEL_REFUSED.search(str(one)) if isinstance(one, OSError) else None
        if match:
            return match[1]
    return None


def reason_of_refusal(status: str) -> str:
    """Return the code for a proxy's refusal."""
    return "proxy_password_refused" if status == _PASSWORD_WANTED else "proxy_refused"


def certificate_problem(failure: BaseException) -> str | None:
    """Return what is wrong with a certificate, in the words of OpenSSL or the system; None if nothing."""
    for one in _chain(failure):
        if isinstance(one, ssl.SSLCertVerificationError):
            return one.verify_message or str(one)
    return None


def is_of_proxy(failure: BaseException) -> bool:
    """Tell whether urllib3 says that a failure is between here and the proxy."""
    return any(type(one).__name__ == "ProxyError" for one in _chain(failure))


def without_frames(failure: BaseException) -> BaseException:
    """Return a failure without the frames that it has passed, and without those of what it was made from.

    The variables of libraries' frames hold the bytes of a request, and so tokens, codes and secrets.
    """
    for one in list(_chain(failure)):
        one.__traceback__ = one.__cause__ = one.__context__ = None
    return failure


def _chain(failure: BaseException) -> Iterator[BaseException]:
    """Return a failure and what it was made from, in the several ways in which libraries keep that."""
    seen: list[BaseException] = []
    waiting: list[object] = [failure]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
