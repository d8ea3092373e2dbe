"""Sign-in widgets that are named after their provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import ConfigurationError
from tokentoss.oauth.provider import BOX, GOOGLE, Provider
from tokentoss.widgets.arguments import broker_beside
from tokentoss.widgets.auth import AuthWidget

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.storage import TokenStorage


class ProviderAuthWidget(AuthWidget):
    """A sign-in button of one provider, which a subclass names.

    Takes the arguments of :class:`AuthWidget`, except the provider.
    """

    fixed_provider: ClassVar[Provider]

    def __init__(
        self,
        client_secrets_path: str | Path | None = None,
        client_config: ClientConfig | None = None,
        auth_manager: AuthManager | None = None,
        storage: TokenStorage | None = None,
        scopes: list[str] | None = None,
        max_session_lifetime_hours: float | None = None,
        **kwargs: Any,
    ) -> None:
        provider = self.fixed_provider
        broker = broker_beside(
            kwargs.pop("broker", None),
            client_secrets_path=client_secrets_path,
            client_config=client_config,
            auth_manager=auth_manager,
            storage=storage,
            max_session_lifetime_hours=max_session_lifetime_hours,
            client_id=kwargs.get("client_id"),
        )
        if broker is not None:
            kwargs["broker"] = broker
        elif auth_manager is not None and not auth_manager.provider.is_same_as(provider):
            raise ConfigurationError(code="auth_manager_conflict", subject=provider.name)
        super().__init__(
            provider=provider,
            client_secrets_path=client_secrets_path,
            client_config=client_config,
            auth_manager=auth_manager,
            storage=storage,
            scopes=scopes,
            max_session_lifetime_hours=max_session_lifetime_hours,
            **kwargs,
        )

    def _new_manager(self, **arguments: Any) -> AuthManager:
        if arguments["broker"] is None and arguments["client_id"] is None:
            arguments["client_config"] = self._own_client(
                arguments["client_config"], arguments["client_secrets_path"]
            )
        return super()._new_manager(**arguments)

    def _own_client(self, client: ClientConfig | None, path: str | Path | None) -> ClientConfig:
        """Return the client, which is of this provider."""
        if client is None:
            client = ClientConfig.from_file(path) if path is not None else ClientConfig.discover()
        # Refuses a client of a provider that it does not know.
        if not client.provider().is_same_as(self.fixed_provider):
            subject = f"{client.source or client.client_id} ({self.fixed_provider.name} is meant)"
            raise ConfigurationError(code="client_of_another_provider", subject=subject)
        return client


class GoogleAuthWidget(ProviderAuthWidget):
    """A "Sign in with Google" button; afterwards Python holds validated tokens."""

    fixed_provider = GOOGLE


class BoxAuthWidget(ProviderAuthWidget):
    """A "Sign in with Box" button; afterwards Python holds tokens and knows whose they are."""

    fixed_provider = BOX
