"""What the demo's provider remembers: requests that wait for the user, codes, and who has which token."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from tokentoss.util.base64url import b64url
from tokentoss.util.constant_time import same_text

if TYPE_CHECKING:
    from collections.abc import Mapping

Kept = TypeVar("Kept")

CLIENT_ID = "tokentoss-demo"
"""The only client."""

ASKED_FOR, CODE, TOKEN = 600.0, 60.0, 3600.0
"""Seconds for which a request waits for the user, a code can be redeemed, and an access token is good."""

_MOST = 1000
_LONGEST_EMAIL = 100


@dataclass(frozen=True)
class Asked:
    """An authorization request that is in order."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    scope: str
    login_hint: str


@dataclass(frozen=True)
class Grant:
    """What a user allowed."""

    email: str
    asked: Asked

    @property
    def subject(self) -> str:
        """The same for the same e-mail address, also in the next demo."""
        return hashlib.sha256(self.email.encode()).hexdigest()[:16]

    def is_redeemed_by(self, verifier: str, redirect_uri: str) -> bool:
        """Tell whether a code of this grant is redeemed by who asked for it (RFC 7636 section 4.6)."""
        challenge = b64url(hashlib.sha256(verifier.encode()).digest())
        return same_text(challenge, self.asked.challenge) and redirect_uri == self.asked.redirect_uri


class OneUse(Generic[Kept]):
    """Things under random names, each to be taken once, until it ends.

    Args:
        life: Seconds until then.
    """

    def __init__(self, life: float) -> None:
        self._life = life
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Kept]] = {}

    def keep(self, thing: Kept) -> str:
        """Keep a thing, and return its name."""
        name = secrets.token_urlsafe(24)
        with self._lock:
            if len(self._kept) >= _MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = (time.monotonic() + self._life, thing)
        return name

    def see(self, name: str) -> Kept | None:
        """Return the thing of that name, and keep it."""
        with self._lock:
            ends, thing = self._kept.get(name, (0.0, None))
        return thing if time.monotonic() < ends else None

    def take(self, name: str) -> Kept | None:
        """Return the thing of that name, which is gone then."""
        thing = self.see(name)
        with self._lock:
            return None if self._kept.pop(name, None) is None else thing


def asked_by(query: Mapping[str, str]) -> Asked | str:
    """Return the request of an authorization URL, or what is wrong with it."""
    redirect_uri = query.get("redirect_uri", "")
    wrong = {
        "client_id is not that of the demo": query.get("client_id") != CLIENT_ID,
        "redirect_uri is not on this computer": not _is_on_loopback(redirect_uri),
        "response_type is not code": query.get("response_type") != "code",
        "code_challenge_method is not S256": query.get("code_challenge_method") != "S256",
        "code_challenge is missing": not query.get("code_challenge"),
        "scope does not hold openid": "openid" not in query.get("scope", "").split(),
        "state is missing": not query.get("state"),
    }
    for problem, is_met in wrong.items():
        if is_met:
            return problem
    names = {"challenge": "code_challenge"}
    return Asked(**{name: query.get(names.get(name, name), "") for name in Asked.__dataclass_fields__})


def email_of(text: str) -> str | None:
    """Return an e-mail address that somebody chose; None if it is none."""
    text = text.strip().lower()
    name, at, host = text.partition("@")
    is_good = name and at and host and "@" not in host and text.isprintable() and " " not in text
    return text if is_good and len(text) <= _LONGEST_EMAIL else None


def _is_on_loopback(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    is_plain = parts.scheme == "http" and not parts.fragment and parts.username is None
    return is_plain and host in {"127.0.0.1", "localhost", "::1"}
