"""What an auth manager holds while somebody is signed in, and how it is made from a provider's answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tokentoss.exceptions import IdTokenError
from tokentoss.id_token import expiry_of, unverified_claims, validate_id_token
from tokentoss.tokens import TokenData, iso_time

if TYPE_CHECKING:
    from tokentoss.id_token import IdTokenClaims
    from tokentoss.providers import Provider
    from tokentoss.token_endpoint import TokenResponse

UNKNOWN_LIFETIME = 3600.0
"""Seconds that an access token is taken to live if the provider does not say."""


@dataclass(frozen=True)
class Session:
    """Tokens together with the ID token's own expiry, swapped as one."""

    tokens: TokenData = field(repr=False)
    id_token_expires_at: float

    @classmethod
    def of(cls, tokens: TokenData) -> Session:
        """Wrap tokens."""
        return cls(tokens, expiry_of(tokens.id_token))

    @property
    def is_usable(self) -> bool:
        """Whether calls can be made with it, now or after a renewal."""
        return bool(self.tokens.refresh_token) or self.id_token_expires_at > time.time()

    def same_user_as(self, other: TokenData) -> bool:
        """Whether other tokens belong to the same user at the same issuer and client."""
        mine = self.tokens
        return (mine.issuer, mine.subject, mine.client_id) == (other.issuer, other.subject, other.client_id)


def tokens_of_sign_in(
    response: TokenResponse,
    claims: IdTokenClaims,
    *,
    provider: Provider,
    client_id: str,
    requested_scopes: list[str],
    received_at: float | None = None,
) -> TokenData:
    """Build what is stored from a validated answer to an authorization code.

    Args:
        response: The answer.
        claims: The claims of its ID token.
        provider: Who gave it.
        client_id: For whom.
        requested_scopes: Granted unless the answer says otherwise (RFC 6749 section 5.1).
        received_at: When the answer arrived, in Unix seconds of the receiver's clock.
    """
    now = time.time()
    # The page's clock may be wrong; the provider's, in the ID token, was just found to agree with ours.
    issued_at = min(now, max(received_at or 0.0, claims.issued_at))
    return TokenData(
        access_token=response.access_token,
        id_token=response.id_token or "",
        refresh_token=response.refresh_token or "",
        expiry=iso_time(issued_at + lifetime_of(response)),
        scopes=response.scopes if response.scopes is not None else list(requested_scopes),
        user_email=claims.email,
        created_at=iso_time(now),
        issuer=claims.issuer,
        subject=claims.subject,
        client_id=client_id,
        token_endpoint=provider.token_endpoint,
        signature_checked=claims.signature_checked,
    )


def tokens_of_refresh(
    before: TokenData, response: TokenResponse, *, provider: Provider, client_id: str
) -> TokenData:
    """Build what is stored from an answer to a refresh token (OpenID Connect Core 12.2).

    A refresh token or ID token that the answer leaves out stays as it was.

    Raises:
        IdTokenError: If a new ID token is of another user, another sign-in, or older.
        SignInError: ``clock_skew``.
    """
    after = replace(
        before,
        access_token=response.access_token,
        refresh_token=response.refresh_token or before.refresh_token,
        expiry=iso_time(time.time() + lifetime_of(response)),
        scopes=response.scopes if response.scopes is not None else list(before.scopes),
        client_id=client_id,
        token_endpoint=provider.token_endpoint,
    )
    if response.id_token is None:
        return after
    claims = validate_id_token(
        response.id_token, provider=provider, client_id=client_id, access_token=response.access_token
    )
    if before.id_token:
        previous = unverified_claims(before.id_token)
        if claims.subject != previous.get("sub"):
            raise IdTokenError(code="id_token_subject_missing")
        if claims.nonce is not None and claims.nonce != previous.get("nonce"):
            raise IdTokenError(code="id_token_nonce_mismatch")
        if claims.issued_at < previous.get("iat", 0):
            raise IdTokenError(code="id_token_issued_at_invalid")
    return replace(
        after,
        id_token=response.id_token,
        user_email=claims.email or before.user_email,
        issuer=claims.issuer,
        subject=claims.subject,
        signature_checked=claims.signature_checked,
    )


def belongs_here(
    tokens: TokenData, *, provider: Provider, client_id: str, hosted_domain: str | None
) -> TokenData | None:
    """Return stored tokens if they are of this provider and client, with their identity filled in.

    Files of version 0.1.1 name neither issuer nor client; there the ID token tells.
    """
    try:
        claims = unverified_claims(tokens.id_token) if tokens.id_token else {}
    except IdTokenError:
        return None
    audience = claims.get("aud", client_id)
    audiences = audience if isinstance(audience, list) else [audience]
    issuer = claims.get("iss", tokens.issuer or provider.issuer)
    if (
        issuer != provider.issuer
        or client_id not in audiences
        or tokens.client_id not in {None, client_id}
        or tokens.token_endpoint not in {None, provider.token_endpoint}
        or (hosted_domain is not None and claims.get("hd") != hosted_domain)
    ):
        return None
    subject = claims.get("sub", tokens.subject)
    return replace(
        tokens,
        issuer=issuer,
        subject=subject if isinstance(subject, str) else None,
        client_id=client_id,
        token_endpoint=provider.token_endpoint,
    )


def lifetime_of(response: TokenResponse) -> float:
    """Return how long the access token lives, in seconds."""
    return UNKNOWN_LIFETIME if response.expires_in is None else response.expires_in
