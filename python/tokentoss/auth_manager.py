"""The auth manager: holds the tokens of one client, renews them, keeps them in storage."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import tokentoss
from tokentoss.authorization_code import authorization_url, nonce_of, redeem_code
from tokentoss.back_off import BackOff
from tokentoss.configuration import ClientConfig
from tokentoss.credentials import Credentials
from tokentoss.encoding import random_b64url
from tokentoss.exceptions import (
    IdTokenError,
    NoCredentialsError,
    SignInError,
    StorageError,
    TokenExchangeError,
    TokenRefreshError,
    TokenTossError,
)
from tokentoss.id_token import validate_id_token
from tokentoss.pkce import code_challenge as challenge_of
from tokentoss.providers import Provider, require_openid
from tokentoss.session import Session, belongs_here, tokens_of_refresh, tokens_of_sign_in
from tokentoss.storage import FileStorage
from tokentoss.token_endpoint import TokenResponse, request_tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tokentoss.storage import TokenStorage
    from tokentoss.tokens import TokenData

logger = logging.getLogger(__name__)

MARGIN = 240.0
"""Seconds before its expiry at which an ID token is renewed."""

BACK_OFF = (2.0, 60.0)
"""Shortest and longest wait in seconds after a renewal that failed without ending the session."""

SIGNATURE_RETRY = 60.0
"""Seconds between two attempts to check a signature whose keys could not be fetched."""


class AuthManager:
    """Holds the tokens of one OAuth client.

    Args:
        client_config: The client.
        client_secrets_path: Its client_secrets.json, instead of ``client_config``; by default the
            file that ``TOKENTOSS_CLIENT_SECRETS`` names, or the one that ``configure`` installed.
        storage: Where tokens are kept; by default in a file of the user's configuration folder.
        scopes: The scopes to ask for; by default the provider's.
        max_session_lifetime_hours: Age in hours at which a stored sign-in is no longer used.
        provider: The provider; by default the one that the client's endpoints belong to.
        hosted_domain: The domain that the user's account must belong to (claim ``hd``).

    Raises:
        ConfigurationError: If there is no client, or it is not usable (also a ValueError).
    """

    def __init__(
        self,
        client_config: ClientConfig | None = None,
        client_secrets_path: str | Path | None = None,
        storage: TokenStorage | None = None,
        scopes: list[str] | None = None,
        max_session_lifetime_hours: float = 24,
        *,
        provider: Provider | None = None,
        hosted_domain: str | None = None,
    ) -> None:
        if client_config is None:
            client_config = (
                ClientConfig.from_file(client_secrets_path)
                if client_secrets_path is not None
                else ClientConfig.discover()
            )
        self.client_config = client_config
        self.provider = provider or client_config.provider()
        self.storage: TokenStorage = storage if storage is not None else FileStorage()
        self.scopes = list(scopes if scopes is not None else self.provider.scopes)
        require_openid(self.scopes)
        self.max_session_lifetime_hours = max_session_lifetime_hours
        self.hosted_domain = hosted_domain
        self.last_error: Exception | None = None
        self._session: Session | None = None
        self._credentials = Credentials(self)
        self._lock = threading.RLock()
        self._renewal_lock = threading.Lock()
        self._back_off = BackOff(*BACK_OFF)
        self._check_signature_not_before = 0.0
        self._observers: list[weakref.WeakMethod[Callable[[], None]]] = []
        self._load_from_storage()

    def __repr__(self) -> str:
        return (
            f"AuthManager(provider={self.provider.name!r}, client_id={self.client_config.client_id!r}, "
            f"is_authenticated={self.is_authenticated})"
        )

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is signed in."""
        return self._session is not None

    @property
    def user_email(self) -> str | None:
        """The user's e-mail address, for display."""
        session = self._session
        return session.tokens.user_email if session else None

    @property
    def user_name(self) -> str | None:
        """How the user is shown: the e-mail address, or else the subject at the issuer."""
        session = self._session
        return (session.tokens.user_email or session.tokens.subject) if session else None

    @property
    def token_data(self) -> TokenData | None:
        """The tokens as they are, without a renewal."""
        session = self._session
        return session.tokens if session else None

    @property
    def credentials(self) -> Credentials | None:
        """An object whose tokens are always the current ones; None when signed out."""
        return self._credentials if self._session is not None else None

    @property
    def id_token(self) -> str | None:
        """The ID token, renewed first if it expires within four minutes; None when signed out.

        Raises:
            TokenRefreshError: If it has expired and cannot be renewed.
            IdTokenError: If its signature, checked late, is not the provider's.
        """
        session = self._session
        if session is None:
            return None
        if session.tokens.signature_checked and session.id_token_expires_at - time.time() > MARGIN:
            return session.tokens.id_token
        return self._current_id_token(session)

    def observe_session(self, callback: Callable[[], None]) -> None:
        """Call a bound method, held weakly, after somebody signed in or out, from any thread."""
        self._observers.append(weakref.WeakMethod(callback))

    def accept(
        self, response: TokenResponse, *, nonce: str | None, received_at: float | None = None
    ) -> TokenData:
        """Validate the tokens of a sign-in, keep and store them.

        Args:
            response: The token endpoint's answer.
            nonce: The nonce of the authorization request.
            received_at: When the answer arrived, in Unix seconds of the receiver's clock.

        Raises:
            IdTokenError: If the ID token does not hold what it must; nothing is kept then.
            SignInError: ``clock_skew`` or ``hosted_domain_mismatch``.
        """
        if response.id_token is None:
            raise IdTokenError(code="id_token_missing")
        client_id = self.client_config.client_id
        claims = validate_id_token(
            response.id_token,
            provider=self.provider,
            client_id=client_id,
            nonce=nonce,
            access_token=response.access_token,
            hosted_domain=self.hosted_domain,
        )
        tokens = tokens_of_sign_in(
            response,
            claims,
            provider=self.provider,
            client_id=client_id,
            requested_scopes=self.scopes,
            received_at=received_at,
        )
        before = self._session
        if before is not None and not tokens.refresh_token and before.same_user_as(tokens):
            # Google gives a refresh token with the first consent only.
            tokens = replace(tokens, refresh_token=before.tokens.refresh_token)
        self.last_error = None
        with self._lock:
            self._keep(Session.of(tokens))
        self._notify()
        return tokens

    def refresh_tokens(self) -> TokenData:
        """Renew the tokens; callers that arrive meanwhile share the result.

        Raises:
            TokenRefreshError: If they cannot be renewed. Only ``invalid_grant`` ends the session.
        """
        seen = self._session
        with self._renewal_lock:
            session = self._session
            if session is not None and session is not seen:
                return session.tokens
            if session is None or not session.tokens.refresh_token:
                raise self._remember(TokenRefreshError(code="refresh_token_missing"))
            renewed = self._renew(session)
        if renewed is None:
            self._notify()
            raise self._remember(TokenRefreshError(code="invalid_grant"))
        return renewed.tokens

    def clear(self) -> None:
        """Sign out here: forget the tokens and remove them from storage.

        Raises:
            StorageError: If the stored tokens cannot be removed; they are no longer used all the same.
        """
        with self._lock:
            self._forget()
        try:
            self.storage.clear()
        finally:
            self._notify()

    def get_authorization_url(
        self, code_challenge: str, redirect_uri: str = "http://localhost", state: str | None = None
    ) -> str:
        """Return the address of the provider's sign-in page, for code that drives a sign-in by itself.

        Args:
            code_challenge: The S256 challenge of the code verifier.
            redirect_uri: Where the provider sends the code.
            state: A value that comes back with the code; by default a random one.
        """
        return authorization_url(
            self.provider.authorization_endpoint,
            {
                **self.authorization_params(),
                "client_id": self.client_config.client_id,
                "redirect_uri": redirect_uri,
                "scope": " ".join(self.scopes),
                "state": state or random_b64url(32),
            },
            code_challenge,
        )

    def exchange_code(
        self, auth_code: str, code_verifier: str, redirect_uri: str = "http://localhost"
    ) -> TokenData:
        """Redeem an authorization code, validate, keep and store the tokens.

        Args:
            auth_code: The code from the redirect.
            code_verifier: The verifier whose challenge :meth:`get_authorization_url` was given.
            redirect_uri: The redirect URI of the authorization request.

        Raises:
            TokenExchangeError: If the token endpoint gives no tokens, or the ID token is not valid.
        """
        try:
            response = redeem_code(
                self.provider.token_endpoint, self._client_fields(), auth_code, code_verifier, redirect_uri
            )
            return self.accept(response, nonce=nonce_of(challenge_of(code_verifier)))
        except TokenExchangeError as failure:
            raise self._remember(failure) from None
        except SignInError as failure:
            raise self._remember(TokenExchangeError(str(failure), code=failure.code)) from None

    def authorization_params(self) -> dict[str, str]:
        """Return the provider's parameters for the next authorization request."""
        session = self._session
        has_refresh_token = session is not None and bool(session.tokens.refresh_token)
        consent = {} if has_refresh_token else self.provider.consent_params
        return {**self.provider.authorization_params, **consent}

    def _client_fields(self) -> dict[str, str]:
        fields = {"client_id": self.client_config.client_id}
        if self.client_config.client_secret:
            fields["client_secret"] = self.client_config.client_secret
        return fields

    def _load_from_storage(self) -> None:
        tokens = self._stored()
        if tokens is None:
            return
        if self._is_stale(tokens):
            self.last_error = NoCredentialsError(code="session_expired")
            try:
                self.storage.clear()
            except StorageError as failure:
                self.last_error = failure
            return
        session = Session.of(tokens)
        if not session.is_usable:
            self.last_error = NoCredentialsError(code="session_expired")
            return
        self._session = session
        tokentoss.CREDENTIALS = self._credentials

    def _stored(self) -> TokenData | None:
        try:
            tokens = self.storage.load()
        except StorageError as failure:
            self.last_error = failure
            return None
        if tokens is None:
            return None
        return belongs_here(
            tokens,
            provider=self.provider,
            client_id=self.client_config.client_id,
            hosted_domain=self.hosted_domain,
        )

    def _is_stale(self, tokens: TokenData) -> bool:
        created = tokens.created_at_datetime
        if created is None:
            return False
        return datetime.now(timezone.utc) - created > timedelta(hours=self.max_session_lifetime_hours)

    def _keep(self, session: Session) -> None:
        self._session = session
        self._back_off.reset()
        self._check_signature_not_before = 0.0
        tokentoss.CREDENTIALS = self._credentials
        try:
            self.storage.save(session.tokens)
        except StorageError as failure:
            # The user is signed in all the same, until this process ends.
            self.last_error = failure
            logger.warning("the tokens are not stored: %s", failure)

    def _forget(self) -> None:
        self._session = None
        if tokentoss.CREDENTIALS is self._credentials:
            tokentoss.CREDENTIALS = None

    def _notify(self) -> None:
        for observer in list(self._observers):
            callback = observer()
            if callback is None:
                self._observers.remove(observer)
            else:
                callback()

    def _remember(self, failure: TokenTossError) -> TokenTossError:
        self.last_error = failure
        return failure

    def _current_id_token(self, session: Session) -> str | None:
        if not session.tokens.signature_checked:
            self._check_signature(session)
        if session.id_token_expires_at - time.time() > MARGIN:
            return session.tokens.id_token
        try:
            self.refresh_tokens()
        except TokenRefreshError:
            if self._session is None or session.id_token_expires_at <= time.time():
                raise
            return session.tokens.id_token
        renewed = self._session
        if renewed is not None and renewed.id_token_expires_at <= time.time():
            raise self._remember(TokenRefreshError(code="id_token_missing"))
        return renewed.tokens.id_token if renewed else None

    def _check_signature(self, session: Session) -> None:
        if time.monotonic() < self._check_signature_not_before:
            return
        self._check_signature_not_before = time.monotonic() + SIGNATURE_RETRY
        try:
            claims = validate_id_token(
                session.tokens.id_token,
                provider=self.provider,
                client_id=self.client_config.client_id,
                check_expiry=False,
            )
        except IdTokenError as failure:
            self.clear()
            raise self._remember(failure) from None
        if claims.signature_checked:
            with self._lock:
                if self._session is session:
                    self._keep(Session.of(replace(session.tokens, signature_checked=True)))

    def _renew(self, session: Session) -> Session | None:
        """Renew while holding the renewal lock; None if the provider ended the session."""
        successor = self._stored_successor(session)
        if successor is not None:
            return successor
        if self._back_off.is_waiting and isinstance(self.last_error, TokenRefreshError):
            raise self.last_error
        fields = {
            **self._client_fields(),
            "grant_type": "refresh_token",
            "refresh_token": session.tokens.refresh_token,
        }
        try:
            response = request_tokens(self.provider.token_endpoint, fields, TokenRefreshError)
            tokens = tokens_of_refresh(
                session.tokens, response, provider=self.provider, client_id=self.client_config.client_id
            )
        except TokenRefreshError as failure:
            if failure.code == "invalid_grant":
                successor = self._stored_successor(session)
                if successor is None:
                    self._end(session)
                return successor
            self._back_off.failed()
            raise self._remember(failure) from None
        except (IdTokenError, SignInError) as failure:
            self._back_off.failed()
            raise self._remember(TokenRefreshError(str(failure), code=failure.code)) from None
        with self._lock:
            if self._session is not session:
                # Signed out, or signed in anew, while the provider answered.
                raise TokenRefreshError(code="session_expired")
            renewed = Session.of(tokens)
            self.last_error = None
            self._keep(renewed)
            return renewed

    def _stored_successor(self, session: Session) -> Session | None:
        """Adopt tokens that another process renewed and stored meanwhile."""
        tokens = self._stored()
        if tokens is None or not session.same_user_as(tokens):
            return None
        stored = Session.of(tokens)
        if (
            tokens.access_token == session.tokens.access_token
            or stored.id_token_expires_at <= session.id_token_expires_at
        ):
            return None
        with self._lock:
            if self._session is session:
                self._session = stored
        return stored

    def _end(self, session: Session) -> None:
        with self._lock:
            if self._session is session:
                self._forget()
        stored = self._stored()
        if stored is None or stored.refresh_token != session.tokens.refresh_token:
            return
        try:
            self.storage.clear()
        except StorageError as failure:
            logger.warning("the ended session is still stored: %s", failure)
