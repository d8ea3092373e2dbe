"""Scopes: which were granted, and which of those asked for were not (RFC 6749 section 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.oauth.provider import Provider
    from tokentoss.oauth.token_response import TokenResponse
    from tokentoss.storage.token_data import TokenData


def granted_by(response: TokenResponse, provider: Provider, otherwise: list[str]) -> list[str]:
    """Return the scopes that an answer of a token endpoint grants.

    Args:
        response: The answer.
        provider: Who gave it.
        otherwise: What is granted if the answer does not say (section 5.1).
    """
    if response.scopes is None:
        return list(otherwise)
    if provider.scope_separator == " ":
        return list(response.scopes)
    return [scope for text in response.scopes for scope in text.split(provider.scope_separator) if scope]


def missing_from(tokens: TokenData, requested: Iterable[str], provider: Provider) -> list[str]:
    """Return the requested scopes that tokens do not carry.

    ``openid`` and ``offline_access`` show in what they bring, an ID token and a refresh token; not every
    provider repeats them.
    """
    granted = list(tokens.scopes)
    if tokens.id_token:
        granted.append("openid")
    if tokens.refresh_token:
        granted.append("offline_access")
    return not_among(granted, requested, provider)


def not_among(granted: Iterable[str], requested: Iterable[str], provider: Provider) -> list[str]:
    """Return the requested scopes that are not granted, under the provider's own names either."""
    known = set(granted)
    return [
        scope
        for scope in dict.fromkeys(requested)
        if scope not in known and provider.scope_aliases.get(scope) not in known
    ]


def joined(scopes: Iterable[str], more: Iterable[str]) -> list[str]:
    """Return scopes and more scopes, each once and in their order."""
    return list(dict.fromkeys([*scopes, *more]))
