"""An HTTP client for a service that takes access tokens, such as Box's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.access_tokens import AccessTokens
from tokentoss.clients.base import ServiceClient

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.oauth.provider import Provider
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.storage.accounts import Account


class APIClient(ServiceClient):
    """Calls a service with the access token of whoever is signed in; the sibling of :class:`IAPClient`.

    The token goes to the origin of ``base_url`` and to ``allowed_origins`` only (https, or http on
    this machine). It comes from ``auth_manager``; or else from the latest sign-in of this process at
    ``provider``; or else from the token file (``TOKENTOSS_TOKEN_FILE``, or the default one), whose
    tokens are renewed with the configured client. Without a manager, the client stays with the account
    that it first used, and says so when that session has ended. On a 401 the token is renewed and the call
    repeated once, if its body can be sent again.

    Args:
        base_url: The service's address. Without one, calls need absolute addresses, each of which is
            then the caller's own choice of where the token goes.
        provider: The provider whose tokens the service takes, its issuer, or the name of one that comes with
            the package; needed without ``auth_manager``.
        auth_manager: Whose token to use.
        account: Which account's token to use, where several are signed in: an account, its key, or its
            e-mail address or login.
        timeout: Seconds to wait for each step of a call.
        allowed_origins: Further origins that the token may go to, by address or redirect.

    Raises:
        ConfigurationError: ``address_insecure`` if one of the addresses is not https (or http on
            loopback); or if neither a provider nor a manager is given.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        provider: Provider | str | None = None,
        auth_manager: AuthManager | None = None,
        account: str | Account | None = None,
        timeout: float = 30,
        allowed_origins: Iterable[str] | None = None,
    ) -> None:
        super().__init__(base_url, timeout, allowed_origins)
        self._tokens = AccessTokens(provider, auth_manager, account)
