"""Sign in from a Jupyter notebook: one click, a popup, and Python holds validated tokens.

    from tokentoss import GoogleAuthWidget, IAPClient

    widget = GoogleAuthWidget(client_secrets_path="./client_secrets.json")
    display(widget)

    client = IAPClient(base_url="https://my-service.example.com")
    data = client.get_json("/api/data")

Every name is imported on first use (PEP 562), so ``import tokentoss`` costs next to nothing.
"""

import sys

from tokentoss import former_modules
from tokentoss._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.cli.login import login
    from tokentoss.clients.api import APIClient
    from tokentoss.clients.errors import (
        ServiceAnswerError,
        ServiceAudienceMismatchError,
        ServiceError,
        ServiceForbiddenError,
        ServiceRedirectError,
        ServiceScopeMissingError,
        ServiceSignInRedirectError,
        ServiceTimeoutError,
        ServiceUnauthenticatedError,
        ServiceUnreachableError,
    )
    from tokentoss.clients.httpx_auth import HTTPXAuth
    from tokentoss.clients.iap import IAPClient
    from tokentoss.clients.requests_auth import RequestsAuth
    from tokentoss.config.client_config import ClientConfig, get_config_path
    from tokentoss.config.install import configure, configure_from_credentials, configure_from_file
    from tokentoss.exceptions import (
        ClientSecretsNotFoundError,
        ConfigurationError,
        DiscoveryError,
        HandOffError,
        IdTokenError,
        InsecureFilePermissionsWarning,
        KeyringUnavailableWarning,
        NoCredentialsError,
        ReauthRequiredError,
        RevocationError,
        SignInError,
        StorageError,
        TokenExchangeError,
        TokenRefreshError,
        TokensInMemoryWarning,
        TokenTossError,
        UserinfoError,
    )
    from tokentoss.logs import disable_debug, enable_debug
    from tokentoss.oauth.constants import DEFAULT_SCOPES
    from tokentoss.oauth.pkce import generate_pkce_pair
    from tokentoss.oauth.provider import BOX, GOOGLE, Provider
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.session.broker_manager import BrokerManager
    from tokentoss.session.google_credentials import Credentials
    from tokentoss.session.sign_out import SignOutResult
    from tokentoss.storage import FileStorage, KeyringStorage, MemoryStorage, TokenStorage
    from tokentoss.storage.accounts import Account
    from tokentoss.storage.token_data import TokenData
    from tokentoss.widgets import (
        AuthWidget,
        BoxAuthWidget,
        ConfigureWidget,
        GoogleAuthWidget,
        StatusWidget,
    )
    from tokentoss.workload.service_credentials import ServiceCredentials

CREDENTIALS: "Credentials | None"
"""The credentials of the latest sign-in of this process at a provider that gives ID tokens;
:class:`AuthManager` keeps it up to date."""

__all__ = [
    "BOX",
    "CREDENTIALS",
    "DEFAULT_SCOPES",
    "GOOGLE",
    "APIClient",
    "Account",
    "AuthManager",
    "AuthWidget",
    "BoxAuthWidget",
    "Broker",
    "BrokerManager",
    "ClientConfig",
    "ClientSecretsNotFoundError",
    "ConfigurationError",
    "ConfigureWidget",
    "DiscoveryError",
    "FileStorage",
    "GoogleAuthWidget",
    "HandOffError",
    "IAPClient",
    "IdTokenError",
    "InsecureFilePermissionsWarning",
    "KeyringStorage",
    "KeyringUnavailableWarning",
    "MemoryStorage",
    "NoCredentialsError",
    "Provider",
    "ReauthRequiredError",
    "RequestsAuth",
    "RevocationError",
    "ServiceAnswerError",
    "ServiceAudienceMismatchError",
    "ServiceCredentials",
    "ServiceError",
    "ServiceForbiddenError",
    "ServiceRedirectError",
    "ServiceScopeMissingError",
    "ServiceSignInRedirectError",
    "ServiceTimeoutError",
    "ServiceUnauthenticatedError",
    "ServiceUnreachableError",
    "SignInError",
    "SignOutResult",
    "StatusWidget",
    "StorageError",
    "TokenData",
    "TokenExchangeError",
    "TokenRefreshError",
    "TokenStorage",
    "TokenTossError",
    "TokensInMemoryWarning",
    "UserinfoError",
    "__version__",
    "configure",
    "configure_from_credentials",
    "configure_from_file",
    "disable_debug",
    "enable_debug",
    "generate_pkce_pair",
    "get_config_path",
    "login",
]

