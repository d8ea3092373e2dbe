"""The token of an account that a broker keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.broker.client import BrokerClient
from tokentoss.cli.brokered_accounts import meant
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import Kind


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
    chosen = meant(client.accounts(), broker, account)
    wants_id_token = kind == "id_token"
    token = client.get_valid_provider_access_token(
        chosen.provider, account=chosen.id, min_ttl=min_ttl, id_token=wants_id_token
    )
    return Secret(token.id_token if wants_id_token else token.access_token)
