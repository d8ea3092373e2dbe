"""The origin of a notebook page, as a browser writes it."""

from __future__ import annotations

import re

from tokentoss.exceptions import HandOffError

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._~\[\]:%-]+")
_MAX_LENGTH = 512


def page_origin(origin: str) -> str:
    """Return an origin that has the form of one.

    Raises:
        HandOffError: ``page_origin_opaque`` for a page without an address of its own, such as one in a
            sandboxed frame; ``registration_refused`` for anything that is no origin.
    """
    if origin == "null":
        raise HandOffError(code="page_origin_opaque")
    if len(origin) > _MAX_LENGTH or not _ORIGIN.fullmatch(origin):
        raise HandOffError(code="registration_refused")
    return origin
