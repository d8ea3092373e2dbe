"""The tokens in use of one client: read, and renewed when they are due."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from tokentoss.exceptions import (
    ConfigurationError,
    IdTokenError,
    NoCredentialsError,
    StorageError,
    TokenRefreshError,
    TokenTossError,
)
from tokentoss.oauth.client_authentication import client_form
from tokentoss.session.deferred_signature import DeferredSignature
from tokentoss.session.endings import endings
from tokentoss.session.observers import Observers
from tokentoss.session.refresh import Renewal
from tokentoss.session.session import Session, access_token_is_due, any_token_is_due, id_token_is_due
from tokentoss.session.session_store import SessionStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.config.client_config import ClientConfig
    from tokentoss.oauth.client_authentication import Form
    from tokentoss.oauth.provider import Provider
    from tokentoss.storage import TokenStorage
    from tokentoss.storage.token_data import TokenData

JUST_NOW = 5.0
"""Seconds in which a token that was just renewed is not renewed again, though somebody asks for it."""

_ID_TOKEN_EXPIRY: Callable[[Session], float] = attrgetter("id_token_expires_at")
_ACCESS_TOKEN_EXPIRY: Callable[[Session], float] = attrgetter("access_token_expires_at")


class CurrentTokens:
    """Gives out the tokens of one client, always the current ones.

    Args:
        client_config: The client.
        provider: Its provider.
        storage: Where tokens are kept.
        max_session_lifetime_hours: Hours after which a sign-in is no longer used.
        hosted_domain: The domain that the user's account must belong to (claim ``hd``).

    Attributes:
        last_error: What went wrong last; None after a success.
    """

    def __init__(
        self,
        client_config: ClientConfig,
        provider: Provider,
        storage: TokenStorage,
        *,
        max_session_lifetime_hours: float,
        hosted_domain: str | None,
    ) -> None:
        self.client_config = client_config
        self.provider = provider
        self.storage = storage
        self.max_session_lifetime_hours = max_session_lifetime_hours
        self.hosted_domain = hosted_domain
        self.last_error: TokenTossError | None = None
        self._store = SessionStore(storage, provider, client_config.client_id, hosted_domain, self._report)
        self._renewal = Renewal(self._store, provider, client_config.client_id, self._client_fields())
        self._deferred_signature = DeferredSignature(provider, client_config.client_id)
        self._observers = Observers()
        self._renewal_observers = Observers()
        self._observers.add(self._look_at_end)
        self._seen_ending: Session | None = None

    @property
    def is_authenticated(self) -> bool:
        """Whether a call could be made, with the tokens as they are or after a renewal."""
        session = self._store.session
        return session is not None and session.is_usable and not self._is_over(session)

    @property
    def session_ends_at(self) -> float | None:
        """When the user has to sign in again, in Unix seconds; None if nobody knows, or is signed in."""
        session = self._store.session
        return None if session is None else session.ends_within(self.max_session_lifetime_hours)

    @property
    def tokens_expire_at(self) -> float | None:
        """When the ID token expires, or the access token where there is none, in Unix seconds.

        Returns:
            None if there are no tokens.
        """
        session = self._store.session
        if session is None or not session.tokens.access_token:
            return None
        return session.id_token_expires_at if session.tokens.id_token else session.access_token_expires_at

    @property
    def is_renewable(self) -> bool:
        """Whether the tokens can be renewed without the user."""
        session = self._store.session
        return session is not None and bool(session.tokens.refresh_token)

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
        """Return a newer ID token for a caller whose own was refused; None if there is none.

        Valid tokens are renewed once in 30 seconds at most; meanwhile there is none.

        Raises:
            TokenRefreshError: If it cannot be renewed.
        """
        session = self._session_in_use()
        if session is None or session.tokens.id_token != refused:
            return session.tokens.id_token if session else None
        token = self._after_refusal(session, id_token_is_due).tokens.id_token
        return token if token != refused else None

    def access_token_after(self, refused: str) -> str | None:
        """Return a newer access token for a caller whose own was refused; None if there is none.

        Valid tokens are renewed once in 30 seconds at most; meanwhile there is none.

        Raises:
            TokenRefreshError: If it cannot be renewed.
        """
        session = self._session_in_use()
        if session is None or session.tokens.access_token != refused:
            return session.tokens.access_token if session else None
        token = self._after_refusal(session, access_token_is_due).tokens.access_token
        return token if token != refused else None

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
                if self._store.session is None:
                    raise

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
        """Call a bound method, held weakly, after somebody signed in or out, from any thread.

        The end of a session by the clock counts as well, when it comes.
        """
        self._observers.add(callback)
        endings.watch(self)

    def observe_tokens(self, callback: Callable[[], None]) -> None:
        """Call a bound method, held weakly, after the tokens were renewed here, from any thread."""
        self._renewal_observers.add(callback)

    def end_if_over(self) -> None:
        """End the session if its time is over, and tell whoever observes it."""
        session = self._store.session
        if session is not None:
            # Somebody may have signed in anew in another process; a storage of the user's may raise anything.
            with suppress(Exception):
                self._store.follow(session)
        session = self._session_in_use()
        if session is None or session.is_usable or session is self._seen_ending:
            return
        self._seen_ending = session
        self.last_error = NoCredentialsError(code="session_expired")
        self._ended()

    def _client_fields(self) -> Form:
        config = self.client_config
        return client_form(self.provider.token_endpoint_auth_method, config.client_id, config.client_secret)

    def _session_in_use(self) -> Session | None:
        """Return the session, unless its time is over: then it ends here."""
        session = self._store.session
        if session is not None and self._is_over(session):
            self.last_error = self._expired()
            if self._store.forget(session):
                try:
                    self._drop(session)
                finally:
                    self._ended()
            return None
        return session

    def _is_over(self, session: Session) -> bool:
        return session.is_older_than(self.max_session_lifetime_hours)

    def _drop(self, session: Session) -> None:
        """Remove the stored tokens of a session that is over for everybody.

        Another manager may have a longer limit than this one; its sign-in stays.
        """
        if session.has_ended:
            self._store.discard(session)

    def _expired(self) -> NoCredentialsError:
        hours = f"{self.max_session_lifetime_hours:g} h"
        return NoCredentialsError(code="session_expired", subject=hours)

    def _ended(self) -> None:
        self._observers.notify()

    def _look_at_end(self) -> None:
        endings.look_again()

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
        session = self._store.follow(session) or session
        if not is_due(session):
            return session
        try:
            return self._renew(session, is_due, can_wait=expiry(session) > time.time())
        except TokenRefreshError:
            current = self._store.session
            if current is None or expiry(current) <= time.time():
                raise
            return current

    def _renew(
        self,
        session: Session,
        is_due: Callable[[Session], bool],
        *,
        can_wait: bool = False,
        after_refusal: bool = False,
    ) -> Session:
        try:
            renewed = self._renewal.renew(session, is_due, can_wait=can_wait, after_refusal=after_refusal)
        except TokenRefreshError as failure:
            if not (can_wait and failure.code == "refresh_busy"):
                self.last_error = failure
            if self._store.session is None:
                self._ended()
            raise
        if renewed is session:
            return session
        if not isinstance(self.last_error, StorageError):
            self.last_error = None
        self._renewal_observers.notify()
        return renewed

    def _after_refusal(self, session: Session, is_due: Callable[[Session], bool]) -> Session:
        # What another process has stored meanwhile is newer than what was refused.
        self._store.follow(session)
        return self._renew(session, is_due, after_refusal=True)

    def _check_signature(self, session: Session) -> Session:
        try:
            is_good = self._deferred_signature.is_good(session.tokens.id_token)
        except IdTokenError as failure:
            if self._store.forget(session):
                self._store.discard(session)
                self._ended()
            raise self._remember(failure) from None
        if is_good:
            self._store.advance(session, replace(session.tokens, signature_checked=True))
        return self._store.session or session
