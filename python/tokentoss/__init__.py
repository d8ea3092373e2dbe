"""Sign in from a Jupyter notebook: one click, a popup, and Python holds validated tokens.

    from tokentoss import GoogleAuthWidget, IAPClient

    widget = GoogleAuthWidget(client_secrets_path="./client_secrets.json")
    display(widget)

    client = IAPClient(base_url="https://my-service.example.com")
    data = client.get_json("/api/data")

Every name is imported on first use (PEP 562), so ``import tokentoss`` costs next to nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        NoCredentialsError,
        SignInError,
        StorageError,
        TokenExchangeError,
        TokenRefreshError,
        TokenTossError,
    )
    from tokentoss.logs import disable_debug, enable_debug
    from tokentoss.pkce import generate_pkce_pair
    from tokentoss.providers import DEFAULT_SCOPES, GOOGLE, Provider
    from tokentoss.service_errors import ServiceError
    from tokentoss.storage import FileStorage, MemoryStorage
    from tokentoss.tokens import TokenData
    from tokentoss.widgets import AuthWidget, GoogleAuthWidget

__version__ = "0.2.0"

CREDENTIALS: "Credentials | None" = None
"""The credentials of the latest sign-in of this process; :class:`AuthManager` keeps it up to date."""

__all__ = [
    "CREDENTIALS",
    "DEFAULT_SCOPES",
    "GOOGLE",
    "AuthManager",
    "AuthWidget",
    "ClientConfig",
    "ClientSecretsNotFoundError",
    "ConfigurationError",
    "DiscoveryError",
    "FileStorage",
    "GoogleAuthWidget",
    "HandOffError",
    "IAPClient",
    "IdTokenError",
    "InsecureFilePermissionsWarning",
    "MemoryStorage",
    "NoCredentialsError",
    "Provider",
    "ServiceError",
    "SignInError",
    "StorageError",
    "TokenData",
    "TokenExchangeError",
    "TokenRefreshError",
    "TokenTossError",
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
    "AuthManager": "auth_manager",
    "AuthWidget": "widgets",
    "ClientConfig": "configuration",
    "ClientSecretsNotFoundError": "exceptions",
    "ConfigurationError": "exceptions",
    "DEFAULT_SCOPES": "providers",
    "DiscoveryError": "exceptions",
    "FileStorage": "storage",
    "GOOGLE": "providers",
    "GoogleAuthWidget": "widgets",
    "HandOffError": "exceptions",
    "IAPClient": "client",
    "IdTokenError": "exceptions",
    "InsecureFilePermissionsWarning": "exceptions",
    "MemoryStorage": "storage",
    "NoCredentialsError": "exceptions",
    "Provider": "providers",
    "ServiceError": "service_errors",
    "SignInError": "exceptions",
    "StorageError": "exceptions",
    "TokenData": "tokens",
    "TokenExchangeError": "exceptions",
    "TokenRefreshError": "exceptions",
    "TokenTossError": "exceptions",
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
