"""Calls that a broker makes for this process, which then holds no token at all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from tokentoss.broker.problem import refusal_of
from tokentoss.clients.account_token import AccountToken
from tokentoss.clients.calls import Call, send
from tokentoss.clients.errors import ServiceUnreachableError
from tokentoss.exceptions import ConfigurationError, NoCredentialsError, TokenRefreshError
from tokentoss.util.forks import anew_in_child
from tokentoss.util.http import Answer
from tokentoss.util.urls import insecure

if TYPE_CHECKING:
    import requests

    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import Kind
    from tokentoss.exceptions import TokenTossError

MARK = "Tokentoss-Through"
"""The header with which a broker marks the answers of services, so that they are told from its own."""

USED_HEADER = "Tokentoss-Account"
"""The header with which a broker says whose token it put in."""

ACCOUNT_HEADER = "X-Tokentoss-Account"
CREDENTIAL_HEADER = "X-Tokentoss-Credential"

_ENCODED_LAYERS = 3


class Through:
    """Sends calls by way of a broker, which puts the token in. It stands in place of a source of tokens.

    It stays with the account of its first call: calls never go out as somebody else because another account
    was connected, or in place of this one.

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
        self._account = account
        self._used: str | None = None
        self._lock = threading.Lock()
        anew_in_child(self, _lock=threading.Lock)

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
            TokenTossError: What the broker says in its own name; ``client_session_ended`` if the account of
                the first call is not connected any more, ``broker_token_foreign`` if this was another's.
            ServiceUnreachableError: ``broker_unreachable``.
        """
        named = dict(call.named)
        named["headers"] = {**dict(named.get("headers") or {}), **self._headers, **self._asked()}
        try:
            response = send(session, Call(call.method, self.address(call.url), named), key, "Authorization")
        except ServiceUnreachableError as failure:
            message = f"{failure} [broker {self._broker.url}]"
            raise type(failure)(message, code="broker_unreachable") from None
        if response.headers.get(MARK) != "1":
            answer = Answer(response.status_code, response.headers, response.content)
            raise self._named(refusal_of(answer, self._broker.url))
        try:
            self._stay_with(response.headers.get(USED_HEADER))
        except TokenRefreshError:
            response.close()
            raise
        # Whose it is, and what its redirects are relative to.
        response.url = call.url
        return response

    def _asked(self) -> dict[str, str]:
        account = self._used or self._account
        return {} if account is None else {ACCOUNT_HEADER: account}

    def _stay_with(self, account: str | None) -> None:
        """Take note of whose token the broker put in.

        Raises:
            TokenRefreshError: ``broker_answer_invalid``, ``broker_token_foreign``.
        """
        if not account:
            raise TokenRefreshError(code="broker_answer_invalid", subject=self._broker.url)
        with self._lock:
            if self._used is None:
                self._used = account
            is_another = self._used != account
        if is_another:
            # Of two first calls at once, between which the account was replaced; or the broker is wrong.
            raise TokenRefreshError(code="broker_token_foreign", subject=f"The broker {self._broker.url}")

    def _named(self, refusal: TokenTossError) -> TokenTossError:
        """Return a refusal; that nobody is connected says of this client that its session has ended."""
        if self._used is None or refusal.code != "not_connected":
            return refusal
        subject = f"{self._account or self._used} [{self._broker.url}]"
        ended = NoCredentialsError(code="client_session_ended", subject=subject)
        ended.action = refusal.action
        return ended

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
