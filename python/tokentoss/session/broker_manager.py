"""The auth manager of a sign-in whose refresh token a broker keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokentoss.broker.address import Broker
from tokentoss.broker.answers import AccountOfToken
from tokentoss.broker.client import BrokerClient
from tokentoss.broker.problem import AMBIGUOUS
from tokentoss.exceptions import (
    ConfigurationError,
    NoCredentialsError,
    ReauthRequiredError,
    TokenRefreshError,
)
from tokentoss.oauth.provider import GOOGLE
from tokentoss.session.app_host import is_shared
from tokentoss.session.broker_news import FollowsBroker
from tokentoss.session.broker_session import account_at, missing_at
from tokentoss.session.current_tokens import JUST_NOW
from tokentoss.session.scopes import joined
from tokentoss.storage.accounts import Account
from tokentoss.util.secret_text import secret_or_none

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.oauth.provider import Provider
    from tokentoss.session.google_credentials import TokensOfUser
    from tokentoss.storage.token_data import TokenData


class BrokerManager(FollowsBroker):
    """Gives out the tokens of one account that a broker keeps: in memory only, and without a refresh token.

    It takes the place of an :class:`AuthManager`. An account that is connected already is found at the first
    use. From then on the manager stays with it, also when its sign-in ends: it goes on as somebody else only
    if the user connects, chooses or suggests another account, here or elsewhere, after that.

    Args:
        broker: The broker or its address.
        provider: The provider; by default Google.
        scopes: What sign-ins ask for; by default what the broker's configuration says. Those that are not
            granted are in ``missing_scopes``.
        account: The account: its identifier at the broker, its subject or e-mail address. It is needed where
            several are connected.

    Raises:
        ConfigurationError: ``address_insecure``, ``broker_key_invalid``; or ``broker_user_missing`` in an app
            that several people use, if the broker object names no user.
    """

    def __init__(
        self,
        broker: Broker | str,
        provider: Provider = GOOGLE,
        *,
        scopes: list[str] | None = None,
        account: str | Account | None = None,
    ) -> None:
        at = Broker.of(broker)
        if is_shared() and not at.names_user:
            raise ConfigurationError(code="broker_user_missing", subject=at.url)
        name = account.subject if isinstance(account, Account) else account
        super().__init__(at, provider, scopes, name)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.broker!r}, provider={self.provider.name!r}, "
            f"is_authenticated={self.is_authenticated})"
        )

    @property
    def provider_name(self) -> str:
        """How the broker's configuration calls the provider."""
        return self._tokens.provider

    @property
    def is_authenticated(self) -> bool:
        """Whether an account is known to be connected: after a sign-in, or the first use."""
        return self._store.session is not None

    @property
    def id_token(self) -> str | None:
        """The ID token, asked for anew if it expires within four minutes; None if nobody is signed in.

        Raises:
            ConfigurationError: ``provider_without_id_tokens``, or if the broker refuses the caller.
            TokenRefreshError: If there is no valid token now.
        """
        if not self.provider.openid_connect:
            raise ConfigurationError(code="provider_without_id_tokens", subject=self.provider.name)
        token = self._current("id_token")
        return None if token is None else token.id_token

    @property
    def access_token(self) -> str | None:
        """The access token, asked for anew if it expires within four minutes; None if nobody is signed in.

        Raises:
            ConfigurationError: If the broker refuses the caller.
            TokenRefreshError: If there is no valid token now.
        """
        token = self._current("access_token")
        return None if token is None else token.access_token

    def id_token_after(self, refused: str) -> str | None:
        """Return another ID token than one that a service refused; None if there is none."""
        token = self._after("id_token", secret_or_none(refused))
        return None if token is None else token.id_token

    def access_token_after(self, refused: str) -> str | None:
        """Return another access token than one that a service refused; None if there is none."""
        token = self._after("access_token", secret_or_none(refused))
        return None if token is None else token.access_token

    def refresh_tokens(self) -> TokenData:
        """Ask the broker for current tokens, which it renews where that is due.

        While it cannot be asked, those at hand stay in use.

        Raises:
            NoCredentialsError: If nobody is signed in.
            ReauthRequiredError: If the user has to sign in again.
            TokenRefreshError: If there are no new tokens now.
        """
        # An access token comes with every ID token.
        token = self._current("id_token" if self.provider.openid_connect else "access_token", anew=True)
        tokens = self.token_data if token is not None else None
        if tokens is None:
            raise self._nobody()
        return tokens

    def renew_access_token(self) -> None:
        """Renew for a caller whose access token is about to expire, or was refused.

        A token that is still valid stays in use while the broker cannot renew it.

        Raises:
            NoCredentialsError: If nobody is signed in.
            ReauthRequiredError: If the user has to sign in again.
            TokenRefreshError: If there is no valid token now.
        """
        held = self._tokens.held("access_token")
        if held is not None and held.age >= JUST_NOW:
            try:
                self.access_token_after(held.access_token)
            except TokenRefreshError:
                if not self.is_authenticated:
                    raise
        if self.access_token is None:
            raise self._nobody()

    @property
    def missing_scopes(self) -> list[str]:
        """The scopes that were asked for, and not granted; none before there was a token."""
        tokens = self.token_data
        if self.asked_scopes is None or tokens is None or not tokens.access_token:
            return []
        return missing_at(tokens.scopes, self.scopes, self.provider)

    def request_scopes(self, *scopes: str) -> list[str]:
        """Ask for these scopes, too, at the next sign-in, and return those that are not granted yet."""
        self.scopes = joined(self.scopes, scopes)
        is_anybody = self.is_authenticated
        return missing_at(self.granted_scopes, self.scopes, self.provider) if is_anybody else []

    def look(self) -> bool:
        """Ask the broker whether the account is connected already, and use it if it is.

        Raises:
            TokenTossError: If the broker cannot be asked, or does not say which of several accounts is meant.
        """
        if not self.is_authenticated and not self._has_signed_out:
            tokens = self._tokens
            try:
                self._take(tokens.current("access_token"), tokens)
            except (NoCredentialsError, ReauthRequiredError) as nobody:
                if nobody.code == AMBIGUOUS:
                    raise
                self._note(nobody, tokens)
        return self.is_authenticated

    def reload(self) -> None:
        """Ask the broker again if nobody is signed in."""
        self.look()

    def accounts(self) -> list[Account]:
        """Return the accounts that are connected at the broker.

        Raises:
            TokenTossError: If the broker cannot be asked.
        """
        found = BrokerClient(self.broker).accounts(self.provider_name)
        return [account_at(one, self.broker, self.provider) for one in found if one.status == "active"]

    def use_account(self, account: str | Account) -> Account:
        """Use another connected account from now on.

        Raises:
            NoCredentialsError: ``account_unknown``; the account in use stays.
        """
        name = account.subject if isinstance(account, Account) else account
        listed = BrokerClient(self.broker).accounts(self.provider_name)
        self._note_listed(listed)
        for one in listed:
            whose = account_at(one, self.broker, self.provider)
            if one.status == "active" and (name in {one.id, one.subject} or whose.goes_by(name)):
                return self.connected(AccountOfToken(one.id, one.subject, one.email))
        raise NoCredentialsError(code="account_unknown", subject=name)

    def for_another_process(self) -> tuple[Callable[[Any], TokensOfUser], Any]:
        """Return what a pickle of the credentials holds: the broker's address, and the account.

        Raises:
            TypeError: If the broker object holds a key.
        """
        self.broker.__reduce__()
        return restored, (self.broker, self.provider, self._tokens.account, self._has_signed_out)

    def _nobody(self) -> NoCredentialsError:
        return NoCredentialsError(subject=f"the broker {self.broker.url} ({self.why_signed_out})")


class DetachedBrokerManager(BrokerManager):
    """A manager of clients that were given a broker: nobody else finds what it holds.

    Attributes:
        shared_as: What the clients that share it were given.
    """

    shared_as: tuple[object, ...] = ()

    @property
    def signed_in_order(self) -> tuple[float, int] | None:
        """None: no other client chooses this session."""
        return None

    def _publish(self, *, only_if_free: bool = False) -> None:
        pass


def restored(stored: tuple[Broker, Provider, str | None, bool]) -> DetachedBrokerManager:
    """Return a manager for credentials that another process pickled; one that had signed out stays so."""
    broker, provider, account, has_signed_out = stored
    manager = DetachedBrokerManager(broker, provider, account=account)
    manager._has_signed_out = has_signed_out  # noqa: SLF001 - its own module
    return manager
