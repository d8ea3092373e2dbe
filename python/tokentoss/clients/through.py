"""Calls that a broker makes for this process, which then holds no token at all."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from tokentoss.broker.problem import refusal_of
from tokentoss.clients.account_token import AccountToken
from tokentoss.clients.calls import Call, send
from tokentoss.clients.errors import ServiceUnreachableError
from tokentoss.exceptions import ConfigurationError
from tokentoss.util.http import Answer
from tokentoss.util.urls import insecure

if TYPE_CHECKING:
    import requests

    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import Kind

MARK = "Tokentoss-Through"
"""The header with which a broker marks the answers of services, so that they are told from its own."""

ACCOUNT_HEADER = "X-Tokentoss-Account"
CREDENTIAL_HEADER = "X-Tokentoss-Credential"

_ENCODED_LAYERS = 3


class Through:
    """Sends calls by way of a broker, which puts the token in. It stands in place of a source of tokens.

    Args:
        broker: The broker.
        provider: The provider's name in its configuration.
        kind: Which token the service takes.
        account: The account, where several are connected.
    """

    def __init__(self, broker: Broker, provider: str, kind: Kind, account: str | None) -> None:
        self._broker = broker
        self._provider = provider
        self._headers = broker.headers()
        if kind == "id_token":
            self._headers[CREDENTIAL_HEADER] = "id_token"
        if account is not None:
            self._headers[ACCOUNT_HEADER] = account

    def current(self) -> AccountToken:
        """Return the caller's key, which goes to the broker alone.

        Raises:
            ConfigurationError: ``broker_key_missing``.
        """
        return AccountToken.of(self._broker.key(), None)

    def after(self, refused: str) -> AccountToken | None:
        """Return None: which token a service refused is the broker's to know."""
        del refused
        return None

    def send(self, session: requests.Session, call: Call, key: AccountToken) -> requests.Response:
        """Send a call, without following redirects, and return the service's answer.

        Raises:
            TokenTossError: What the broker says in its own name.
            ServiceUnreachableError: ``broker_unreachable``.
        """
        named = dict(call.named)
        named["headers"] = {**dict(named.get("headers") or {}), **self._headers}
        try:
            response = send(session, Call(call.method, self.address(call.url), named), key, "Authorization")
        except ServiceUnreachableError as failure:
            message = f"{failure} [broker {self._broker.url}]"
            raise type(failure)(message, code="broker_unreachable") from None
        if response.headers.get(MARK) != "1":
            answer = Answer(response.status_code, response.headers, response.content)
            raise refusal_of(answer, self._broker.url)
        # Whose it is, and what its redirects are relative to.
        response.url = call.url
        return response

    def address(self, url: str) -> str:
        """Return where the broker takes a call for an address.

        Raises:
            ConfigurationError: ``address_insecure`` or ``path_outside_base``.
        """
        parts = urlsplit(url)
        if parts.scheme != "https":
            # The broker itself calls https addresses only.
            raise insecure("address_insecure", "address", url)
        path = parts.path
        for _ in range(_ENCODED_LAYERS):
            path = unquote(path)
        if any(segment.partition(";")[0] in {".", ".."} for segment in path.replace("\\", "/").split("/")):
            # They would lead to other routes of the broker.
            raise ConfigurationError(code="path_outside_base", subject=repr(parts.path))
        query = f"?{parts.query}" if parts.query else ""
        provider = quote(self._provider, safe="")
        return f"{self._broker.url}/v1/through/{provider}/{parts.netloc}{parts.path or '/'}{query}"
