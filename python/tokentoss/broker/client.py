"""The routes of a broker, for server applications and for the rest of this package."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tokentoss.broker.address import Broker
from tokentoss.broker.answers import (
    Authorization,
    ConnectedAccount,
    Progress,
    ProviderToken,
    Way,
    read_account,
    read_accounts,
    read_authorization,
    read_progress,
    read_token,
)
from tokentoss.broker.calls import ask
from tokentoss.exceptions import ConfigurationError
from tokentoss.util.base64url import b64url
from tokentoss.util.http import DEADLINE
from tokentoss.util.secret import Secret
from tokentoss.util.secret_text import secret_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_WAIT = 25
"""Seconds that a broker holds back its answer at most, while nothing changes."""


class BrokerClient:
    """Asks a broker for tokens, and for what it knows of accounts. It keeps none of them.

    Args:
        broker: The broker or its address; by default that of ``TOKENTOSS_BROKER``.
        key: The caller's key; see :class:`tokentoss.broker.Broker`.

    Raises:
        ConfigurationError: ``address_insecure``, ``broker_key_invalid``, or ``broker_missing`` if no broker
            is named anywhere.
    """

    def __init__(self, broker: Broker | str | None = None, key: str | None = None) -> None:
        key = secret_or_none(key)
        chosen = Broker.of_environment() if broker is None else broker
        if chosen is None:
            raise ConfigurationError(code="broker_missing")
        if key is not None:
            base = Broker.of(chosen)
            chosen = Broker(base.url, key, tenant=base.tenant, user=base.user, provider=base.provider)
        self.broker = Broker.of(chosen)

    def __repr__(self) -> str:
        # A traceback may show one whose arguments were refused.
        return f"BrokerClient({vars(self).get('broker')!r})"

    def get_valid_provider_access_token(
        self,
        provider: str,
        *,
        tenant: str | None = None,
        user: str | None = None,
        scopes: Iterable[str] | None = None,
        min_ttl: int | None = None,
        account: str | None = None,
        audience: str | None = None,
        rejected: str | None = None,
        id_token: bool = False,
        patience: float | None = None,
    ) -> ProviderToken:
        """Return an access token that lives for a while yet.

        Args:
            provider: The provider's name in the broker's configuration.
            tenant: For which tenant; by default that of the broker object, or of the key.
            user: For which user.
            scopes: What the token must reach.
            min_ttl: Seconds that it must have left; by default 240, or a third of its life.
            account: Identifier, subject or e-mail address, where several accounts are connected.
            audience: The one service that the token is for (RFC 8707); the broker's administrator allows it.
            rejected: A token that a service refused. Its hash is sent, and it is not given out again.
            id_token: Whether an ID token is wanted as well; ``min_ttl`` and ``rejected`` are about it then.
            patience: Seconds in which the call is tried again after a passing failure; by default six.

        Raises:
            NoCredentialsError: ``not_connected``: the user has to sign in.
            ReauthRequiredError: ``reauth_required`` or ``scope_missing``: the user has to sign in again.
            TokenRefreshError: If there is no token now.
            ConfigurationError: If the broker refuses the caller or the request; ``argument_invalid`` for an
                empty tenant or user, which would stand for somebody else.
        """
        rejected = secret_or_none(rejected)
        members: dict[str, Any] = {
            "provider": provider,
            "account": account,
            "scopes": None if scopes is None else list(scopes),
            "audience": audience,
            "min_ttl": min_ttl,
            "rejected": None if rejected is None else hash_of(rejected),
            "id_token": id_token or None,
        }
        broker = self._for(tenant, user)
        answer = ask(broker, "POST", "/v1/token", _given(members), patience=patience)
        return read_token(answer, broker.url, with_id_token=id_token)

    def accounts(
        self,
        provider: str | None = None,
        *,
        tenant: str | None = None,
        user: str | None = None,
        patience: float | None = None,
    ) -> list[ConnectedAccount]:
        """Return the connected accounts of a user.

        Args:
            provider: Only those at this provider.
            tenant: Of which tenant.
            user: Of which user.
            patience: Seconds in which the call is tried again after a passing failure; by default six.
        """
        broker = self._for(tenant, user)
        query = "" if provider is None else "?" + urlencode({"provider": provider})
        return read_accounts(ask(broker, "GET", "/v1/accounts" + query, patience=patience), broker.url)

    def account(
        self, account: str, *, tenant: str | None = None, user: str | None = None
    ) -> ConnectedAccount:
        """Return one connected account.

        Raises:
            NoCredentialsError: ``not_connected`` if the user has none of this identifier.
        """
        broker = self._for(tenant, user)
        return read_account(ask(broker, "GET", _path("accounts", account)), broker.url)

    def disconnect(
        self, account: str, *, revoke: bool = True, tenant: str | None = None, user: str | None = None
    ) -> None:
        """Have the broker forget an account's tokens at once.

        Args:
            account: The account's identifier.
            revoke: Whether the broker is to revoke them at the provider, too, as soon as it can.
            tenant: Of which tenant.
            user: Of which user.

        Raises:
            NoCredentialsError: ``not_connected`` if the user has none of this identifier.
        """
        query = "" if revoke else "?revoke=false"
        ask(self._for(tenant, user), "DELETE", _path("accounts", account) + query)

    def begin(
        self,
        provider: str,
        *,
        scopes: Iterable[str] | None = None,
        login_hint: str | None = None,
        page_origin: str | None = None,
        kernel: str | None = None,
        way: Way | None = None,
    ) -> Authorization:
        """Begin a sign-in.

        Args:
            provider: The provider's name in the broker's configuration.
            scopes: What to ask for.
            login_hint: The account that the provider should suggest.
            page_origin: The origin of the notebook page.
            kernel: What the broker's page calls the kernel.
            way: How it is to run; by default as the broker's configuration says.
        """
        members: dict[str, Any] = {
            "provider": provider,
            "scopes": None if scopes is None else list(scopes),
            "login_hint": login_hint,
            "page_origin": page_origin,
            "kernel": kernel,
            "way": way,
        }
        # A second one, after a lost answer, ends unused.
        answer = ask(self.broker, "POST", "/v1/authorizations", _given(members))
        return read_authorization(answer, self.broker.url)

    def progress(self, authorization: str, *, wait: int = 0, known: str = "pending") -> Progress:
        """Return how far a sign-in is.

        Args:
            authorization: Its identifier.
            wait: Seconds to wait for a change, 25 at most.
            known: The status that the caller knows; another one is told at once.
        """
        path = _path("authorizations", authorization)
        if wait:
            path += f"?wait={wait}&known={known}"
        answer = ask(self.broker, "GET", path, patience=0.0, deadline=DEADLINE + wait)
        return read_progress(answer, self.broker.url)

    def confirm(self, authorization: str, confirmation: str) -> Progress:
        """Confirm a sign-in with the code that its window shows.

        Raises:
            SignInError: ``confirmation_wrong``; the fifth ends the sign-in.
        """
        confirmation = Secret(confirmation)
        path = _path("authorizations", authorization) + "/confirm"
        # Not repeated: a wrong one counts each time.
        answer = ask(self.broker, "POST", path, {"confirmation": confirmation}, patience=0.0)
        return read_progress(answer, self.broker.url)

    def deposit(self, authorization: str, sealed: str) -> Progress:
        """Hand over a code that a page sealed to the broker; it can be redeemed once."""
        path = _path("authorizations", authorization) + "/deposit"
        answer = ask(self.broker, "POST", path, {"sealed": sealed}, patience=0.0, deadline=2 * DEADLINE)
        return read_progress(answer, self.broker.url)

    def give_up(self, authorization: str) -> None:
        """Give a sign-in up."""
        ask(self.broker, "DELETE", _path("authorizations", authorization), patience=0.0)

    def _for(self, tenant: str | None, user: str | None) -> Broker:
        return self.broker if tenant is None and user is None else self.broker.for_user(tenant, user)


def hash_of(token: str) -> str:
    """Return the hash by which a broker knows a token: SHA-256 in base64url."""
    token = Secret(token)
    return b64url(sha256(token.encode("utf-8", "surrogatepass")).digest())


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _path(collection: str, identifier: str) -> str:
    return f"/v1/{collection}/{quote(identifier, safe='')}"
