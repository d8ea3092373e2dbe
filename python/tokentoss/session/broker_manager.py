"""The auth manager of a sign-in whose refresh token a broker keeps."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tokentoss.broker.address import Broker
from tokentoss.broker.answers import AccountOfToken
from tokentoss.broker.client import BrokerClient
from tokentoss.broker.names import provider_name
from tokentoss.broker.tokens import BrokeredTokens
from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import ConfigurationError, NoCredentialsError, ReauthRequiredError, TokenTossError
from tokentoss.oauth.provider import GOOGLE
from tokentoss.session.app_host import is_shared
from tokentoss.session.broker_news import FollowsBroker
from tokentoss.session.broker_session import account_at, require_same_user, tokens_at
from tokentoss.session.sign_out import SignOutResult
from tokentoss.storage import MemoryStorage
from tokentoss.storage.accounts import Account
from tokentoss.util.secret_text import secret_or_none

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.broker.answers import Kind, ProviderToken
    from tokentoss.exceptions import StorageError
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.google_credentials import TokensOfUser
    from tokentoss.storage.token_data import TokenData


class BrokerManager(FollowsBroker):
    """Gives out the tokens of one account that a broker keeps: in memory only, and without a refresh token.

    It takes the place of an :class:`AuthManager`. An account that is connected already is found at the first
    use. From then on the manager stays with it until the sign-in ends.

    Args:
        broker: The broker or its address.
        provider: The provider; by default Google.
        scopes: What tokens must reach; by default what was granted.
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
        self.broker = Broker.of(broker)
        if is_shared() and not self.broker.names_user:
            raise ConfigurationError(code="broker_user_missing", subject=self.broker.url)
        self._name = account.subject if isinstance(account, Account) else account
        self._tokens = BrokeredTokens(
            self.broker, provider_name(self.broker, provider), scopes, account=self._name
        )
        self._began = 0.0
        super().__init__(
            ClientConfig(
                self.broker.url, auth_uri=provider.authorization_endpoint, token_uri=provider.token_endpoint
            ),
            storage=MemoryStorage(),
            scopes=scopes,
            provider=provider,
        )

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
    def asked_scopes(self) -> list[str] | None:
        """The scopes that somebody asked for; None for those of the broker's configuration."""
        is_asked = self._tokens.scopes is not None or self.scopes != list(self.provider.scopes)
        return list(self.scopes) if is_asked else None

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

        Raises:
            ReauthRequiredError: If the user has to sign in again.
            TokenRefreshError: If there is no valid token now.
        """
        self._tokens.forget()
        if self.provider.openid_connect:
            _ = self.id_token
        self.renew_access_token()
        tokens = self.token_data
        assert tokens is not None  # noqa: S101 - there was a token
        return tokens

    def renew_access_token(self) -> None:
        """See to a valid access token.

        Raises:
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If there is no valid token now.
        """
        if self.access_token is None:
            raise NoCredentialsError(subject=f"the broker {self.broker.url} ({self.why_signed_out})")

    @property
    def missing_scopes(self) -> list[str]:
        """The scopes that were asked for, and not granted; none before there was a token."""
        if self._tokens.scopes is None or self._tokens.held("access_token") is None:
            return []
        return super().missing_scopes

    def request_scopes(self, *scopes: str) -> list[str]:
        """Ask for these scopes, too, at the next sign-in, and return those that are not granted yet."""
        wanted = list(dict.fromkeys([*self.scopes, *scopes]))
        granted = self.granted_scopes
        self.scopes = wanted
        return [scope for scope in wanted if scope not in granted] if self.is_authenticated else []

    def connected(self, account: AccountOfToken) -> Account:
        """Use an account that was just connected, here and in whatever asks this manager."""
        self._tokens.scopes = self.asked_scopes
        self._tokens.account = account.id
        self._tokens.restart()
        self.last_error = None
        self._has_signed_out = False
        with suppress(TokenTossError):
            # What was granted is known with the first token.
            self._tokens.current("id_token" if self.provider.openid_connect else "access_token")
        whose = account_at(account, self.broker, self.provider)
        self._account_change.meet(whose)
        self._start(account)
        return whose

    def look(self) -> bool:
        """Ask the broker whether the account is connected already, and use it if it is.

        Raises:
            TokenTossError: If the broker cannot be asked, or does not say which of several accounts is meant.
        """
        if not self.is_authenticated and not self._has_signed_out:
            try:
                self._take(self._tokens.current("access_token"))
            except (NoCredentialsError, ReauthRequiredError) as nobody:
                if nobody.code == "account_ambiguous":
                    raise
                self.last_error = nobody
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
        for one in BrokerClient(self.broker).accounts(self.provider_name):
            whose = account_at(one, self.broker, self.provider)
            if one.status == "active" and (name in {one.id, one.subject} or whose.goes_by(name)):
                return self.connected(AccountOfToken(one.id, one.subject, one.email))
        raise NoCredentialsError(code="account_unknown", subject=name)

    def sign_out(self, revoke: bool = False) -> SignOutResult:
        """Have the broker forget the account, and with it every manager, widget and client of this process.

        Args:
            revoke: Whether the broker is to revoke the tokens at the provider, too. It does so later, until
                it succeeds; so the result does not say whether it has.
        """
        with suppress(TokenTossError):
            self.look()
        session, identifier = self._store.session, self._tokens.account
        self._account_change.expect(None)
        self._has_signed_out = True
        if session is None or identifier is None:
            return SignOutResult(None, removed=True, revoked=None)
        for manager in (*self._live.others(self), self):
            manager.forget_account(session.tokens)
        error: TokenTossError | None = None
        try:
            BrokerClient(self.broker).disconnect(identifier, revoke=revoke)
        except TokenTossError as failure:
            if failure.code != "not_connected":  # disconnected elsewhere
                self.last_error = error = failure
        return SignOutResult(Account.of(session.tokens), removed=error is None, revoked=None, error=error)

    def for_another_process(self) -> tuple[Callable[[Any], TokensOfUser], Any]:
        """Return what a pickle of the credentials holds: the broker's address, and the account.

        Raises:
            TypeError: If the broker object holds a key.
        """
        self.broker.__reduce__()
        return restored, (self.broker, self.provider, self._tokens.account)

    def forget_account(self, tokens: TokenData) -> StorageError | None:
        """Sign an account out of this manager, if it is the one in use."""
        session = self._store.session
        failure = super().forget_account(tokens)
        if session is not None and self._store.session is None:
            self._release()
        return failure

    def _current(self, kind: Kind) -> ProviderToken | None:
        if self._has_signed_out:
            return None
        try:
            return self._take(self._tokens.current(kind))
        except TokenTossError as failure:
            self._note(failure)
            if failure.code == "not_connected":
                return None
            raise

    def _after(self, kind: Kind, refused: str | None) -> ProviderToken | None:
        if self._store.session is None or refused is None:
            return None
        try:
            token = self._tokens.after(kind, refused)
            return None if token is None else self._take(token)
        except TokenTossError as failure:
            self._note(failure)
            raise

    def _take(self, token: ProviderToken) -> ProviderToken | None:
        """Make the newest tokens those of the session, which begins with the first; None if it ended."""
        session = self._store.session
        subject = session.tokens.subject if session is not None else None
        require_same_user(token, subject, self.provider, self.broker)
        self.last_error = None
        if self._has_signed_out:
            self._tokens.forget()
            return None
        if session is None:
            self._tokens.account = token.account.id
            self._account_change.meet(account_at(token.account, self.broker, self.provider))
            self._start(token.account)
        else:
            began = self._began
            self._store.use(tokens_at(token.account, self._tokens, self.broker, self.provider, began))
        return token

    def _start(self, account: AccountOfToken) -> None:
        self._began = time.time()
        tokens = tokens_at(account, self._tokens, self.broker, self.provider, self._began)
        session = self._store.sign_in(tokens)
        # Nothing of it is kept anywhere else than in use.
        self._store.storage.clear()
        self._begin(session)

    def _note(self, failure: TokenTossError) -> None:
        self.last_error = failure
        if failure.code == "broker_token_foreign":
            self._tokens.forget()
        is_over = isinstance(failure, ReauthRequiredError) or failure.code == "not_connected"
        if is_over and self._store.forget(self._store.session):
            self._release()
            self._ended()

    def _release(self) -> None:
        self._tokens.forget()
        self._tokens.account = self._name


class DetachedBrokerManager(BrokerManager):
    """A manager of clients that were given a broker: nobody else finds what it holds."""

    @property
    def signed_in_order(self) -> tuple[float, int] | None:
        """None: no other client chooses this session."""
        return None

    def _publish(self, *, only_if_free: bool = False) -> None:
        pass


def restored(stored: tuple[Broker, Provider, str | None]) -> DetachedBrokerManager:
    """Return a manager for credentials that another process pickled."""
    broker, provider, account = stored
    return DetachedBrokerManager(broker, provider, account=account)
