"""Accepting the answer to a sign-in: whose its tokens are, and what is stored of them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tokentoss.exceptions import IdTokenError
from tokentoss.oauth.id_token import validate_id_token
from tokentoss.oauth.userinfo import fetch_identity
from tokentoss.session.tokens_from_response import tokens_of_identity, tokens_of_sign_in
from tokentoss.storage.token_data import LATEST, iso_time

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider
    from tokentoss.oauth.token_response import TokenResponse
    from tokentoss.storage.token_data import TokenData


def identified_by_id_token(
    response: TokenResponse,
    *,
    provider: Provider,
    client_id: str,
    requested_scopes: list[str],
    hosted_domain: str | None,
    nonce: str | None,
    received_at: float | None,
) -> TokenData:
    """Return the tokens of an answer whose ID token holds what it must.

    Args:
        response: The answer.
        provider: Who gave it.
        client_id: For whom.
        requested_scopes: Granted unless the answer says otherwise (RFC 6749 section 5.1).
        hosted_domain: The domain that the user's account must belong to (claim ``hd``).
        nonce: The nonce of the authorization request.
        received_at: When the answer arrived, in Unix seconds of the receiver's clock.

    Raises:
        IdTokenError: If the ID token does not hold what it must.
        SignInError: ``clock_skew`` or ``hosted_domain_mismatch``.
    """
    if response.id_token is None:
        raise IdTokenError(code="id_token_missing")
    claims = validate_id_token(
        response.id_token,
        provider=provider,
        client_id=client_id,
        nonce=nonce,
        access_token=response.access_token,
        hosted_domain=hosted_domain,
    )
    return tokens_of_sign_in(
        response,
        claims,
        provider=provider,
        client_id=client_id,
        requested_scopes=requested_scopes,
        received_at=received_at,
    )


def identified_by_endpoint(
    response: TokenResponse, *, provider: Provider, client_id: str, requested_scopes: list[str]
) -> TokenData:
    """Return the tokens of an answer without an ID token; the identity endpoint says whose they are.

    Args:
        response: The answer.
        provider: Who gave it.
        client_id: For whom.
        requested_scopes: Granted unless the answer says otherwise (RFC 6749 section 5.1).

    Raises:
        TokenExchangeError: ``identity_unreachable`` or ``identity_invalid``.
    """
    received_at = time.time()
    return tokens_of_identity(
        response,
        fetch_identity(provider, response.access_token),
        provider=provider,
        client_id=client_id,
        requested_scopes=requested_scopes,
        received_at=received_at,
    )


def ending_after(tokens: TokenData, hours: float) -> TokenData:
    """Return the tokens of a sign-in with when it ends, for other processes, which may have other limits.

    Args:
        tokens: The tokens of the sign-in.
        hours: How long it lasts.
    """
    return replace(tokens, session_ends_at=iso_time(min(time.time() + hours * 3600, LATEST)))


def continued(tokens: TokenData, before: TokenData | None) -> TokenData:
    """Return the tokens of a sign-in with what only the account's earlier tokens hold.

    Google gives a refresh token with the first consent only.

    Args:
        tokens: The tokens of the sign-in.
        before: The earlier tokens of the same account, if there are any.
    """
    if before is None:
        return tokens
    return replace(
        tokens,
        refresh_token=tokens.refresh_token or before.refresh_token,
        connected_at=before.connected_at or before.created_at,
    )
