"""What a broker's page is told of the notebook: its origin."""

from __future__ import annotations

from tokentoss.callback.own_server import own_origins
from tokentoss.exceptions import HandOffError
from tokentoss.handoff.origin import page_origin


class _Latest:
    """The origin of the page that introduced itself last to a widget of this process."""

    origin: str | None = None


class PageOrigin:
    """The origin of a widget's page, as far as it is known.

    A page says it over the comm. A kernel that a cell keeps busy does not hear that, so until then it is
    the origin of another widget's page, or one of the kernel's own server. A wrong one costs the user a code
    to copy.
    """

    def __init__(self) -> None:
        self._own: str | None = None
        self._used: str | None = None

    def known(self) -> str | None:
        """Return the origin; None if nobody knows."""
        self._used = self._own or _Latest.origin or _of_server()
        return self._used

    @property
    def told(self) -> str | None:
        """What the page itself has said; None before it has."""
        return self._own

    def tell(self, origin: str) -> bool:
        """Take what a page says, and tell whether it is another origin than the one that was used."""
        try:
            self._own = _Latest.origin = page_origin(origin)
        except HandOffError:
            return False
        return self._own != self._used


def _of_server() -> str | None:
    # Jupyter prints addresses with the name first; sorted, "localhost" comes after the numbers.
    return max(own_origins(), default=None)
