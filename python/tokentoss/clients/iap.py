"""An HTTP client for a service that takes ID tokens, such as one behind Google's Identity-Aware Proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.base import ServiceClient
from tokentoss.clients.brokers import manager_of, through_of
from tokentoss.clients.errors import ServiceAudienceMismatchError
from tokentoss.clients.id_tokens import IdTokens
from tokentoss.oauth.id_token import unverified_claims
from tokentoss.util.urls import origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.broker.address import Broker
    from tokentoss.clients.account_token import AccountToken
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.auth_manager import AuthManager


class IAPClient(ServiceClient):
    """Calls a service with the ID token of whoever is signed in.

    The token goes to the origin of ``base_url`` and to ``allowed_origins`` only (https, or http on
    this machine). It comes from ``auth_manager``; without one, from ``tokentoss.CREDENTIALS`` or another
    sign-in of this process, or else from the token file (``TOKENTOSS_TOKEN_FILE``, or the default one), whose
    tokens are renewed with the configured client. The client then stays with the account that it first used,
    and says so when that session has ended. On a 401 the token is renewed and the call repeated once, if its
    body can be sent again.

    Args:
        base_url: The service's address. Without one, calls need absolute addresses, each of which is
            then the caller's own choice of where the token goes.
        auth_manager: Whose token to use.
        timeout: Seconds to wait for each step of a call.
        allowed_origins: Further origins that the token may go to, by address or redirect.
        header: The header that carries the token: ``Authorization``; ``Proxy-Authorization``, which IAP
            takes as well; or ``X-Serverless-Authorization`` of Cloud Run. With the latter two, the
            caller's own ``Authorization`` and ``auth`` go to the service behind.
        expected_audience: The client ID that the token must be for, if the service takes that one only.
        provider: Whose tokens the service takes, and no other's; by default Google's. A :class:`Provider`,
            its issuer (``"https://login.example.com"``), or the name of one that comes with the package.
        broker: The broker to ask for tokens, an address or a :class:`tokentoss.broker.Broker`, in place of
            all of these; then the provider is Google unless given.
        through: Whether the broker makes the calls, so that this process holds no token at all.

    Raises:
        ConfigurationError: ``address_insecure`` if one of the addresses is not https (or http on
            loopback), ``provider_unknown`` or ``provider_without_id_tokens``, or if provider and manager do
            not belong together; ``broker_conflict`` if a broker is given beside a manager.
    """

    def __init__(
        self,
        base_url: str | None = None,
        auth_manager: AuthManager | None = None,
        timeout: float = 30,
        *,
        allowed_origins: Iterable[str] | None = None,
        header: str = "Authorization",
        expected_audience: str | None = None,
        provider: Provider | str | None = None,
        broker: Broker | str | None = None,
        through: bool = False,
    ) -> None:
        super().__init__(base_url, timeout, allowed_origins, header)
        self.expected_audience = expected_audience
        if through:
            self._tokens = through_of(
                broker,
                "id_token",
                provider=provider,
                auth_manager=auth_manager,
                expected_audience=expected_audience,
                header=header,
            )
        elif broker is not None:
            self._tokens = IdTokens(manager_of(broker, auth_manager, provider), provider, stays=True)
        else:
            self._tokens = IdTokens(auth_manager, provider)

    def _token(self, url: str) -> AccountToken:
        token = self._tokens.current()
        if self.expected_audience is not None:
            audience = unverified_claims(token).get("aud")
            if audience != self.expected_audience and (
                not isinstance(audience, list) or self.expected_audience not in audience
            ):
                raise ServiceAudienceMismatchError(subject=origin_of(url))
        return token
