"""Exceptions of tokentoss.

    TokenTossError
    ├── ConfigurationError                  (also ValueError)
    │   └── ClientSecretsNotFoundError      (also FileNotFoundError)
    ├── DiscoveryError                      provider metadata
    ├── HandOffError                        page <-> kernel: sealing, tickets, the loopback listener
    ├── NoCredentialsError
    ├── RevocationError                     the provider did not revoke tokens that were removed here
    ├── ServiceError                        (also requests.HTTPError; in tokentoss.clients.errors)
    │   ├── ServiceUnauthenticatedError     401
    │   ├── ServiceForbiddenError           403
    │   │   └── ServiceScopeMissingError    the token lacks a scope
    │   ├── ServiceAnswerError              (also ValueError) an answer that is no JSON
    │   ├── ServiceAudienceMismatchError    the token is for another client than the service expects
    │   ├── ServiceSignInRedirectError      a redirect to the provider's sign-in page
    │   └── ServiceRedirectError            a redirect to any other foreign origin
    ├── ServiceUnreachableError             (also requests.ConnectionError) a service gave no answer
    │   └── ServiceTimeoutError             (also requests.Timeout)
    ├── SignInError                         the user, the browser or the provider ended a sign-in
    ├── StorageError
    ├── TokenExchangeError                  token endpoint, on a code
    │   └── IdTokenError                    an ID token that does not hold what it must
    ├── TokenRefreshError                   token endpoint, on a refresh token; service credentials
    │   └── ReauthRequiredError             the provider ended the grant: sign in again
    └── UserinfoError                       userinfo endpoint

    UserWarning
    ├── InsecureFilePermissionsWarning
    ├── KeyringUnavailableWarning
    └── TokensInMemoryWarning

In a notebook, errors that a traceback says nothing about are one line: not signed in, a session or sign-in
that ended, no client (``is_about_code``).

Every exception has a ``code`` from ``error_codes.json`` (see :mod:`tokentoss.error_codes`); no text of one
holds a token, a code, a verifier or a client secret.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from tokentoss import error_codes
from tokentoss.texts import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Callable


class TokenTossError(Exception):
    """Base of all exceptions of this package.

    Args:
        message: The sentence to show; by default that of ``code``.
        code: The stable code; by default that of the class.
        subject: The host, path or provider code that it is about.
        case: Which case of the code it is, where the table has a sentence of its own for that.

    Attributes:
        subject: What it is about, on one line, also where the sentence has no room for it; or None.
        cause: The code of what lies behind it, where a broker said so.
        action: What helps, where a broker said so: ``sign_in``, ``ask_admin``, ``retry``, ``fix_config``.
        retry_after: Seconds that a broker asked to wait.
        trace_id: Under what its administrator finds the request in the broker's log: 32 hexadecimal digits.
    """

    default_code = ""
    is_about_code: ClassVar[bool] = True
    """Whether a traceback says more than the sentence; not where the user has to act, such as sign in."""
    subject: str | None = None
    cause: str | None = None
    action: str | None = None
    retry_after: float | None = None
    trace_id: str | None = None

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        subject: str | None = None,
        case: str | None = None,
    ) -> None:
        self.code = self.default_code if code is None else code
        self.subject = error_codes.printable(subject) if subject else None
        self.case = case
        self._is_in_own_words = message is not None
        super().__init__(error_codes.sentence(self.code, subject, case=case) if message is None else message)

    @property
    def culprit(self) -> str:
        """Whose fault it is: ``provider_refused``, ``user``, ``environment``, ``configuration`` and so on."""
        return error_codes.culprit(self.code)

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        """How IPython shows this in a notebook: one line, where frames say nothing; ``%debug`` has them."""
        if self.is_about_code or not _is_shown_in_notebook():
            raise AttributeError("_render_traceback_")
        return lambda: [f"\x1b[31m{type(self).__name__}\x1b[39m: {self}"]

    def in_english(self) -> str:
        """Return the sentence as logs have it, whatever the user's language is."""
        return self.said_in(ENGLISH)

    def said_in(self, language: str) -> str:
        """Return the sentence in a language; one in words of its own stays as it is."""
        if self._is_in_own_words:
            return str(self)
        return error_codes.sentence(self.code, self.subject, language=language, case=self.case)


class ConfigurationError(TokenTossError, ValueError):
    """The client, the provider or an argument is not set up for a sign-in."""

    default_code = "argument_invalid"


class ClientSecretsNotFoundError(ConfigurationError, FileNotFoundError):
    """There is no client secrets file where one was looked for."""

    default_code = "client_secrets_missing"
    is_about_code = False


class DiscoveryError(TokenTossError):
    """The provider's metadata could not be fetched or cannot be trusted."""

    default_code = "discovery_invalid"


class HandOffError(TokenTossError):
    """The hand-off between the notebook page and the kernel failed."""

    default_code = "envelope_unreadable"


