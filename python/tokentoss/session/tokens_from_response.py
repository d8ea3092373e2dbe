"""The tokens that are stored, made from a provider's answer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tokentoss.exceptions import IdTokenError
from tokentoss.oauth.id_token import LEEWAY, unverified_claims, validate_id_token
from tokentoss.session.scopes import granted_by
from tokentoss.storage.token_data import TokenData, iso_time

if TYPE_CHECKING:
    from tokentoss.oauth.id_token import IdTokenClaims
    from tokentoss.oauth.provider import Provider
    from tokentoss.oauth.token_response import TokenResponse
    from tokentoss.oauth.userinfo import Identity


UNKNOWN_LIFETIME = 3600.0
"""Seconds that an access token is taken to live if the provider does not say."""


SAFE_TO_KEEP = frozenset(
    {
        "clock_skew",
        "id_token_expired",
        "id_token_expiry_invalid",
        "id_token_issued_at_invalid",
        "id_token_key_unknown",
        "id_token_older",
    }
)
"""What may be wrong with a renewed ID token that is the right user's: a clock, or keys not yet published."""


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
    tokens = tokens_of_identity(
        response,
        claims,
        provider=provider,
        client_id=client_id,
        requested_scopes=requested_scopes,
        # The page's clock may be wrong; the provider's, in the ID token, was just found to agree with ours.
        received_at=min(time.time(), max(received_at or 0.0, claims.issued_at)),
    )
    return replace(tokens, id_token=response.id_token or "", signature_checked=claims.signature_checked)


def tokens_of_identity(
    response: TokenResponse,
    identity: Identity | IdTokenClaims,
    *,
    provider: Provider,
    client_id: str,
    requested_scopes: list[str],
    received_at: float,
) -> TokenData:
    """Build what is stored from an answer to an authorization code, but for its ID token.

    Args:
        response: The answer.
        identity: Whose it is, as the provider says.
        provider: Who gave it.
        client_id: For whom.
        requested_scopes: Granted unless the answer says otherwise (RFC 6749 section 5.1).
        received_at: When the answer arrived, in Unix seconds of this machine's clock.
    """
    now = time.time()
    return TokenData(
        access_token=response.access_token,
        id_token="",
        refresh_token=response.refresh_token or "",
        expiry=iso_time(received_at + lifetime_of(response, provider)),
        scopes=granted_by(response, provider, requested_scopes),
        user_email=identity.email,
        created_at=iso_time(now),
        connected_at=iso_time(now),
        updated_at=iso_time(now),
        login=identity.login,
        name=identity.name,
        issuer=provider.issuer,
        subject=identity.subject,
        client_id=client_id,
        token_endpoint=provider.token_endpoint,
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
        expiry=iso_time(time.time() + lifetime_of(response, provider)),
        scopes=granted_by(response, provider, list(before.scopes)),
        client_id=client_id,
        token_endpoint=provider.token_endpoint,
        updated_at=iso_time(time.time()),
    )
    if response.id_token is None or not provider.openid_connect:
        return after
    claims = validate_id_token(
        response.id_token, provider=provider, client_id=client_id, access_token=response.access_token
    )
    previous = unverified_claims(before.id_token) if before.id_token else {}
    if claims.subject != previous.get("sub", before.subject):
        raise IdTokenError(code="id_token_subject_mismatch")
    if claims.nonce is not None and claims.nonce != previous.get("nonce"):
        raise IdTokenError(code="id_token_nonce_mismatch")
    if claims.issued_at < previous.get("iat", 0) - LEEWAY:
        # Servers of one provider have clocks of their own.
        raise IdTokenError(code="id_token_older")
    return replace(
        after,
        id_token=response.id_token,
        user_email=claims.email or before.user_email,
        login=claims.login or before.login,
        name=claims.name or before.name,
        issuer=claims.issuer,
        subject=claims.subject,
        signature_checked=claims.signature_checked,
    )


def rotated_only(before: TokenData, response: TokenResponse, code: str) -> TokenData | None:
    """Return the old tokens with the new refresh token, for an answer whose ID token was refused.

    The old refresh token may be worth nothing any more (RFC 6749 section 6), so the new one must not
    be lost over a clock. If the ID token leaves a doubt whose it is, nothing of the answer is kept.

    Args:
        before: The tokens that were to be renewed.
        response: The answer.
        code: Why the ID token was refused.
    """
    if response.refresh_token in {None, before.refresh_token} or code not in SAFE_TO_KEEP:
        return None
    old, new = unverified_claims(before.id_token), unverified_claims(response.id_token or "")
    if (old.get("iss"), old.get("sub")) != (new.get("iss"), new.get("sub")):
        return None
    return rotated(before, response.refresh_token or "")


def rotated(before: TokenData, refresh_token: str) -> TokenData:
    """Return tokens with another refresh token, which is all that is known of their renewal.

    ``updated_at`` stays: it says how old the access token is.
    """
    return replace(before, refresh_token=refresh_token)


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
    is_own = provider.has_issued(claims) and provider.allows_tenant(claims)
    if (
        not (is_own if "iss" in claims else tokens.issuer in {None, "", provider.issuer})
        or client_id not in audiences
        or tokens.client_id not in {None, client_id}
        or tokens.token_endpoint not in {None, provider.token_endpoint}
        or (hosted_domain is not None and claims.get("hd") != hosted_domain)
    ):
        return None
    subject = claims.get("sub", tokens.subject)
    return replace(
        tokens,
        issuer=provider.issuer,
        subject=subject if isinstance(subject, str) else None,
        client_id=client_id,
        token_endpoint=provider.token_endpoint,
    )


def lifetime_of(response: TokenResponse, provider: Provider) -> float:
    """Return how long the access token lives, in seconds."""
    if response.expires_in is not None:
        return response.expires_in
    return provider.access_token_lifetime or UNKNOWN_LIFETIME
