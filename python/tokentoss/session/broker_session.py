"""What a manager holds of an account that a broker keeps."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Protocol

from tokentoss.exceptions import TokenRefreshError
from tokentoss.oauth.id_token import unverified_claims
from tokentoss.session.scopes import not_among
from tokentoss.storage.accounts import Account
from tokentoss.storage.token_data import TokenData, iso_time
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import ProviderToken
    from tokentoss.broker.tokens import BrokeredTokens
    from tokentoss.oauth.provider import Provider


class SomeAccount(Protocol):
    """An account as any answer of a broker describes it."""

    @property
    def subject(self) -> str:
        """The user's identifier at the provider."""

    @property
    def email(self) -> str | None:
        """The e-mail address."""


def account_at(account: SomeAccount, broker: Broker, provider: Provider) -> Account:
    """Return an account of a broker as this package knows accounts."""
    connected_at = getattr(account, "connected_at", None)
    return Account(
        issuer=provider.issuer,
        subject=account.subject,
        email=account.email,
        connected_at=None if connected_at is None else datetime.fromtimestamp(connected_at, timezone.utc),
        client_id=broker.url,
    )


def tokens_at(
    account: SomeAccount, tokens: BrokeredTokens, broker: Broker, provider: Provider, began: float
) -> TokenData:
    """Return the tokens at hand of an account, by this machine's clock; there is no refresh token.

    Args:
        account: The account.
        tokens: Where the tokens are.
        broker: The broker, which stands for the client.
        provider: The provider.
        began: When this manager began to use the account, in Unix seconds.
    """
    access, identity = tokens.held("access_token"), tokens.held("id_token")
    left = None if access is None else access.left("access_token")
    now = time.time()
    return TokenData(
        access_token="" if access is None else access.access_token,
        id_token="" if identity is None else identity.id_token,
        refresh_token="",
        # Of a token whose end nobody knows, it is known that it is asked for anew soon.
        expiry=iso_time(now + (0.0 if access is None else 60.0 if left is None else left)),
        scopes=[] if access is None else list(access.scopes),
        user_email=account.email,
        created_at=iso_time(began),
        issuer=provider.issuer,
        subject=account.subject,
        client_id=broker.url,
        token_endpoint=provider.token_endpoint,
        updated_at=iso_time(now),
    )


def missing_at(granted: Iterable[str], requested: Iterable[str], provider: Provider) -> list[str]:
    """Return the requested scopes that a broker does not say were granted.

    What ``openid`` and ``offline_access`` bring, an ID token and a refresh token, is the broker's to have.
    """
    known = [*granted, "offline_access", *(["openid"] if provider.openid_connect else [])]
    return not_among(known, requested, provider)


def require_same_user(token: ProviderToken, subject: str | None, provider: Provider, broker: Broker) -> None:
    """Check that tokens are the account's, and their ID token is the provider's.

    Args:
        token: The tokens.
        subject: The user whose they must be; None while that is not known.
        provider: The provider.
        broker: Who gave them.

    Raises:
        TokenRefreshError: ``broker_token_foreign``.
        IdTokenError: ``id_token_malformed``.
    """
    is_foreign = subject is not None and token.account.subject != subject
    if token.id_token:
        claims = unverified_claims(Secret(token.id_token))
        is_foreign = is_foreign or claims.get("sub") != token.account.subject
        is_foreign = is_foreign or claims.get("iss") != provider.issuer
    if is_foreign:
        raise TokenRefreshError(code="broker_token_foreign", subject=f"The broker {broker.url}")
