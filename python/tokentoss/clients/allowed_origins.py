"""Which token goes where: the rule that the adapters of all HTTP clients share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.brokers import manager_of
from tokentoss.clients.repetition import newer
from tokentoss.clients.service_tokens import ServiceTokens, service_tokens_of
from tokentoss.exceptions import ConfigurationError, NoCredentialsError
from tokentoss.util.proxies import proxy_variable_for
from tokentoss.util.secret import Secret
from tokentoss.util.urls import insecure, is_plain_loopback, is_secure, origin_of, secure_origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.broker.address import Broker
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.storage.accounts import Account
    from tokentoss.workload.service_credentials import ServiceCredentials


class Binding:
    """Binds a token of a manager, or of service credentials, to the origins that may have it.

    Args:
        manager: Whose token it is.
        allowed_origins: The origins; None stands for every https origin, and http on this machine.
        access_token: Whether it is the access token instead of the ID token.
        stays: Whether it stays with the account that it first found.

    Raises:
        ConfigurationError: ``address_insecure`` if one of them is neither.
    """

    def __init__(
        self,
        manager: AuthManager | ServiceTokens,
        allowed_origins: Iterable[str] | None,
        *,
        access_token: bool,
        stays: bool = False,
    ) -> None:
        self._manager = manager
        self._stays = stays
        self._account: Account | None = None
        self._is_access_token = access_token
        self._origins: frozenset[str] | None = None
        if allowed_origins is not None:
            given = (allowed_origins,) if isinstance(allowed_origins, str) else allowed_origins
            self._origins = frozenset(secure_origin(origin, "allowed origin") for origin in given)

    def __repr__(self) -> str:
        manager = self._manager
        whose = manager.credentials if isinstance(manager, ServiceTokens) else manager
        return ", ".join([repr(whose), *sorted(self._origins or ())])

    def check(self, url: str, own: object) -> None:
        """Check that an address may have the token.

        Args:
            url: The address of a call.
            own: The ``Authorization`` that the call brings.

        Raises:
            ConfigurationError: ``address_insecure``, ``origin_not_allowed``, ``proxy_for_loopback``, or
                ``authorization_taken``.
        """
        if not is_secure(url):
            raise insecure("address_insecure", "address", url)
        origin = origin_of(url)
        if self._origins is not None and origin not in self._origins:
            raise ConfigurationError(code="origin_not_allowed", subject=origin)
        if own is not None and not isinstance(own, Secret):
            raise ConfigurationError(code="authorization_taken", subject="a header Authorization")
        variable = proxy_variable_for(url) if is_plain_loopback(url) else None
        if variable is not None:
            # Who sends the call takes its proxy from there, and cannot be told otherwise from here.
            raise ConfigurationError(code="proxy_for_loopback", subject=variable)

    def token_for(self, url: str, own: object = None) -> Secret:
        """Return the current token for a call to an address.

        Raises:
            ConfigurationError: As :meth:`check`.
            NoCredentialsError: If nobody is signed in; ``client_session_ended`` if somebody was.
            TokenRefreshError: If the token has expired and cannot be renewed.
        """
        self.check(url, own)
        if isinstance(self._manager, ServiceTokens):
            return self._manager.current()
        token = self._manager.access_token if self._is_access_token else self._manager.id_token
        if token is None:
            where = f"the auth manager ({self._manager.why_signed_out})"
            if self._account is not None:
                subject = f"{self._account.display_name}; looked at: {where}"
                raise NoCredentialsError(code="client_session_ended", subject=subject)
            raise NoCredentialsError(subject=where)
        self._require_account()
        return Secret(token)

    def token_after(self, refused: str) -> Secret | None:
        """Return a newer token than one that a service refused; None if there is none to be had."""
        manager = self._manager
        if isinstance(manager, ServiceTokens):
            return manager.after(refused)
        token = newer(
            manager.access_token_after if self._is_access_token else manager.id_token_after, refused
        )
        if token:
            self._require_account()
        return Secret(token) if token else None

    def _require_account(self) -> None:
        """Stay with an account.

        Raises:
            NoCredentialsError: ``client_session_ended`` if the manager's is another one by now.
        """
        account = None if isinstance(self._manager, ServiceTokens) else self._manager.account
        if not self._stays or account is None:
            return
        if self._account is not None and self._account.key != account.key:
            raise NoCredentialsError(code="client_session_ended", subject=self._account.display_name)
        self._account = account


class Bound:
    """Base of the adapters: what each HTTP client's own kind of authentication is made from."""

    def __init__(
        self,
        manager: AuthManager | None = None,
        allowed_origins: Iterable[str] | None = None,
        *,
        access_token: bool = False,
        broker: Broker | str | None = None,
        provider: Provider | None = None,
        credentials: ServiceCredentials | None = None,
    ) -> None:
        beside: dict[str, object] = {"manager": manager, "broker": broker, "access_token": access_token}
        chosen: AuthManager | ServiceTokens | None
        chosen = service_tokens_of(credentials, beside=beside, provider=provider)
        if chosen is None:
            chosen = manager if broker is None else manager_of(broker, manager, provider)
        if chosen is None:
            raise ConfigurationError(code="auth_manager_missing")
        stays = broker is not None
        self._binding = Binding(chosen, allowed_origins, access_token=access_token, stays=stays)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._binding!r})"
