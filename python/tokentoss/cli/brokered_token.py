"""The token of an account that a broker keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.broker.client import BrokerClient
from tokentoss.error_codes import printable
from tokentoss.exceptions import NoCredentialsError
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import ConnectedAccount, Kind


def brokered_token(broker: Broker, kind: Kind, account: str | None, min_ttl: int | None) -> Secret:
    """Return a token of an account that is connected at a broker.

    Args:
        broker: The broker.
        kind: Which of the two tokens.
        account: The account's identifier there, its subject or e-mail address; not needed if there is one.
        min_ttl: Seconds that the token must have left.

    Raises:
        NoCredentialsError: ``not_connected`` or ``account_unknown``: somebody has to sign in;
            ``account_ambiguous``.
        TokenTossError: If the broker gives no token.
    """
    client = BrokerClient(broker)
    meant = _meant(client.accounts(), broker, account)
    wants_id_token = kind == "id_token"
    token = client.get_valid_provider_access_token(
        meant.provider, account=meant.id, min_ttl=min_ttl, id_token=wants_id_token
    )
    return Secret(token.id_token if wants_id_token else token.access_token)


def _meant(accounts: list[ConnectedAccount], broker: Broker, account: str | None) -> ConnectedAccount:
    if not accounts:
        raise NoCredentialsError(code="not_connected", subject=broker.url)
    named = [one for one in accounts if account in {None, one.id, one.subject, one.email}]
    if not named:
        raise NoCredentialsError(code="account_unknown", subject=account)
    if len(named) > 1:
        # By identifier, because the same address may be connected at several providers.
        shown = ", ".join(printable(f"{one.id} ({one.email or one.subject})") for one in named)
        raise NoCredentialsError(code="account_ambiguous", subject=shown)
    return named[0]
