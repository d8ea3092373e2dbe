"""An HTTP client for a service that takes access tokens, such as Box's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.access_tokens import AccessTokens
from tokentoss.clients.base import ServiceClient
from tokentoss.clients.brokers import manager_of, through_of
from tokentoss.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.broker.address import Broker
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
        broker: The broker to ask for tokens, an address or a :class:`tokentoss.broker.Broker`, in place of
            all of these; it needs ``provider``.
        through: Whether the broker makes the calls, so that this process holds no token at all.

    Raises:
        ConfigurationError: ``address_insecure`` if one of the addresses is not https (or http on
            loopback); or if neither a provider nor a manager is given; ``broker_conflict`` if a broker is
            given beside a manager.
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
        broker: Broker | str | None = None,
        through: bool = False,
    ) -> None:
        super().__init__(base_url, timeout, allowed_origins)
        if (through or broker is not None) and provider is None:
            raise ConfigurationError(code="provider_missing")
        if through:
            self._tokens = through_of(
                broker, "access_token", provider=provider, account=account, auth_manager=auth_manager
            )
        elif broker is not None:
            manager = manager_of(broker, auth_manager, provider, account)
            self._tokens = AccessTokens(provider, manager, None, stays=True)
        else:
            self._tokens = AccessTokens(provider, auth_manager, account)
