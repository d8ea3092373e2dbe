"""Keeping the tokens of one client: using, renewing and storing them, and signing out."""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import suppress
from dataclasses import replace
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, ClassVar

from tokentoss.accounts import Account, choose, grant_of
from tokentoss.client_authentication import client_form
from tokentoss.exceptions import (
    ConfigurationError,
    IdTokenError,
    NoCredentialsError,
    RevocationError,
    StorageError,
    TokenRefreshError,
    TokenTossError,
)
from tokentoss.expected_user import ExpectedUser
from tokentoss.forks import anew_in_child
from tokentoss.holder import SessionHolder
from tokentoss.late_signature import LateSignature
from tokentoss.observers import Observers
from tokentoss.published import publish, withdraw
from tokentoss.renewal import Renewal
from tokentoss.session import (
    Session,
    access_token_is_due,
    any_token_is_due,
    id_token_is_due,
)
from tokentoss.sign_out import SignOutResult, revoke

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.client_authentication import Form
    from tokentoss.configuration import ClientConfig
    from tokentoss.credentials import Credentials
    from tokentoss.providers import Provider
    from tokentoss.storage import TokenStorage
    from tokentoss.tokens import TokenData

JUST_NOW = 5.0
"""Seconds in which a token that was just renewed is not renewed again, though somebody asks for it."""

_ID_TOKEN_EXPIRY: Callable[[Session], float] = attrgetter("id_token_expires_at")
_ACCESS_TOKEN_EXPIRY: Callable[[Session], float] = attrgetter("access_token_expires_at")


