"""Service credentials as the source of a client's tokens, and when the environment's are used."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from tokentoss.broker.address import URL_VARIABLE
from tokentoss.clients.account_token import AccountToken
from tokentoss.clients.other_sign_ins import all_sign_ins
from tokentoss.clients.repetition import newer
from tokentoss.clients.wanted_provider import WantedProvider
from tokentoss.exceptions import ConfigurationError
from tokentoss.oauth.provider import GOOGLE
from tokentoss.session.app_host import is_shared
from tokentoss.workload.service_credentials import CREDENTIALS_VARIABLE, ServiceCredentials

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider

logger = logging.getLogger(__name__)


class ServiceTokens:
    """Gives the ID tokens of service credentials, and says once if somebody is signed in as well.

    Args:
        credentials: The credentials, with their audience.
    """

    def __init__(self, credentials: ServiceCredentials) -> None:
        self.credentials = credentials
        self._has_said = False

    def current(self) -> AccountToken:
        """Return the token, renewed if it is due.

        Raises:
            ConfigurationError: If the credentials cannot be used.
            TokenRefreshError: If there is no token.
        """
        self._say_once()
        return AccountToken.of(self.credentials.id_token, None)

    def after(self, refused: str) -> AccountToken | None:
        """Return a newer token than one that a service refused; None if there is none to be had."""
        token = newer(self.credentials.id_token_after, refused)
        return AccountToken.of(token, None) if token else None

    def _say_once(self) -> None:
        if self._has_said:
            return
        self._has_said = True
        others = all_sign_ins()
        beside = f"; not used: {others}" if others else ""
        if not self.credentials.named_by and os.environ.get(CREDENTIALS_VARIABLE):
            beside += f"; not used: {CREDENTIALS_VARIABLE}"
        logger.info("calls go out with %r%s", self.credentials, beside)


def service_tokens_of(
    credentials: ServiceCredentials | None,
    *,
    beside: dict[str, object],
    provider: Provider | str | None = None,
    expected_audience: str | None = None,
) -> ServiceTokens | None:
    """Return the tokens of the credentials that are given, or of those of the environment.

    What is given explicitly comes before the environment, which comes before who is signed in.

    Args:
        credentials: The credentials that are given.
        beside: What else a client was given that says whose tokens it sends, by the argument's name.
        provider: Whose tokens the service takes; service accounts are Google's.
        expected_audience: The audience if the credentials have none.

    Returns:
        None if there are neither, or if others were given.

    Raises:
        ConfigurationError: ``credentials_conflict``, ``credentials_audience_missing``,
            ``credentials_shared``, ``credentials_is_text``, or ``argument_invalid``.
    """
    others = [name for name, value in beside.items() if value is not None and value is not False]
    is_google = provider is None or WantedProvider.of(provider).issuer == GOOGLE.issuer
    if credentials is None:
        if others or not is_google:
            return None
        chosen = ServiceCredentials.of_environment(expected_audience)
        if chosen is None:
            return None
        if is_shared():
            raise ConfigurationError(code="credentials_shared", subject=CREDENTIALS_VARIABLE)
        if os.environ.get(URL_VARIABLE, "").strip():
            raise ConfigurationError(code="credentials_conflict", subject=URL_VARIABLE)
        return ServiceTokens(_for_audience(chosen, expected_audience))
    if not isinstance(credentials, ServiceCredentials):
        subject = f"credentials of the type {type(credentials).__name__} (not ServiceCredentials)"
        raise ConfigurationError(code="argument_invalid", subject=subject)
    if others or not is_google:
        raise ConfigurationError(code="credentials_conflict", subject=others[0] if others else "provider")
    return ServiceTokens(_for_audience(credentials, expected_audience))


def _for_audience(credentials: ServiceCredentials, expected: str | None) -> ServiceCredentials:
    if expected is not None and credentials.audience not in {None, expected}:
        raise ConfigurationError(code="credentials_conflict", subject="expected_audience with another value")
    return credentials.for_audience(expected)
