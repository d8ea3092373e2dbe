"""The tokens of an auth manager as credentials of google-auth, for Google's own client libraries."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from google.auth import exceptions as google_exceptions
from google.oauth2 import credentials as google_credentials

from tokentoss.exceptions import NoCredentialsError, TokenRefreshError, TokenTossError
from tokentoss.util.failures import without_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.config.client_config import ClientConfig
    from tokentoss.oauth.provider import Provider
    from tokentoss.storage.token_data import TokenData


class TokensOfUser(Protocol):
    """An auth manager, as far as it matters here."""

    client_config: ClientConfig
    provider: Provider

    @property
    def access_token(self) -> str | None:
        """The access token, renewed first if it is about to expire."""

    @property
    def id_token(self) -> str | None:
        """The ID token, renewed first if it is about to expire."""

    @property
    def is_authenticated(self) -> bool:
        """Whether a call could be made."""

    @property
    def token_data(self) -> TokenData | None:
        """The tokens as they are."""

    @property
    def user_email(self) -> str | None:
        """The user's e-mail address."""

    @property
    def why_signed_out(self) -> str:
        """Why nobody is signed in."""

    def renew_access_token(self) -> None:
        """Renew the access token."""

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what IPython displays."""

    def for_another_process(self) -> tuple[Callable[[Any], TokensOfUser], Any]:
        """Return what a pickle holds: how a manager is made there, and from what."""


class CredentialsRefreshError(TokenRefreshError, google_exceptions.RefreshError):
    """The tokens could not be renewed, as an error that Google's libraries know, too."""

    def __init__(self, failure: TokenTossError, *, retryable: bool) -> None:
        google_exceptions.RefreshError.__init__(  # type: ignore[no-untyped-call]
            self, str(failure), retryable=retryable
        )
        self.code = failure.code
        self.cause, self.action, self.retry_after = failure.cause, failure.action, failure.retry_after
        self.trace_id = failure.trace_id


