"""An HTTP client for a service that takes ID tokens, such as one behind Google's Identity-Aware Proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.base import ServiceClient
from tokentoss.clients.brokers import manager_of, through_of
from tokentoss.clients.errors import ServiceAudienceMismatchError
from tokentoss.clients.id_tokens import IdTokens
from tokentoss.clients.service_tokens import ServiceTokens, service_tokens_of
from tokentoss.oauth.id_token import unverified_claims
from tokentoss.util.urls import origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.broker.address import Broker
    from tokentoss.clients.account_token import AccountToken
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.workload.service_credentials import ServiceCredentials


class IAPClient(ServiceClient):
    """Calls a service with the ID token of whoever is signed in, or of a service account.

    The token goes to the origin of ``base_url`` and to ``allowed_origins`` only (https, or http on
    this machine). It comes from ``auth_manager`` or ``credentials``; without either, from the service
    credentials that ``TOKENTOSS_SERVICE_CREDENTIALS`` names when the client is made. If that is not set, it
    comes from ``tokentoss.CREDENTIALS`` or another sign-in of this process, or else from the token file
    (``TOKENTOSS_TOKEN_FILE``, or the default one), whose tokens are renewed with the configured client. The
    client then stays with the account that it first used, and says so when that session has ended. On a 401
    the token is renewed and the call repeated once, if its body can be sent again.

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
        credentials: The service account to call as, where nobody signs in.
        through: Whether the broker makes the calls, so that this process holds no token at all.

    Raises:
        ConfigurationError: ``address_insecure`` if one of the addresses is not https (or http on
            loopback), ``provider_unknown`` or ``provider_without_id_tokens``, or if provider and manager do
            not belong together; ``broker_conflict`` if a broker is given beside a manager;
            ``credentials_conflict`` if service credentials are given beside either,
            ``credentials_audience_missing``, or ``credentials_shared``.
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
        credentials: ServiceCredentials | None = None,
        through: bool = False,
    ) -> None:
        super().__init__(base_url, timeout, allowed_origins, header)
        self.expected_audience = expected_audience
        service = service_tokens_of(
            credentials,
            beside={"auth_manager": auth_manager, "broker": broker, "through": through},
            provider=provider,
            expected_audience=expected_audience,
        )
        if service is not None:
            self._tokens = service
        elif through:
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

    def __repr__(self) -> str:
        # A traceback shows one whose arguments were refused, too.
        tokens = getattr(self, "_tokens", None)
        if isinstance(tokens, ServiceTokens):
            return f"IAPClient(base_url={self.base_url!r}, credentials={tokens.credentials!r})"
        return super().__repr__()

    def _token(self, url: str) -> AccountToken:
        token = self._tokens.current()
        if self.expected_audience is not None:
            audience = unverified_claims(token).get("aud")
            if audience != self.expected_audience and (
                not isinstance(audience, list) or self.expected_audience not in audience
            ):
                raise ServiceAudienceMismatchError(subject=origin_of(url))
        return token
