"""Sign in from a Jupyter notebook: one click, a popup, and Python holds validated tokens.

    from tokentoss import GoogleAuthWidget, IAPClient

    widget = GoogleAuthWidget(client_secrets_path="./client_secrets.json")
    display(widget)

    client = IAPClient(base_url="https://my-service.example.com")
    data = client.get_json("/api/data")

Every name is imported on first use (PEP 562), so ``import tokentoss`` costs next to nothing.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokentoss.accounts import Account
    from tokentoss.adapters.httpx_auth import HTTPXAuth
    from tokentoss.adapters.requests_auth import RequestsAuth
    from tokentoss.api_client import APIClient
    from tokentoss.auth_manager import AuthManager
    from tokentoss.client import IAPClient
    from tokentoss.configuration import (
        ClientConfig,
        configure,
        configure_from_credentials,
        configure_from_file,
        get_config_path,
    )
    from tokentoss.credentials import Credentials
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
        TokenTossError,
        UserinfoError,
    )
    from tokentoss.logs import disable_debug, enable_debug
    from tokentoss.pkce import generate_pkce_pair
    from tokentoss.providers import BOX, DEFAULT_SCOPES, GOOGLE, Provider
    from tokentoss.service_errors import ServiceError
    from tokentoss.sign_out import SignOutResult
    from tokentoss.storage import FileStorage, KeyringStorage, MemoryStorage, TokenStorage
    from tokentoss.token_keeper import TokenKeeper
    from tokentoss.tokens import TokenData
    from tokentoss.widgets import AuthWidget, BoxAuthWidget, ConfigureWidget, GoogleAuthWidget

__version__ = "0.2.0"

CREDENTIALS: "Credentials | None"
"""The credentials of the latest sign-in of this process at a provider that gives ID tokens;
:class:`AuthManager` keeps it up to date."""

_published: "TokenKeeper | None" = None
_set_by_hand: "Credentials | None" = None

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
    "ClientConfig",
    "ClientSecretsNotFoundError",
    "ConfigurationError",
    "ConfigureWidget",
    "DiscoveryError",
    "FileStorage",
    "GoogleAuthWidget",
    "HTTPXAuth",
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
    "ServiceError",
    "SignInError",
    "SignOutResult",
    "StorageError",
    "TokenData",
    "TokenExchangeError",
    "TokenRefreshError",
    "TokenStorage",
    "TokenTossError",
    "UserinfoError",
    "__version__",
    "configure",
    "configure_from_credentials",
    "configure_from_file",
    "disable_debug",
    "enable_debug",
    "generate_pkce_pair",
    "get_config_path",
]

_HOME_OF = {
    "APIClient": "api_client",
    "Account": "accounts",
    "AuthManager": "auth_manager",
    "AuthWidget": "widgets",
    "BOX": "providers",
    "BoxAuthWidget": "widgets",
    "ClientConfig": "configuration",
    "ClientSecretsNotFoundError": "exceptions",
    "ConfigurationError": "exceptions",
    "ConfigureWidget": "widgets",
    "DEFAULT_SCOPES": "providers",
    "DiscoveryError": "exceptions",
    "FileStorage": "storage",
    "GOOGLE": "providers",
    "GoogleAuthWidget": "widgets",
    "HTTPXAuth": "adapters.httpx_auth",
    "HandOffError": "exceptions",
    "IAPClient": "client",
    "IdTokenError": "exceptions",
    "InsecureFilePermissionsWarning": "exceptions",
    "KeyringStorage": "storage",
    "KeyringUnavailableWarning": "exceptions",
    "MemoryStorage": "storage",
    "NoCredentialsError": "exceptions",
    "Provider": "providers",
    "ReauthRequiredError": "exceptions",
    "RequestsAuth": "adapters.requests_auth",
    "RevocationError": "exceptions",
    "ServiceError": "service_errors",
    "SignInError": "exceptions",
    "SignOutResult": "sign_out",
    "StorageError": "exceptions",
    "TokenData": "tokens",
    "TokenExchangeError": "exceptions",
    "TokenRefreshError": "exceptions",
    "TokenStorage": "storage",
    "TokenTossError": "exceptions",
    "UserinfoError": "exceptions",
    "configure": "configuration",
    "configure_from_credentials": "configuration",
    "configure_from_file": "configuration",
    "disable_debug": "logs",
    "enable_debug": "logs",
    "generate_pkce_pair": "pkce",
    "get_config_path": "configuration",
}


def __getattr__(name: str) -> object:
    """Import a public name on its first use."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
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
        return _set_by_hand or (_published.credentials_as_they_are if _published is not None else None)

    @CREDENTIALS.setter
    def CREDENTIALS(self, value: "Credentials | None") -> None:
        global _published, _set_by_hand
        _published, _set_by_hand = None, value

    @CREDENTIALS.deleter
    def CREDENTIALS(self) -> None:
        self.CREDENTIALS = None


sys.modules[__name__].__class__ = _Package
