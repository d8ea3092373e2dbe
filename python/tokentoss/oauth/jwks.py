"""The keys that a provider publishes (JWK Set, RFC 7517): fetched, cached, refetched with restraint."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from contextlib import suppress

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from tokentoss.exceptions import IdTokenError
from tokentoss.util.failures import TransportError
from tokentoss.util.forks import anew_in_child
from tokentoss.util.http import call

logger = logging.getLogger(__name__)

DEFAULT_LIFETIME = 3600.0
"""Seconds that keys are used if the provider does not say."""

LIFETIME_BOUNDS = (300.0, 86_400.0)
"""Shortest and longest lifetime in seconds that a provider's Cache-Control may ask for."""

COOLDOWN = 30.0
"""Seconds between two fetches that unknown key ids cause."""

DEADLINE = 6.0
"""Seconds that a fetch may take, because a user waits for it."""

MAX_SIZE = 524_288
"""Largest key set that is read, in bytes."""

SMALLEST_RSA_KEY = 2048
"""Bits of the smallest RSA key whose signatures count (RFC 7518 sections 3.3 and 3.5)."""

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,;])", re.IGNORECASE)


class KeysUnreachableError(Exception):
    """The keys could not be fetched, so a signature can be neither confirmed nor denied."""


class PublishedKeys:
    """The signing keys of one provider.

    Args:
        jwks_uri: Where the provider publishes them.
    """

    def __init__(self, jwks_uri: str) -> None:
        self.jwks_uri = jwks_uri
        self._lock = threading.Lock()
        anew_in_child(self, _lock=threading.Lock)
        self._keys: list[jwt.PyJWK] = []
        self._fresh_until = 0.0
        self._refetched_at: float | None = None

    def prefetch(self) -> None:
        """Fetch the keys unless they are fresh, so that a later check need not wait."""
        try:
            self._current()
        except KeysUnreachableError:
            logger.debug("the keys at %s could not be fetched ahead of their use", self.jwks_uri)

    def candidates(self, key_id: str | None, algorithm: str) -> list[jwt.PyJWK]:
        """Return the keys that may have made a signature.

        A key id that is not in the set causes one more fetch, at most one in 30 seconds, because the
        provider may have rotated its keys. Without a key id, all keys of the algorithm are candidates.

        Raises:
            KeysUnreachableError: If there are no keys at all, because they cannot be fetched.
            IdTokenError: ``id_token_key_unknown`` if the provider publishes no such key.
        """
        found = _matching(self._current(), key_id, algorithm)
        if not found:
            found = _matching(self._refetched(), key_id, algorithm)
        if not found:
            raise IdTokenError(code="id_token_key_unknown")
        return found

    def _current(self) -> list[jwt.PyJWK]:
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                try:
                    self._fetch()
                except KeysUnreachableError:
                    # Keys that are merely past their lifetime still tell a forgery from the real thing.
                    if not self._keys:
                        raise
            return self._keys

    def _refetched(self) -> list[jwt.PyJWK]:
        with self._lock:
            now = time.monotonic()
            if self._refetched_at is None or now - self._refetched_at >= COOLDOWN:
                self._refetched_at = now
                # The keys at hand decide: whoever can cut the network must not switch the check off.
                with suppress(KeysUnreachableError):
                    self._fetch()
            return self._keys

    def _fetch(self) -> None:
        try:
            answer = call("GET", self.jwks_uri, max_bytes=MAX_SIZE, deadline=DEADLINE)
        except TransportError:
            raise KeysUnreachableError from None
        document = answer.json_object() if answer.status == 200 else None  # noqa: PLR2004
        published = document.get("keys") if document is not None else None
        if not isinstance(published, list):
            raise KeysUnreachableError
        self._keys = [key for key in map(_usable, published) if key is not None]
        match = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
        shortest, longest = LIFETIME_BOUNDS
        lifetime = min(max(float(match[1]), shortest), longest) if match else DEFAULT_LIFETIME
        self._fresh_until = time.monotonic() + lifetime


_published: dict[str, PublishedKeys] = {}
_published_lock = threading.Lock()
anew_in_child(sys.modules[__name__], _published_lock=threading.Lock)


def published_keys(jwks_uri: str) -> PublishedKeys:
    """Return this process's keys of an address, shared by all who check signatures."""
    with _published_lock:
        return _published.setdefault(jwks_uri, PublishedKeys(jwks_uri))


def _usable(entry: object) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or entry.get("kty") == "oct" or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK.from_dict(entry)
    except (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError):
        # A provider may publish keys of kinds that are not supported here, beside others that are.
        return None
    if isinstance(key.key, rsa.RSAPublicKey) and key.key.key_size < SMALLEST_RSA_KEY:
        logger.warning("an RSA key of %d bits is too short and is not used", key.key.key_size)
        return None
    return key


def _matching(keys: list[jwt.PyJWK], key_id: str | None, algorithm: str) -> list[jwt.PyJWK]:
    family = _family(algorithm)
    return [
        key
        for key in keys
        if _family(key.algorithm_name) == family and (key_id is None or key.key_id == key_id)
    ]


def _family(algorithm: str) -> str:
    # An RSA key without "alg" counts as RS256 there, but signs PS256 as well; a curve is part of the name.
    return "RSA" if algorithm.startswith(("RS", "PS")) else algorithm