class Credentials(google_credentials.Credentials):
    """The tokens of an :class:`AuthManager`, always the current ones.

    It keeps no token itself, so nothing in it can grow old, and renews through its manager: threads
    and processes that need a renewal at once make one request. A pickle holds no token either, but
    says where they are stored; so it works where the same storage and client are at hand, as in other
    processes of the user on this machine.

    Args:
        manager: Whose tokens these are.
        quota_project_id: The project that pays for calls.
    """

    def __init__(self, manager: TokensOfUser, *, quota_project_id: str | None = None) -> None:
        self.manager = manager
        super().__init__(None, quota_project_id=quota_project_id)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"Credentials(expired={self.expired}, token=redacted, id_token=redacted)"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Show whose tokens these are, as the auth manager does."""
        return self.manager._repr_mimebundle_(**kwargs)

    def __reduce__(self) -> Any:
        return _restored, (*self.manager.for_another_process(), self.quota_project_id)

    def __copy__(self) -> Credentials:
        return self._make_copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Credentials:
        return self._make_copy()

    @property
    def token(self) -> str | None:
        """The access token as it is, without a renewal."""
        tokens = self._tokens
        return tokens.access_token if tokens else None

    @token.setter
    def token(self, value: str | None) -> None:
        """Take the None that the base class starts with; only the manager changes tokens."""
        if value is not None:
            raise AttributeError("the auth manager alone changes the token")

    @property
    def expiry(self) -> datetime | None:
        """When the access token expires, in UTC without a time zone, as google-auth has it."""
        tokens = self._tokens
        return _expiry_of(tokens) if tokens else None

    @expiry.setter
    def expiry(self, value: datetime | None) -> None:
        if value is not None:
            raise AttributeError("the auth manager alone changes the expiry")

    @property
    def id_token(self) -> str | None:
        """The ID token, renewed if it is about to expire; its expiry is its own."""
        return self.manager.id_token

    @property
    def refresh_token(self) -> str | None:
        """The refresh token, if the provider gave one."""
        tokens = self._tokens
        return (tokens.refresh_token or None) if tokens else None

    @property
    def scopes(self) -> list[str]:
        """The scopes that were granted."""
        tokens = self._tokens
        return list(tokens.scopes) if tokens else []

    @property
    def granted_scopes(self) -> list[str]:
        """The scopes that were granted."""
        return self.scopes

    @property
    def _scopes(self) -> list[str]:
        return self.scopes

    @_scopes.setter
    def _scopes(self, value: object) -> None:
        """Take what the base class starts with."""

    @property
    def token_uri(self) -> str:
        """The token endpoint."""
        return self.manager.provider.token_endpoint

    @property
    def client_id(self) -> str:
        """The client."""
        return self.manager.client_config.client_id

    @property
    def client_secret(self) -> str:
        """The client's secret; empty for a public client."""
        return self.manager.client_config.client_secret

    @property
    def account(self) -> str:
        """The user's e-mail address, or ``""``."""
        return self.manager.user_email or ""

    @property
    def refresh_handler(self) -> Callable[..., tuple[str, datetime]]:
        """A function for credentials of others that are to get their tokens from here.

        It follows google-auth: ``handler(request, scopes)`` returns the access token and its expiry in
        UTC without a time zone, which lies further ahead than google-auth's threshold of 225 seconds,
        unless the provider's tokens do not live that long.
        """
        return self._token_and_expiry

    @refresh_handler.setter
    def refresh_handler(self, value: object) -> None:
        if value is not None:
            raise AttributeError("these credentials are renewed by their auth manager")

    def refresh(self, request: object = None) -> None:  # noqa: ARG002 - the manager has a transport of its own
        """Renew the tokens, unless that has just happened.

        While the provider cannot renew, an access token that is still valid stays in use.

        Raises:
            CredentialsRefreshError: If there is no valid token (also a ``google.auth`` RefreshError).
        """
        try:
            self.manager.renew_access_token()
        except TokenTossError as failure:
            has_ended = not self.manager.is_authenticated
            raise CredentialsRefreshError(failure, retryable=not has_ended) from without_frames(failure)

    def with_quota_project(self, quota_project_id: str | None) -> Credentials:
        """Return these credentials with another project that pays."""
        return Credentials(self.manager, quota_project_id=quota_project_id)

    def with_token_uri(self, token_uri: str) -> Credentials:
        """Refuse: a refresh token goes to the endpoint that gave it and nowhere else."""
        raise ValueError(f"the token endpoint is pinned; {token_uri!r} was not taken")

    def with_account(self, account: str) -> Credentials:
        """Return these credentials; whose they are is settled by the sign-in."""
        del account
        return self._make_copy()

    def _make_copy(self) -> Credentials:
        return self.with_quota_project(self.quota_project_id)

    def _token_and_expiry(self, request: object, scopes: object = None) -> tuple[str, datetime]:
        del request, scopes
        try:
            is_signed_in = self.manager.access_token is not None
        except TokenTossError as failure:
            retryable = self.manager.is_authenticated
            raise CredentialsRefreshError(failure, retryable=retryable) from without_frames(failure)
        # Both of the same tokens: a renewal by another thread may come between two looks.
        tokens = self._tokens if is_signed_in else None
        if tokens is None:
            nobody = NoCredentialsError(subject=f"the auth manager ({self.manager.why_signed_out})")
            raise CredentialsRefreshError(nobody, retryable=False) from nobody
        return tokens.access_token, _expiry_of(tokens)

    @property
    def _tokens(self) -> TokenData | None:
        return self.manager.token_data


def _expiry_of(tokens: TokenData) -> datetime:
    return tokens.expiry_datetime.astimezone(timezone.utc).replace(tzinfo=None)


def _restored(make: Callable[[Any], TokensOfUser], stored: Any, quota_project_id: str | None) -> Credentials:
    """Build credentials from a pickle: from the storage that it names, with the client of this machine."""
    return Credentials(make(stored), quota_project_id=quota_project_id)
