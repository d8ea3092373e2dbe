"""The client of a broker, as the page needs it to run a sign-in: without its secret."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import ConfigurationError, TokenRefreshError

if TYPE_CHECKING:
    from tokentoss.exceptions import TokenTossError
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.broker_manager import BrokerManager

_TEXTS = ("issuer", "authorization_endpoint", "token_endpoint")


@dataclass
class DepositClient:
    """What a hand-off asks of an auth manager, read from a broker's answer.

    Args:
        provider: The provider, with the addresses that the broker names.
        client_config: The client, without a secret.
        scopes: What to ask for.
        public_key: The broker's key.
        nonce: The nonce of the ticket.
        callback_pages: The callback pages that are registered for the client.
        params: The provider's parameters for the authorization request.
        user_email: The account that is signed in.
    """

    provider: Provider
    client_config: ClientConfig
    scopes: list[str]
    public_key: str
    nonce: str
    callback_pages: list[str]
    params: dict[str, str]
    user_email: str | None = None
    hosted_domain: str | None = None
    last_error: TokenTossError | None = None

    @classmethod
    def of(cls, members: dict[str, Any], manager: BrokerManager) -> DepositClient:
        """Read the member ``deposit`` of a broker's answer.

        Raises:
            TokenRefreshError: ``broker_answer_invalid``, also for another provider than the manager's.
        """
        invalid = TokenRefreshError(code="broker_answer_invalid", subject=manager.broker.url)
        named, pages = members.get("provider"), members.get("callback_pages", [])
        texts = [members.get(name) for name in ("public_key", "nonce", "client_id")]
        scopes = members.get("scopes")
        if (
            not isinstance(named, dict)
            or not all(isinstance(text, str) and text for text in texts)
            or not _are_texts(scopes)
            or not _are_texts(pages)
            or not all(isinstance(named.get(name), str) for name in _TEXTS)
            # A client belongs to its provider.
            or named["issuer"] != manager.provider.issuer
        ):
            raise invalid
        params = named.get("authorization_params", {})
        if not isinstance(params, dict) or not _are_texts([*params, *params.values()]):
            raise invalid
        try:
            provider = replace(
                manager.provider,
                authorization_endpoint=named["authorization_endpoint"],
                token_endpoint=named["token_endpoint"],
                iss_parameter_supported=named.get("iss_parameter_supported") is True,
            )
        except ConfigurationError:
            raise invalid from None
        public_key, nonce, client_id = map(str, texts)
        return cls(
            provider,
            ClientConfig(
                client_id, auth_uri=provider.authorization_endpoint, token_uri=provider.token_endpoint
            ),
            list(scopes or []),
            public_key,
            nonce,
            list(pages),
            dict(params),
            manager.user_email,
        )

    def authorization_params(self, *, another_account: bool = False) -> dict[str, str]:
        """Return the provider's parameters for the authorization request.

        Args:
            another_account: Whether the provider should ask which account to use.
        """
        return self.provider.asking_for_account(self.params) if another_account else dict(self.params)


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
