"""What an auth manager holds while somebody is signed in."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from tokentoss.oauth.id_token import times_of
from tokentoss.storage.token_data import TokenData, same_tokens, utc_time

DEFAULT_MAX_SESSION_LIFETIME_HOURS = 24
"""Hours after which a sign-in is no longer used, unless a manager is told otherwise."""

MARGIN = 240.0
"""Seconds before its expiry at which a token is renewed; half its life, if it lives less than twice that."""


@dataclass(frozen=True)
class Session:
    """Tokens with what is read from them on every use, swapped as one."""

    tokens: TokenData = field(repr=False)
    id_token_expires_at: float
    access_token_expires_at: float = 0.0
    id_token_due_at: float = 0.0
    access_token_due_at: float = 0.0
    signed_in_at: float | None = None
    stored: TokenData | None = field(default=None, repr=False)

    @classmethod
    def of(cls, tokens: TokenData) -> Session:
        """Wrap tokens that are stored."""
        return cls.beside(tokens, tokens)

    @classmethod
    def beside(cls, tokens: TokenData, stored: TokenData | None) -> Session:
        """Wrap tokens.

        Args:
            tokens: The tokens.
            stored: What the storage holds of the same grant, as far as is known; None for nothing yet.
        """
        issued_at, id_token_expires_at = times_of(tokens.id_token)
        access_token_expires_at = tokens.expiry_datetime.timestamp()
        changed = tokens.updated_at or tokens.created_at
        obtained_at = None if changed is None else utc_time(changed).timestamp()
        signed_in = tokens.created_at_datetime
        return cls(
            tokens,
            id_token_expires_at,
            access_token_expires_at,
            due_at(id_token_expires_at, issued_at),
            due_at(access_token_expires_at, obtained_at),
            None if signed_in is None else signed_in.timestamp(),
            stored,
        )

    @property
    def is_stored(self) -> bool:
        """Whether the storage holds these tokens, as far as is known."""
        return self.stored is not None and same_tokens(self.stored, self.tokens)

    @property
    def is_usable(self) -> bool:
        """Whether calls can be made with it, now or after a renewal."""
        # Without OpenID Connect there is no ID token to wait for.
        expires_at = self.id_token_expires_at if self.tokens.id_token else self.access_token_expires_at
        return bool(self.tokens.refresh_token) or expires_at > time.time()

    def ends_within(self, hours: float) -> float | None:
        """Return when the user counts as signed in no longer, in Unix seconds; None if nobody knows.

        Args:
            hours: Age at which a sign-in is no longer used.
        """
        ends = [] if self.signed_in_at is None else [self.signed_in_at + hours * 3600]
        if not self.tokens.refresh_token:
            ends.append(self.id_token_expires_at if self.tokens.id_token else self.access_token_expires_at)
        end = min(ends, default=math.inf)
        return end if math.isfinite(end) else None

    def is_older_than(self, hours: float) -> bool:
        """Tell whether the user signed in longer ago than this; version 0.1.1 did not always say."""
        return self.signed_in_at is not None and time.time() - self.signed_in_at > hours * 3600

    @property
    def ends_at(self) -> float | None:
        """When the sign-in ends by its own terms, in Unix seconds; None if nobody knows when it began."""
        if self.tokens.session_ends_at is not None:
            return utc_time(self.tokens.session_ends_at).timestamp()
        if self.signed_in_at is None:
            return None
        return self.signed_in_at + DEFAULT_MAX_SESSION_LIFETIME_HOURS * 3600

    @property
    def lifetime_hours(self) -> float:
        """How long the sign-in lasts by its own terms."""
        if self.ends_at is None or self.signed_in_at is None:
            return DEFAULT_MAX_SESSION_LIFETIME_HOURS
        return (self.ends_at - self.signed_in_at) / 3600

    @property
    def has_ended(self) -> bool:
        """Whether the sign-in has ended by its own terms, whatever limit anybody else has."""
        ends_at = self.ends_at
        return ends_at is not None and time.time() > ends_at

    @property
    def is_signed_in(self) -> bool:
        """Whether the user counts as signed in: calls can be made, and the sign-in has not ended."""
        return self.is_usable and not self.has_ended


def id_token_is_due(session: Session) -> bool:
    """Tell whether the ID token is to be renewed."""
    return time.time() >= session.id_token_due_at


def access_token_is_due(session: Session) -> bool:
    """Tell whether the access token is to be renewed."""
    return time.time() >= session.access_token_due_at


def any_token_is_due(session: Session) -> bool:
    """Tell whether either token is to be renewed, as far as the session has them."""
    return (bool(session.tokens.id_token) and id_token_is_due(session)) or access_token_is_due(session)


def due_at(expires_at: float, issued_at: float | None) -> float:
    """Return when a token is to be renewed, in Unix seconds, from its expiry and when it was issued."""
    lifetime = expires_at - issued_at if issued_at is not None else 2 * MARGIN
    return expires_at - (min(MARGIN, lifetime / 2) if lifetime > 0 else MARGIN)