class NoCredentialsError(TokenTossError):
    """Nobody is signed in: no auth manager, no ``tokentoss.CREDENTIALS``, no usable token file."""

    default_code = "no_credentials"
    is_about_code = False


class RevocationError(TokenTossError):
    """Tokens that were removed here could not be revoked at the provider (RFC 7009)."""

    default_code = "revocation_failed"


class SignInError(TokenTossError):
    """A sign-in was ended by the user, the browser or the provider."""

    default_code = "sign_in_timed_out"
    is_about_code = False


class StorageError(TokenTossError):
    """Stored tokens could not be read or written."""

    default_code = "storage_unreadable"


class TokenExchangeError(TokenTossError):
    """The token endpoint gave no usable tokens for an authorization code."""

    default_code = "token_endpoint_failed"


class IdTokenError(TokenExchangeError):
    """An ID token failed validation (OpenID Connect Core 3.1.3.7)."""

    default_code = "id_token_malformed"


class TokenRefreshError(TokenTossError):
    """No usable tokens were given for a refresh token, or for service credentials."""

    default_code = "token_endpoint_failed"


class ReauthRequiredError(TokenRefreshError):
    """The provider ended the grant (``invalid_grant``): only a new sign-in helps; the code says why."""

    default_code = "invalid_grant"
    is_about_code = False


class UserinfoError(TokenTossError):
    """The userinfo endpoint gave no claims about the user who signed in (OpenID Connect Core 5.3)."""

    default_code = "userinfo_failed"


class InsecureFilePermissionsWarning(UserWarning):
    """Users other than the owner may read a token file."""


class KeyringUnavailableWarning(UserWarning):
    """Tokens go to a file, because there is no usable keyring."""


class TokensInMemoryWarning(UserWarning):
    """Tokens are kept until the process ends, because there is no place of the user's to store them."""


_CLASS_BY_PREFIX: tuple[tuple[str, type[TokenTossError]], ...] = (
    ("account_", NoCredentialsError),
    ("broker_unreachable", TokenRefreshError),
    ("broker_answer_invalid", TokenRefreshError),
    ("broker_token_foreign", TokenRefreshError),
    ("client_session_ended", NoCredentialsError),
    ("client_secrets_missing", ClientSecretsNotFoundError),
    ("cluster_unavailable", TokenRefreshError),
    ("directory_unavailable", TokenRefreshError),
    ("discovery_", DiscoveryError),
    ("envelope_", HandOffError),
    ("grant_", ReauthRequiredError),
    ("hub_unavailable", TokenRefreshError),
    ("id_token_", IdTokenError),
    ("identity_", TokenExchangeError),
    ("invalid_rapt", ReauthRequiredError),
    ("loopback_", HandOffError),
    ("key_unavailable", TokenRefreshError),
    ("minting_", TokenRefreshError),
    ("no_credentials", NoCredentialsError),
    ("not_connected", NoCredentialsError),
    ("provider_misbehaved", TokenRefreshError),
    ("provider_unavailable", TokenRefreshError),
    ("rate_limited", TokenRefreshError),
    ("reauth_required", ReauthRequiredError),
    ("refresh_", TokenRefreshError),
    ("request_incomplete", TokenRefreshError),
    ("revocation_", RevocationError),
    ("sealing_", HandOffError),
    ("scope_missing", ReauthRequiredError),
    ("session_expired", NoCredentialsError),
    ("signed_in_elsewhere", NoCredentialsError),
    ("signed_out_elsewhere", NoCredentialsError),
    # The broker's, whose callers wait for a renewal.
    ("storage_unavailable", TokenRefreshError),
    ("storage_", StorageError),
    ("target_misbehaved", TokenRefreshError),
    ("target_unavailable", TokenRefreshError),
    ("ticket_", HandOffError),
    ("token_", TokenExchangeError),
    ("userinfo_", UserinfoError),
)
_CLASS_BY_CULPRIT: dict[str, type[TokenTossError]] = {
    "configuration": ConfigurationError,
    "environment": SignInError,
    "provider_incompatible": SignInError,
    "provider_misbehaved": SignInError,
    "provider_refused": SignInError,
    "user": SignInError,
}


def error_for(code: str, subject: str | None = None) -> TokenTossError:
    """Return the exception of a code from the table, for instance one that a page reported.

    Codes of a service's answer (``service_*``, ``origin_not_allowed``) need the response and are
    raised by :class:`tokentoss.IAPClient` alone.
    """
    for prefix, by_prefix in _CLASS_BY_PREFIX:
        if code.startswith(prefix):
            return by_prefix(code=code, subject=subject)
    by_culprit = _CLASS_BY_CULPRIT.get(error_codes.culprit(code), TokenTossError)
    return by_culprit(code=code, subject=subject)


def _is_shown_in_notebook() -> bool:
    """Tell whether this is a kernel that shows tracebacks as usual; ``%xmode Verbose`` asks for more."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is None:
        return False
    return getattr(getattr(shell, "InteractiveTB", None), "mode", "") != "Verbose"
