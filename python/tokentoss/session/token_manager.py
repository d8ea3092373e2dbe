"""Keeping the tokens of one client: using, renewing and storing them, and signing out."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from tokentoss.exceptions import (
    NoCredentialsError,
    ReauthRequiredError,
    StorageError,
    TokenRefreshError,
)
from tokentoss.session.account_change import AccountChange
from tokentoss.session.app_host import visitor
from tokentoss.session.current_tokens import CurrentTokens
from tokentoss.session.default_credentials import publish, withdraw
from tokentoss.session.live_managers import LiveManagers
from tokentoss.session.session import Session
from tokentoss.session.sign_out import SignOutResult, sign_out
from tokentoss.storage.accounts import Account, choose
from tokentoss.storage.token_data import grant_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.config.client_config import ClientConfig
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.google_credentials import Credentials, TokensOfUser
    from tokentoss.storage import TokenStorage
    from tokentoss.storage.token_data import TokenData


logger = logging.getLogger(__name__)


class TokenManager(CurrentTokens, ABC):
    """Keeps the tokens of one client: uses, renews and stores them, and signs out.

    Args:
        client_config: The client.
        provider: Its provider.
        storage: Where tokens are kept.
        max_session_lifetime_hours: Hours after which a sign-in is no longer used.
        hosted_domain: The domain that the user's account must belong to (claim ``hd``).
        account: The stored account to use; by default the one that signed in last.

    Attributes:
        last_error: What went wrong last; None after a success.
    """

    _live: ClassVar[LiveManagers[TokenManager]] = LiveManagers()

    def __init__(
        self,
        client_config: ClientConfig,
        provider: Provider,
        storage: TokenStorage,
        *,
        max_session_lifetime_hours: float,
        hosted_domain: str | None,
        account: str | Account | None,
    ) -> None:
        super().__init__(
            client_config,
            provider,
            storage,
            max_session_lifetime_hours=max_session_lifetime_hours,
            hosted_domain=hosted_domain,
        )
        self.visitor = visitor()
        self._account_change = AccountChange(account)
        self._login_hint: str | None = None
        self._has_signed_out = False
        self._credentials: Credentials | None = None
        self._load_from_storage(account)
        self._live.add(self)

    @classmethod
    def signed_in(cls) -> list[TokenManager]:
        """Return the managers of this process with a session, the latest sign-in first."""
        return cls._live.signed_in()

    @property
    def signed_in_order(self) -> tuple[float, int] | None:
        """When somebody signed in, for comparison with other managers; None if nobody is signed in.

        Files tell the second of a sign-in; within it, the number tells.
        """
        session = self._store.session
        if session is None or not self.is_authenticated:
            return None
        return session.signed_in_at or 0.0, self._store.sign_in_number

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(provider={self.provider.name!r}, "
            f"client_id={self.client_config.client_id!r}, is_authenticated={self.is_authenticated})"
        )

    @property
    def account(self) -> Account | None:
        """Who is signed in."""
        session = self._store.session
        return Account.of(session.tokens) if session else None

    @property
    def user_email(self) -> str | None:
        """The user's e-mail address, for display."""
        session = self._store.session
        return session.tokens.user_email if session else None

    @property
    def user_name(self) -> str | None:
        """How the user is shown: the e-mail address, or else the login or subject at the issuer."""
        account = self.account
        return account.display_name if account else None

    @property
    def previous_user(self) -> str | None:
        """Who was signed in last time, or asked for, if the latest sign-in was somebody else's."""
        return self._account_change.previous

    @property
    def token_data(self) -> TokenData | None:
        """The tokens as they are, without a renewal."""
        session = self._store.session
        return session.tokens if session else None

    @property
    def credentials(self) -> Credentials | None:
        """The same tokens for Google's libraries, always the current ones; None when signed out.

        An access token that is about to expire is renewed first, if it can be: its users put
        ``credentials.token`` into headers by hand.

        Raises:
            ReauthRequiredError: If the provider has ended the session. Google's libraries would take None for
                "the credentials of this machine", and call as somebody else.
        """
        try:
            _ = self.access_token
        except ReauthRequiredError:
            raise
        except TokenRefreshError as failure:
            logger.debug("credentials with the token as it is: %s", failure.code)
        return self.credentials_as_they_are

    @property
    def credentials_as_they_are(self) -> Credentials | None:
        """The same, without a renewal."""
        if self._store.session is None:
            return None
        if self._credentials is None:
            from tokentoss.session.google_credentials import Credentials  # noqa: PLC0415 - costs google-auth

            self._credentials = Credentials(self)
        return self._credentials

    @abstractmethod
    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what IPython displays."""

    @abstractmethod
    def for_another_process(self) -> tuple[Callable[[Any], TokensOfUser], Any]:
        """Return what a pickle of the credentials holds: how a manager is made there, and from what."""

    @property
    def is_connected(self) -> bool:
        """The same as :attr:`is_authenticated`, for accounts that one connects rather than signs in to."""
        return self.is_authenticated

    def accounts(self) -> list[Account]:
        """Return the stored accounts of this client, first the one that is used by default.

        Raises:
            StorageError: If the storage cannot be read.
        """
        return [Account.of(tokens) for tokens in self._store.stored()]

    def use_account(self, account: str | Account) -> Account:
        """Use another stored account, here and by default from now on.

        Args:
            account: One of :meth:`accounts`, its key, or its e-mail address.

        Raises:
            NoCredentialsError: ``account_unknown``, ``account_ambiguous`` or ``session_expired``; the
                account in use stays.
            StorageError: If the storage cannot be read or written.
        """
        tokens = choose(self._store.stored(), account)
        session = Session.of(tokens)
        if self._is_over(session):
            raise self._expired()
        if not session.is_usable:
            raise NoCredentialsError(code="session_expired")
        # What was read may be old by now: another process renews tokens, or signs out.
        is_stored = self._store.storage.prefer(tokens)
        current = self._store.counterpart(tokens) if is_stored else None
        if current is None:
            raise NoCredentialsError(code="account_unknown", subject=Account.of(tokens).display_name)
        tokens = current
        self._account_change.expect(Account.of(tokens))
        self._begin(self._store.use(tokens))
        return Account.of(tokens)

    def suggest(self, login_hint: str) -> None:
        """Use the stored account of a login hint from now on; until it signs in, nobody's, if none is stored.

        Tokens of another account than the one that was asked for would be used as if they were its own.

        Args:
            login_hint: The account's e-mail address, its login or subject at the provider, or its key.
        """
        self._login_hint = login_hint
        session = self._store.session
        if session is not None and Account.of(session.tokens).is_suggested_by(login_hint):
            return
        if self._store.forget(session):
            withdraw(self)
        self.last_error = None
        self._account_change.expect(None)
        self._load_from_storage(None)
        self._observers.notify()

    def expect_anybody(self) -> None:
        """Expect no account in particular at the next sign-in: the user wants another one."""
        self._account_change.expect(None)

    def expect_the_same(self) -> None:
        """Expect the account in use at the next sign-in, as before :meth:`expect_anybody`."""
        self._account_change.expect(self.account)

    def clear(self) -> None:
        """Sign out here: forget the tokens and remove them from storage.

        Raises:
            StorageError: If the stored tokens cannot be removed; they are no longer used all the same.
        """
        error = self.sign_out().error
        if error is not None:
            raise error

    def sign_out(self, revoke: bool = False) -> SignOutResult:
        """Sign the account out of this process and its storage, and on request at the provider.

        Whatever the provider says, the tokens are removed here, and every manager, widget and client
        of this process that uses the account notices. Other processes notice at their next renewal.

        Args:
            revoke: Whether to revoke the tokens, too. Google then ends every token that any client of
                the same project has for this user.
        """
        session, name = self._store.session, self._account_change.name
        self._account_change.expect(None)
        has_signed_out, self._has_signed_out = self._has_signed_out, True
        try:
            unused = None if session is not None or has_signed_out else self._chosen(name)
        except StorageError as failure:
            self.last_error = failure
            return SignOutResult(None, removed=False, revoked=None, error=failure)
        tokens = session.tokens if session is not None else unused
        if tokens is None:
            return SignOutResult(None, removed=True, revoked=None)
        client = self._client_fields() if revoke else None
        managers = (*self._live.others(self), self)
        where = self._store.storage if session is None else None
        result = sign_out(tokens, managers, self.provider, client, where)
        if result.error is not None:
            self.last_error = result.error
        return result

    def reload(self) -> None:
        """Look into the storage again if nobody is signed in: another process may have signed in."""
        if self._store.session is None:
            self._load_from_storage(self._account_change.name)

    def _load_from_storage(self, account: str | Account | None) -> None:
        try:
            tokens = self._chosen(account)
        except (StorageError, NoCredentialsError) as failure:
            self.last_error = failure
            if isinstance(failure, NoCredentialsError):
                # Often a slip of the pen, and reading a token that is None says nothing of it.
                logger.warning("%s", failure.in_english())
            return
        if tokens is None:
            return
        self._account_change.expect(Account.of(tokens))
        session = Session.of(tokens)
        if self._is_over(session):
            self.last_error = self._expired()
            self._drop(session)
        elif not session.is_usable:
            self.last_error = NoCredentialsError(code="session_expired")
        else:
            self._store.use(tokens)
            self._publish(only_if_free=True)

    def _chosen(self, account: str | Account | None) -> TokenData | None:
        """Return the stored tokens of an account; by default of the login hint, or of the latest sign-in.

        Raises:
            NoCredentialsError: ``account_unknown`` or ``account_ambiguous``, if any are stored.
            StorageError: If the storage cannot be read.
        """
        stored = self._store.stored()
        hint = self._login_hint
        if account is None and hint is not None:
            stored = [tokens for tokens in stored if Account.of(tokens).is_suggested_by(hint)]
        return choose(stored, account) if stored and account is not None else next(iter(stored), None)

    def _ended(self) -> None:
        withdraw(self)
        super()._ended()

    def _begin(self, session: Session) -> None:
        self._has_signed_out = False
        self._renewal.reset()
        self._deferred_signature.reset()
        if self._store.session is session:
            self._publish()
        self._observers.notify()

    def _publish(self, *, only_if_free: bool = False) -> None:
        # Its readers want ID tokens, or are Google's libraries.
        if self.provider.openid_connect:
            publish(self, only_if_free=only_if_free)

    def forget_account(self, tokens: TokenData) -> StorageError | None:
        """Sign an account out of this manager, if it is the one in use, and of its storage."""
        session = self._store.session
        if session is None or grant_of(session.tokens) != grant_of(tokens):
            return None
        self._store.forget(session)
        withdraw(self)
        try:
            self._store.storage.remove(tokens)
        except StorageError as failure:
            return failure
        finally:
            self._observers.notify()
        return None
