"""Pages that started an attempt: what they must show, and which of them an answer belongs to."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, urlsplit

from tokentoss.exceptions import HandOffError
from tokentoss.handoff.origin import page_origin
from tokentoss.handoff.sealing import KEY_LENGTH
from tokentoss.oauth.authorization_response import require_issuer
from tokentoss.util.base64url import from_b64url, random_b64url
from tokentoss.util.constant_time import same_text
from tokentoss.util.forks import anew_in_child
from tokentoss.util.urls import is_secure, origin_of, split_url

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider

_STATE = re.compile(r"[A-Za-z0-9._~-]{16,512}")


MAX_REGISTRATIONS = 8
"""Registered attempts of a ticket that are kept; the oldest gives way."""

PROMPT = 2.0
"""Seconds in which a kernel that no cell keeps busy has registered the attempt of a popup that asks."""

SETTLING = 1.0
"""Seconds that a late attempt waits for a later one: a kernel that was busy hears of all of them at once."""


@dataclass
class Registration:
    """A page that started an attempt: where its answer goes, and which popup may bring one.

    Its origin is empty if the page is to be answered through the kernel alone. Its proof, which only the page
    is told, vouches for an envelope that comes by the listener.
    """

    state: str = field(repr=False)
    url: str = field(repr=False)
    origin: str
    page_key: bytes
    page_token: str = field(default_factory=lambda: random_b64url(32), repr=False)
    proof: str = field(default_factory=lambda: random_b64url(32), repr=False)
    callback_query: str | None = field(default=None, repr=False)
    relayed: bool = False


class Registrations:
    """The registered attempts of one ticket, the latest last."""

    def __init__(self) -> None:
        self._by_state: OrderedDict[str, Registration] = OrderedDict()
        self._latest_at = 0.0
        # Since when the popup of each page has asked where to go on.
        self._asked_at: OrderedDict[bytes, float] = OrderedDict()
        # Re-entrant, because a widget may be collected anywhere, and cancels then.
        self._lock = threading.RLock()
        anew_in_child(self, _lock=threading.RLock)

    @property
    def is_empty(self) -> bool:
        """Whether no page has begun yet."""
        return not self._by_state

    def get(self, state: str) -> Registration | None:
        """Return the attempt with this state."""
        return self._by_state.get(state)

    def add(self, registration: Registration) -> None:
        """Keep an attempt, as the latest one."""
        with self._lock:
            if registration.state not in self._by_state:
                self._latest_at = time.monotonic()
            self._by_state[registration.state] = registration
            self._by_state.move_to_end(registration.state)
            while len(self._by_state) > MAX_REGISTRATIONS:
                self._by_state.popitem(last=False)

    def address_for(self, page_key: bytes) -> str | None:
        """Return where the popup of the page with this key goes on; None until that page has registered.

        One whose page was registered late, after a cell that kept the kernel busy, is told a moment later:
        its user may have tried again meanwhile, and the popup of an attempt that was left leads nowhere.

        Raises:
            HandOffError: ``state_mismatch`` if its attempt has had its answer, or another one came after it.
        """
        with self._lock:
            now = time.monotonic()
            asked_at = self._asked_at.setdefault(page_key, now)
            while len(self._asked_at) > MAX_REGISTRATIONS:
                self._asked_at.popitem(last=False)
            if all(one.page_key != page_key for one in self._by_state.values()):
                return None
            latest = next(reversed(self._by_state.values()))
            if latest.page_key != page_key or latest.callback_query is not None:
                raise HandOffError(code="state_mismatch")
            is_late = self._latest_at - asked_at > PROMPT
            return None if is_late and now - self._latest_at < SETTLING else latest.url

    def take_callback(self, state: str, query: str, provider: Provider) -> Registration | None:
        """Return the attempt that a callback belongs to, the first time it comes; else None.

        Raises:
            TokenTossError: ``issuer_missing`` or ``issuer_mismatch`` if the provider did not send it
                (RFC 9207); the attempt goes on waiting for the one that it did.
        """
        with self._lock:
            for registration in self._by_state.values():
                if same_text(state, registration.state):
                    if registration.callback_query is not None:
                        return None
                    require_issuer(query, provider)
                    registration.callback_query = query
                    return registration
        return None

    def of_page(self, page_token: str) -> Registration | None:
        """Return the attempt whose callback page holds this token."""
        with self._lock:
            for registration in self._by_state.values():
                if registration.callback_query is not None and same_text(page_token, registration.page_token):
                    return registration
        return None


class RegistersPages(Protocol):
    """A hand-off, as far as it matters here."""

    @property
    def registrations(self) -> Registrations:
        """The attempts so far."""

    @property
    def authorization_endpoint(self) -> str:
        """The address to which the popup may go on."""

    @property
    def client_id(self) -> str:
        """The client that signs in."""

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """Every address to which the provider may send the popup."""


def registration_of(hand_off: RegistersPages, *, origin: str | None, url: str, key: str) -> Registration:
    """Check what a notebook page says, or the start page in its name, and return the registration.

    Args:
        hand_off: The hand-off whose ticket the page named.
        origin: The page's origin, as the browser reported it to the start page; None for a page that
            says it to the kernel itself, and is answered the same way.
        url: The authorization request to which the popup is to go on.
        key: The page's own HPKE public key.

    Raises:
        HandOffError: ``page_origin_opaque`` or ``registration_refused``.
    """
    origin = None if origin is None else page_origin(origin)
    refused = HandOffError(code="registration_refused")
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


def _state_of_request(hand_off: RegistersPages, url: str) -> str | None:
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
