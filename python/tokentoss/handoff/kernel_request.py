"""An authorization request that the kernel makes by itself, as far as a hand-off is concerned with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from tokentoss import error_codes

if TYPE_CHECKING:
    from tokentoss.exceptions import TokenTossError


class Ended(NamedTuple):
    """How a sign-in ended.

    Attributes:
        code: The code of the failure; ``""`` for a sign-in.
        failure: The failure, where it is known.
    """

    code: str = ""
    failure: TokenTossError | None = None

    def sentence(self, language: str) -> str:
        """Return what to say of the failure."""
        if self.failure is None:
            return error_codes.sentence(self.code, language=language)
        return self.failure.said_in(language)


class KernelRequest(Protocol):
    """An authorization request of the kernel's own."""

    address: str

    def begin(self, key: str) -> str | None:
        """Return where a browser goes on that was opened with this key; None if it is no key of this."""

    def take_callback(self, query: str) -> Ended | None:
        """Take an answer that came to the listener; None if it is none to this request.

        Raises:
            TokenTossError: ``issuer_missing`` or ``issuer_mismatch``; the request goes on waiting.
        """

    def paste(self, text: str) -> TokenTossError | None:
        """Take the address that the user ended on, and return what is wrong with it."""

    def cancel(self) -> None:
        """Take no answer any more."""
