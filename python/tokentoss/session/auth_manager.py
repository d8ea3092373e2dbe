"""The auth manager: signs users of one client in, and keeps their tokens."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tokentoss.config.client_config import ClientConfig
from tokentoss.config.client_provider import require_client_of
from tokentoss.exceptions import (
    NoCredentialsError,
    SignInError,
    StorageError,
    TokenExchangeError,
)
from tokentoss.oauth.authorization_code import authorization_url, nonce_of, redeem_code
from tokentoss.oauth.pkce import code_challenge as challenge_of
from tokentoss.oauth.userinfo import fetch_userinfo, require_identity
from tokentoss.session.acceptance import (
    continued,
    ending_after,
    identified_by_endpoint,
    identified_by_id_token,
)
from tokentoss.session.app_host import default_storage, require_own
from tokentoss.session.provider_lookup import provider_of
from tokentoss.session.scopes import joined, missing_from
from tokentoss.session.session import DEFAULT_MAX_SESSION_LIFETIME_HOURS
from tokentoss.session.shown import Shown, shown
from tokentoss.session.stored_session import StoredSession, place_of
from tokentoss.session.token_manager import TokenManager
from tokentoss.storage.accounts import Account
from tokentoss.storage.token_data import grant_of
from tokentoss.util.base64url import random_b64url
from tokentoss.util.secret import Secret
from tokentoss.util.secret_text import secret_or_none

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tokentoss.oauth.device_authorization import DeviceSignIn
    from tokentoss.oauth.provider import Provider
    from tokentoss.oauth.token_response import TokenResponse
    from tokentoss.session.google_credentials import TokensOfUser
    from tokentoss.storage import TokenStorage
    from tokentoss.storage.token_data import TokenData


class AuthManager(TokenManager):
    """Holds the tokens of one OAuth client.

    Args:
        client_config: The client.
        client_secrets_path: Its client_secrets.json, instead of ``client_config``; by default the
            file that ``TOKENTOSS_CLIENT_SECRETS`` names, or the one that ``configure`` installed.
        storage: Where tokens are kept; by default in a file of the user's configuration folder, and in an
            app that several people use in memory.
        scopes: The scopes to ask for; by default the provider's.
        max_session_lifetime_hours: Hours after which a sign-in is no longer used.
        provider: The provider; by default the one that the client's endpoints belong to.
        hosted_domain: The domain that the user's account must belong to (claim ``hd``).
        account: The stored account to use: its e-mail address or its key, ``issuer#subject``; by
            default the one that signed in last.

    Attributes:
        last_error: What went wrong last; None after a success.

    Raises:
        ConfigurationError: If there is no client, or it is not usable (also a ValueError);
            ``client_of_another_provider`` if it is not the provider's; or if several people use this app,
            and the storage is one for all of them.
        DiscoveryError: If the client is of another provider than Google, which only the stored tokens
            name, and its metadata cannot be fetched.
    """

    def __init__(
        self,
        client_config: ClientConfig | None = None,
        client_secrets_path: str | Path | None = None,
        storage: TokenStorage | None = None,
        scopes: list[str] | None = None,
        max_session_lifetime_hours: float = DEFAULT_MAX_SESSION_LIFETIME_HOURS,
        *,
        provider: Provider | None = None,
        hosted_domain: str | None = None,
        account: str | Account | None = None,
    ) -> None:
        if client_config is None:
            client_config = (
                ClientConfig.from_file(client_secrets_path)
                if client_secrets_path is not None
                else ClientConfig.discover()
            )
        if storage is not None:
            require_own(storage)
        chosen: TokenStorage = storage if storage is not None else default_storage()
        provider = provider or provider_of(client_config, chosen)
        require_client_of(client_config, provider)
        self.scopes = list(scopes if scopes is not None else provider.scopes)
        provider.require_scopes(self.scopes)
        require_identity(provider, hosted_domain)
        super().__init__(
            client_config,
            provider,
            chosen,
            max_session_lifetime_hours=max_session_lifetime_hours,
            hosted_domain=hosted_domain,
            account=account,
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Shown:
        """Show who is signed in: a widget in a notebook, one line elsewhere."""
        return shown(self, **kwargs)

    def accept(
        self, response: TokenResponse, *, nonce: str | None, received_at: float | None = None
    ) -> TokenData:
        """Validate the tokens of a sign-in, keep and store them.

        Where the provider has no OpenID Connect, its identity endpoint says whose they are.

        Args:
            response: The token endpoint's answer.
            nonce: The nonce of the authorization request.
            received_at: When the answer arrived, in Unix seconds of the receiver's clock.

        Raises:
            IdTokenError: If the ID token does not hold what it must; nothing is kept then.
            TokenExchangeError: ``identity_unreachable`` or ``identity_invalid``; nothing is kept then.
            SignInError: ``clock_skew`` or ``hosted_domain_mismatch``.
        """
        client_id = self.client_config.client_id
        nonce = secret_or_none(nonce)
        if self.provider.openid_connect:
            tokens = identified_by_id_token(
                response,
                provider=self.provider,
                client_id=client_id,
                requested_scopes=self.scopes,
                hosted_domain=self.hosted_domain,
                nonce=nonce,
                received_at=received_at,
            )
        else:
            tokens = identified_by_endpoint(
                response, provider=self.provider, client_id=client_id, requested_scopes=self.scopes
            )
        tokens = ending_after(continued(tokens, self._known(tokens)), self.max_session_lifetime_hours)
        self.last_error = None
        self._account_change.meet(Account.of(tokens))
        self._begin(self._store.sign_in(tokens))
        return tokens

    def accept_code(
        self, code: str, code_verifier: str, redirect_uri: str, *, nonce: str | None
    ) -> TokenData:
        """Redeem the code of a sign-in, once, then validate, keep and store the tokens.

        Args:
            code: The authorization code.
            code_verifier: The verifier of the authorization request.
            redirect_uri: The redirect URI of the authorization request.
            nonce: The nonce of the authorization request.

        Raises:
            TokenExchangeError: If the token endpoint gives no tokens, or the ID token is not valid.
            SignInError: ``clock_skew`` or ``hosted_domain_mismatch``.
        """
        code, code_verifier = Secret(code), Secret(code_verifier)
        response = redeem_code(
            self.provider.token_endpoint, self._client_fields(), code, code_verifier, redirect_uri
        )
        return self.accept(response, nonce=nonce, received_at=time.time())

    def get_authorization_url(
        self,
        code_challenge: str,
        redirect_uri: str = "http://localhost",
        state: str | None = None,
        *,
        login_hint: str | None = None,
        another_account: bool = False,
    ) -> str:
        """Return the address of the provider's sign-in page, for code that drives a sign-in by itself.

        Args:
            code_challenge: The S256 challenge of the code verifier.
            redirect_uri: Where the provider sends the code.
            state: A value that comes back with the code; by default a random one.
            login_hint: The account that the provider should suggest.
            another_account: Whether the provider should ask which account to use.
        """
        hints = {"login_hint": login_hint, "hd": self.hosted_domain}
        return authorization_url(
            self.provider.authorization_endpoint,
            {
                **{name: value for name, value in hints.items() if value},
                **self.authorization_params(another_account=another_account),
                "client_id": self.client_config.client_id,
                "redirect_uri": redirect_uri,
                **({"scope": " ".join(self.scopes)} if self.scopes else {}),
                "state": state or random_b64url(32),
            },
            code_challenge,
            openid_connect=self.provider.openid_connect,
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
        auth_code, code_verifier = Secret(auth_code), Secret(code_verifier)
        try:
            nonce = nonce_of(challenge_of(code_verifier))
            return self.accept_code(auth_code, code_verifier, redirect_uri, nonce=nonce)
        except TokenExchangeError as failure:
            raise self._remember(failure) from None
        except SignInError as failure:
            raise self._remember(TokenExchangeError(str(failure), code=failure.code)) from None

    def sign_in_by_code(self) -> DeviceSignIn[TokenData]:
        """Begin a sign-in whose code the user enters on a page, on any device (RFC 8628).

        Raises:
            SignInError: ``device_authorization_unsupported`` if the provider offers none, or why it gave
                no code.
        """
        from tokentoss.oauth.device_authorization import DeviceSignIn  # noqa: PLC0415 - few sign-ins need it

        # This grant has no nonce: the device code, which only this kernel knows, binds the answer.
        accept = partial(self.accept, nonce=None)
        return DeviceSignIn(self.provider, self._client_fields(), self.scopes, accept)

    def userinfo(self) -> dict[str, Any]:
        """Ask the provider for the claims about the user who is signed in (OpenID Connect Core 5.3).

        The access token is renewed first if it is about to expire. Nothing of the answer is kept.

        Raises:
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If the access token has expired and cannot be renewed.
            IdTokenError: If the ID token's signature, checked late, is not the provider's.
            UserinfoError: If there is no usable answer, or it is about another user than the ID token.
        """
        access_token = secret_or_none(self.access_token)
        session = self._session_in_use()
        if session is not None and not session.tokens.signature_checked:
            # Whose claims are acceptable is what the ID token says, so it must be the provider's own.
            session = self._check_signature(session)
        if access_token is None or session is None:
            raise NoCredentialsError(subject=f"the auth manager ({self.why_signed_out})")
        return fetch_userinfo(self.provider, access_token, session.tokens.subject)

    def for_another_process(self) -> tuple[Callable[[Any], TokensOfUser], Any]:
        """Return what a pickle of the credentials holds: how a manager is made there, and from what.

        Raises:
            TypeError: If the tokens are kept in memory.
        """
        account, config = self.account, self.client_config
        return manager_of, StoredSession(
            place=place_of(self.storage),
            account=None if account is None else account.key,
            provider=self.provider,
            client_id=config.client_id,
            client_secrets_path=config.source,
            max_session_lifetime_hours=self.max_session_lifetime_hours,
        )

    def authorization_params(self, *, another_account: bool = False) -> dict[str, str]:
        """Return the provider's parameters for the next authorization request.

        Args:
            another_account: Whether the provider should ask which account to use.
        """
        if another_account:
            # What is known of the account in use says nothing of the one that the user will choose.
            consent = self.provider.consent_for(self.scopes)
            return self.provider.asking_for_account({**self.provider.authorization_params, **consent})
        session = self._store.session
        has_refresh_token = session is not None and bool(session.tokens.refresh_token)
        more = bool(self.missing_scopes)
        # More scopes need a refresh token that carries them, which comes with consent.
        consent = {} if has_refresh_token and not more else self.provider.consent_for(self.scopes)
        incremental = self.provider.incremental_params if more else {}
        return {**self.provider.authorization_params, **consent, **incremental}

    @property
    def granted_scopes(self) -> list[str]:
        """The scopes that the user granted; none when signed out."""
        session = self._store.session
        return list(session.tokens.scopes) if session else []

    @property
    def missing_scopes(self) -> list[str]:
        """The scopes that were asked for, and not granted; none when signed out."""
        session = self._store.session
        return missing_from(session.tokens, self.scopes, self.provider) if session else []

    def request_scopes(self, *scopes: str) -> list[str]:
        """Ask for these scopes, too, at the next sign-in, and return those that are not granted yet.

        What was granted stays usable meanwhile.
        """
        self.scopes = joined(self.scopes, scopes)
        return self.missing_scopes

    def _known(self, tokens: TokenData) -> TokenData | None:
        """Return what is known of the account that signs in."""
        session = self._store.session
        if session is not None and grant_of(session.tokens) == grant_of(tokens):
            return session.tokens
        try:
            return self._store.counterpart(tokens)
        except StorageError:
            return None


class DetachedManager(AuthManager):
    """An auth manager beside the sign-in of a user: it leaves ``tokentoss.CREDENTIALS`` alone.

    Clients make one for an account of their own choice, which must not become that of other clients.
    """

    @property
    def signed_in_order(self) -> tuple[float, int] | None:
        """None: no other client chooses this session."""
        return None

    def _publish(self, *, only_if_free: bool = False) -> None:
        pass


def manager_of(stored: StoredSession) -> DetachedManager:
    """Return a manager for tokens that another process stored."""
    return DetachedManager(
        stored.client_config(),
        storage=stored.storage(),
        provider=stored.provider,
        account=stored.account,
        max_session_lifetime_hours=stored.max_session_lifetime_hours,
    )
