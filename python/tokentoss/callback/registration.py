"""What a page must show before the popup goes on to the provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tokentoss.encoding import from_b64url
from tokentoss.exceptions import HandOffError
from tokentoss.handoff import Registration
from tokentoss.origins import is_secure, origin_of, split_url
from tokentoss.sealing import KEY_LENGTH

if TYPE_CHECKING:
    from tokentoss.handoff import HandOff

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._~\[\]:%-]+")
_MAX_ORIGIN_LENGTH = 512
_STATE = re.compile(r"[A-Za-z0-9._~-]{16,512}")


def registration_of(hand_off: HandOff, *, proof: str, origin: str | None, url: str, key: str) -> Registration:
    """Check what a notebook page says, or the start page in its name, and return the registration.

    Args:
        hand_off: The hand-off whose ticket the page named.
        proof: The ticket's proof.
        origin: The page's origin, as the browser reported it to the start page; None for a page that
            says it to the kernel itself, and is answered the same way.
        url: The authorization request to which the popup is to go on.
        key: The page's own HPKE public key.

    Raises:
        HandOffError: ``proof_mismatch``, ``page_origin_opaque`` or ``registration_refused``.
    """
    if not hand_off.knows_proof(proof):
        raise HandOffError(code="proof_mismatch")
    if origin == "null":
        raise HandOffError(code="page_origin_opaque")
    refused = HandOffError(code="registration_refused")
    if origin is not None and (len(origin) > _MAX_ORIGIN_LENGTH or not _ORIGIN.fullmatch(origin)):
        raise refused
    page_key = page_key_of(key)
    state = _state_of_request(hand_off, url)
    if state is None:
        raise refused
    known = hand_off.registrations.get(state)
    if known is None:
        return Registration(state=state, url=url, origin=origin or "", page_key=page_key)
    # The same page with one more window, or saying it both ways: the attempt stays what it was.
    if known.page_key != page_key or (origin and known.origin and known.origin != origin):
        raise refused
    return known


def page_key_of(key: str) -> bytes:
    """Return a page's public key.

    Raises:
        HandOffError: ``registration_refused`` if the text is none.
    """
    try:
        page_key = from_b64url(key)
    except ValueError:
        page_key = b""
    if len(page_key) != KEY_LENGTH:
        raise HandOffError(code="registration_refused")
    return page_key


def _state_of_request(hand_off: HandOff, url: str) -> str | None:
    """Return the state of an authorization request of this ticket; None if it is anything else."""
    endpoint = urlsplit(hand_off.authorization_endpoint)
    parts = split_url(url)
    if (
        parts is None
        or parts.fragment
        or not is_secure(url)
        or origin_of(url) != origin_of(hand_off.authorization_endpoint)
        or (parts.path or "/") != (endpoint.path or "/")
    ):
        return None
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    expected = {
        "client_id": hand_off.client_id,
        "response_type": "code",
    }
    if any(values.get(name) != [value] for name, value in expected.items()):
        return None
    if values.get("redirect_uri") not in [[uri] for uri in hand_off.redirect_uris]:
        return None
    if not all(pair in pairs for pair in parse_qsl(endpoint.query, keep_blank_values=True)):
        return None
    states = values.get("state", [])
    return states[0] if len(states) == 1 and _STATE.fullmatch(states[0]) else None