if any(finder.find_spec("httpx", None) for finder in sys.meta_path):
    # Without this optional dependency, the name would break ``from tokentoss import *``.
    __all__ += ["HTTPXAuth"]

_HOME_OF = {
    "APIClient": "clients.api",
    "Account": "storage.accounts",
    "AuthManager": "session.auth_manager",
    "AuthWidget": "widgets",
    "BOX": "oauth.provider",
    "BoxAuthWidget": "widgets",
    "Broker": "broker.address",
    "BrokerManager": "session.broker_manager",
    "ClientConfig": "config.client_config",
    "ClientSecretsNotFoundError": "exceptions",
    "ConfigurationError": "exceptions",
    "ConfigureWidget": "widgets",
    "DEFAULT_SCOPES": "oauth.constants",
    "DiscoveryError": "exceptions",
    "FileStorage": "storage",
    "GOOGLE": "oauth.provider",
    "GoogleAuthWidget": "widgets",
    "HTTPXAuth": "clients.httpx_auth",
    "HandOffError": "exceptions",
    "IAPClient": "clients.iap",
    "IdTokenError": "exceptions",
    "InsecureFilePermissionsWarning": "exceptions",
    "KeyringStorage": "storage",
    "KeyringUnavailableWarning": "exceptions",
    "MemoryStorage": "storage",
    "NoCredentialsError": "exceptions",
    "Provider": "oauth.provider",
    "ReauthRequiredError": "exceptions",
    "RequestsAuth": "clients.requests_auth",
    "RevocationError": "exceptions",
    "ServiceAnswerError": "clients.errors",
    "ServiceAudienceMismatchError": "clients.errors",
    "ServiceCredentials": "workload.service_credentials",
    "ServiceError": "clients.errors",
    "ServiceForbiddenError": "clients.errors",
    "ServiceRedirectError": "clients.errors",
    "ServiceScopeMissingError": "clients.errors",
    "ServiceSignInRedirectError": "clients.errors",
    "ServiceTimeoutError": "clients.errors",
    "ServiceUnauthenticatedError": "clients.errors",
    "ServiceUnreachableError": "clients.errors",
    "SignInError": "exceptions",
    "SignOutResult": "session.sign_out",
    "StatusWidget": "widgets",
    "StorageError": "exceptions",
    "TokenData": "storage.token_data",
    "TokenExchangeError": "exceptions",
    "TokenRefreshError": "exceptions",
    "TokenStorage": "storage",
    "TokenTossError": "exceptions",
    "TokensInMemoryWarning": "exceptions",
    "UserinfoError": "exceptions",
    "configure": "config.install",
    "configure_from_credentials": "config.install",
    "configure_from_file": "config.install",
    "disable_debug": "logs",
    "enable_debug": "logs",
    "generate_pkce_pair": "oauth.pkce",
    "get_config_path": "config.client_config",
    "login": "cli.login",
}


def __getattr__(name: str) -> object:
    """Import a public name on its first use."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        value = getattr(import_module(f"{__name__}.{home}"), name)
    except ImportError as failure:
        if name in __all__:
            raise
        # hasattr and its like ask for names; only this error is an answer to them.
        raise AttributeError(str(failure), name=name, obj=sys.modules[__name__]) from failure
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})


class _Package(type(sys)):  # type: ignore[misc]
    """This module's class, which makes ``CREDENTIALS`` when it is asked for: it costs google-auth."""

    @property
    def CREDENTIALS(self) -> "Credentials | None":
        """The credentials of the latest sign-in, or those that somebody set instead."""
        from tokentoss.session import default_credentials

        credentials: Credentials | None = default_credentials.current()
        return credentials

    @CREDENTIALS.setter
    def CREDENTIALS(self, value: "Credentials | None") -> None:
        from tokentoss.session import default_credentials

        default_credentials.set_by_hand(value)

    @CREDENTIALS.deleter
    def CREDENTIALS(self) -> None:
        self.CREDENTIALS = None


sys.modules[__name__].__class__ = _Package
former_modules.install(__name__)