class TokenKeeper:
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

    _live: ClassVar[weakref.WeakSet[TokenKeeper]] = weakref.WeakSet()
    _live_lock: ClassVar[threading.Lock] = threading.Lock()

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
        self.client_config = client_config
        self.provider = provider
        self.storage = storage
        self.max_session_lifetime_hours = max_session_lifetime_hours
        self.hosted_domain = hosted_domain
        self.last_error: Exception | None = None
        self._holder = SessionHolder(storage, provider, client_config.client_id, hosted_domain, self._report)
        self._renewal = Renewal(self._holder, provider, client_config.client_id, self._client_fields())
        self._expected = ExpectedUser(account)
        self._late_signature = LateSignature(provider, client_config.client_id)
        self._observers = Observers()
        self._credentials: Credentials | None = None
        self._load_from_storage(account)
        with self._live_lock:
            self._live.add(self)

    @classmethod
    def signed_in_at(cls, provider: Provider) -> list[TokenKeeper]:
        """Return the managers of this process with a session at a provider, the latest sign-in first."""
        with cls._live_lock:
            managers = [
                one for one in cls._live if one.provider.is_same_as(provider) and one.is_authenticated
            ]
        sessions = [(one._holder, one._holder.session, one) for one in managers]  # noqa: SLF001 - of the same class
        # Files tell the second of a sign-in; within it, the number tells.
        signed_in = [
            (session.signed_in_at or 0.0, holder.sign_in_number, one)
            for holder, session, one in sessions
            if session is not None
        ]
        return [one for *_, one in sorted(signed_in, key=itemgetter(0, 1), reverse=True)]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(provider={self.provider.name!r}, "
            f"client_id={self.client_config.client_id!r}, is_authenticated={self.is_authenticated})"
        )

    @property
    def is_authenticated(self) -> bool:
        """Whether a call could be made, with the tokens as they are or after a renewal."""
        session = self._holder.session
        return session is not None and session.is_usable and not self._is_over(session)

    @property
    def account(self) -> Account | None:
        """Who is signed in."""
        session = self._holder.session
        return Account.of(session.tokens) if session else None

    @property
    def user_email(self) -> str | None:
        """The user's e-mail address, for display."""
        session = self._holder.session
        return session.tokens.user_email if session else None

    @property
    def user_name(self) -> str | None:
        """How the user is shown: the e-mail address, or else the login or subject at the issuer."""
        account = self.account
        return account.display_name if account else None

    @property
    def previous_user(self) -> str | None:
        """Who was signed in last time, or asked for, if the latest sign-in was somebody else's."""
        return self._expected.previous

    @property
    def token_data(self) -> TokenData | None:
        """The tokens as they are, without a renewal."""
        session = self._holder.session
        return session.tokens if session else None

    @property
    def credentials(self) -> Credentials | None:
        """The same tokens for Google's libraries, always the current ones; None when signed out.

        An access token that is about to expire is renewed first, if it can be.
        """
        session = self._session_in_use()
        if session is not None and access_token_is_due(session):
            with suppress(TokenRefreshError):
                self._renewed(session, access_token_is_due, _ACCESS_TOKEN_EXPIRY)
        return self.credentials_as_they_are

    @property
    def credentials_as_they_are(self) -> Credentials | None:
        """The same, without a renewal."""
        if self._holder.session is None:
            return None
        if self._credentials is None:
            from tokentoss.credentials import Credentials  # noqa: PLC0415 - costs google-auth

            self._credentials = Credentials(self)
        return self._credentials

    @property
    def id_token(self) -> str | None:
        """The ID token, renewed first if it expires within four minutes; None when signed out.

        Raises:
            ConfigurationError: ``provider_without_id_tokens``.
            TokenRefreshError: If it has expired and cannot be renewed.
            IdTokenError: If its signature, checked late, is not the provider's.
        """
        session = self._session_in_use()
        if session is None:
            return None
        if not self.provider.openid_connect:
            raise ConfigurationError(code="provider_without_id_tokens", subject=self.provider.name)
        if not session.tokens.signature_checked:
            session = self._check_signature(session)
        if id_token_is_due(session):
            session = self._renewed(session, id_token_is_due, _ID_TOKEN_EXPIRY)
            if session.id_token_expires_at <= time.time():
                self._renewal.note_no_progress("id_token_missing")
                raise self._remember(TokenRefreshError(code="id_token_missing"))
        return session.tokens.id_token

    @property
    def access_token(self) -> str | None:
        """The access token, renewed first if it expires within four minutes; None when signed out.

        Raises:
            TokenRefreshError: If it has expired and cannot be renewed.
        """
        session = self._session_in_use()
        if session is not None and access_token_is_due(session):
            session = self._renewed(session, access_token_is_due, _ACCESS_TOKEN_EXPIRY)
        return session.tokens.access_token if session else None

    @property
    def is_connected(self) -> bool:
        """The same as :attr:`is_authenticated`, for accounts that one connects rather than signs in to."""
        return self.is_authenticated

    def token_provider(self) -> Callable[[], str]:
        """Return a function that returns the current ID token, for clients that ask for a callable.

        The function raises :class:`NoCredentialsError` when nobody is signed in.
        """

        def current_id_token() -> str:
            token = self.id_token
            if token is None:
                raise NoCredentialsError(subject=f"the auth manager ({self.why_signed_out})")
            return token

        return current_id_token

    @property
    def why_signed_out(self) -> str:
        """Why nobody is signed in, for a sentence of an error."""
        return str(self.last_error) if self.last_error is not None else "signed out"

    def observe_session(self, callback: Callable[[], None]) -> None:
        """Call a bound method, held weakly, after somebody signed in or out, from any thread."""
        self._observers.add(callback)

    def accounts(self) -> list[Account]:
        """Return the stored accounts of this client, first the one that is used by default.

        Raises:
            StorageError: If the storage cannot be read.
        """
        return [Account.of(tokens) for tokens in self._holder.stored()]

    def use_account(self, account: str | Account) -> Account:
        """Use another stored account, here and by default from now on.

        Args:
            account: One of :meth:`accounts`, its key, or its e-mail address.

        Raises:
            NoCredentialsError: ``account_unknown``, ``account_ambiguous`` or ``session_expired``; the
                account in use stays.
            StorageError: If the storage cannot be read or written.
        """
        tokens = choose(self._holder.stored(), account)
        session = Session.of(tokens)
        if not session.is_usable or self._is_over(session):
            raise NoCredentialsError(code="session_expired")
        self._holder.storage.save(tokens)
        self._expected.expect(Account.of(tokens))
        self._begin(self._holder.use(tokens))
        return Account.of(tokens)

    def refresh_tokens(self) -> TokenData:
        """Renew the tokens; callers that arrive meanwhile, here or in another process, share the result.

        Raises:
            ReauthRequiredError: If the provider ended the session; its code says why, if that is known.
            TokenRefreshError: If the tokens cannot be renewed now; the session stays.
        """
        session = self._session_in_use()
        if session is None:
            raise self._remember(TokenRefreshError(code="refresh_token_missing"))
        return self._renew(session, any_token_is_due).tokens

    def id_token_after(self, refused: str) -> str | None:
        """Return a newer ID token for a caller whose own was refused; None when signed out.

        Raises:
            TokenRefreshError: If it cannot be renewed.
        """
        session = self._session_in_use()
        if session is None or session.tokens.id_token != refused:
            return session.tokens.id_token if session else None
        return self._renew(session, id_token_is_due).tokens.id_token

    def access_token_after(self, refused: str) -> str | None:
        """Return a newer access token for a caller whose own was refused; None when signed out.

        Raises:
            TokenRefreshError: If it cannot be renewed.
        """
        session = self._session_in_use()
        if session is None or session.tokens.access_token != refused:
            return session.tokens.access_token if session else None
        return self._renew(session, access_token_is_due).tokens.access_token

    def renew_access_token(self) -> None:
        """Renew for a caller whose access token is expired, about to expire, or was refused.

        Many may call at once, or one after the other because the same token was refused to all of
        them: one request serves them. A token that is still valid stays in use if it cannot be renewed.

        Raises:
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If there is no valid token.
        """
        session = self._session_in_use()
        if session is None:
            raise NoCredentialsError(subject=f"the auth manager ({self.why_signed_out})")
        if access_token_is_due(session):
            self._renewed(session, access_token_is_due, _ACCESS_TOKEN_EXPIRY)
        elif not self._renewal.was_done_within(JUST_NOW):
            try:
                self._renew(session, access_token_is_due)
            except TokenRefreshError:
                if self._holder.session is None:
                    raise

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
        session = self._holder.session
        self._expected.expect(None)
        if session is None:
            return SignOutResult(None, removed=True, revoked=None)
        error: TokenTossError | None = None
        with self._live_lock:
            managers = [one for one in self._live if one is not self]
        for manager in (self, *managers):
            failure = manager._forget_account(session.tokens)  # noqa: SLF001 - of the same class
            error = error or failure
        removed = error is None
        revoked = None
        if revoke:
            refusal = self._revoke(session.tokens)
            revoked = refusal is None
            error = error or refusal
        if error is not None:
            self.last_error = error
        return SignOutResult(Account.of(session.tokens), removed, revoked, error)

    def reload(self) -> None:
        """Look into the storage again if nobody is signed in: another process may have signed in."""
        if self._holder.session is None:
            self._load_from_storage(self._expected.name)

    def _client_fields(self) -> Form:
        config = self.client_config
        return client_form(self.provider.token_endpoint_auth_method, config.client_id, config.client_secret)

    def _load_from_storage(self, account: str | Account | None) -> None:
        try:
            stored = self._holder.stored()
            tokens = next(iter(stored), None) if account is None else choose(stored, account)
        except (StorageError, NoCredentialsError) as failure:
            self.last_error = failure
            return
        if tokens is None:
            return
        self._expected.expect(Account.of(tokens))
        session = Session.of(tokens)
        if self._is_over(session):
            self.last_error = NoCredentialsError(code="session_expired")
            self._holder.discard(session)
        elif not session.is_usable:
            self.last_error = NoCredentialsError(code="session_expired")
        else:
            self._holder.use(tokens)
            self._publish()

    def _session_in_use(self) -> Session | None:
        """Return the session, unless its time is over: then it ends here."""
        session = self._holder.session
        if session is not None and self._is_over(session):
            self.last_error = NoCredentialsError(code="session_expired")
            if self._holder.forget(session):
                self._holder.discard(session)
                self._ended()
            return None
        return session

    def _is_over(self, session: Session) -> bool:
        return session.is_older_than(self.max_session_lifetime_hours)

    def _begin(self, session: Session) -> None:
        self._renewal.reset()
        self._late_signature.reset()
        if self._holder.session is session:
            self._publish()
        self._observers.notify()

    def _publish(self) -> None:
        # Its readers want ID tokens, or are Google's libraries.
        if self.provider.openid_connect:
            publish(self)

    def _ended(self) -> None:
        withdraw(self)
        self._observers.notify()

    def _forget_account(self, tokens: TokenData) -> StorageError | None:
        """Sign an account out of this manager, if it is the one in use, and of its storage."""
        session = self._holder.session
        if session is None or grant_of(session.tokens) != grant_of(tokens):
            return None
        self._holder.forget(session)
        withdraw(self)
        try:
            self._holder.storage.remove(tokens)
        except StorageError as failure:
            return failure
        finally:
            self._observers.notify()
        return None

    def _revoke(self, tokens: TokenData) -> RevocationError | None:
        try:
            revoke(self.provider, self._client_fields(), tokens)
        except RevocationError as failure:
            return failure
        return None

    def _report(self, failure: StorageError) -> None:
        self.last_error = failure

    def _remember(self, failure: TokenTossError) -> TokenTossError:
        self.last_error = failure
        return failure

    def _renewed(
        self, session: Session, is_due: Callable[[Session], bool], expiry: Callable[[Session], float]
    ) -> Session:
        """Return a session with newer tokens, or the same one while its own are still valid."""
        # What another process has stored while this one slept may be newer, and still valid.
        session = self._holder.follow(session) or session
        if not is_due(session):
            return session
        try:
            return self._renew(session, is_due, can_wait=expiry(session) > time.time())
        except TokenRefreshError:
            current = self._holder.session
            if current is None or expiry(current) <= time.time():
                raise
            return current

    def _renew(
        self, session: Session, is_due: Callable[[Session], bool], *, can_wait: bool = False
    ) -> Session:
        try:
            renewed = self._renewal.renew(session, is_due, can_wait=can_wait)
        except TokenRefreshError as failure:
            if not (can_wait and failure.code == "refresh_busy"):
                self.last_error = failure
            if self._holder.session is None:
                self._ended()
            raise
        if not isinstance(self.last_error, StorageError):
            self.last_error = None
        return renewed

    def _check_signature(self, session: Session) -> Session:
        try:
            is_good = self._late_signature.is_good(session.tokens.id_token)
        except IdTokenError as failure:
            if self._holder.forget(session):
                self._holder.discard(session)
                self._ended()
            raise self._remember(failure) from None
        if is_good:
            self._holder.advance(session, replace(session.tokens, signature_checked=True))
        return self._holder.session or session


anew_in_child(TokenKeeper, _live_lock=threading.Lock)
