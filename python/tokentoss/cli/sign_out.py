"""``tokentoss sign-out``: remove the stored tokens of an account."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tokentoss.broker.address import Broker
from tokentoss.cli import brokered_accounts
from tokentoss.cli.stored import ambiguous, chosen
from tokentoss.cli.terminal import Terminal, said
from tokentoss.config.client_config import ClientConfig
from tokentoss.config.client_provider import require_client_of
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError, TokenTossError
from tokentoss.oauth.client_authentication import client_form
from tokentoss.oauth.provider import Provider
from tokentoss.oauth.revocation import revoke as revoke_at_provider
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account
from tokentoss.storage.token_data import grant_of

if TYPE_CHECKING:
    from tokentoss.oauth.client_authentication import Form
    from tokentoss.storage.token_data import TokenData


def run(account: str | None, everybody: bool, revoke: bool) -> int:
    """Sign out, here first and always; return 1 if the provider did not revoke what it was asked to.

    Args:
        account: The account's e-mail address or key; not needed if there is one only.
        everybody: Whether to sign out all accounts.
        revoke: Whether to revoke the tokens at the provider.

    Raises:
        NoCredentialsError: If there is no such account, or several and none is named.
        StorageError: If the tokens cannot be read or removed.
        TokenTossError: If the broker cannot be asked.
    """
    broker = Broker.of_environment()
    if broker is not None:
        return brokered_accounts.sign_out(broker, account, everybody=everybody, revoke=revoke)
    terminal = Terminal()
    storage = FileStorage()
    stored = storage.load_all()
    if not stored and account is None:
        terminal.line(said("nobody"))
        return 0
    # All of them here first: a provider that does not answer must not keep the others signed in.
    meant = stored if everybody else [_chosen(stored, account)]
    for tokens in meant:
        _remove(tokens, storage, terminal)
    return max([_revoke(tokens, terminal) for tokens in meant]) if revoke else 0


def _chosen(stored: list[TokenData], account: str | None) -> TokenData:
    if account is not None:
        return chosen(stored, account)
    if len(stored) > 1:
        raise ambiguous(stored, stored)
    return stored[0]


def _remove(tokens: TokenData, storage: FileStorage, terminal: Terminal) -> None:
    name = terminal.paint(printable(Account.of(tokens).display_name or said("theAccount")), "green")
    storage.remove(tokens)
    terminal.line(said("signedOut", account=name, path=str(storage.path)))


def _revoke(tokens: TokenData, terminal: Terminal) -> int:
    try:
        provider = _provider(tokens)
        revoke_at_provider(
            provider,
            _client(provider, tokens),
            refresh_token=tokens.refresh_token,
            access_token=tokens.access_token,
        )
    except TokenTossError as failure:
        terminal.line(terminal.paint(said("notRevoked", reason=str(failure)), "yellow"))
        return 1
    terminal.line(said("revoked", provider=terminal.paint(provider.name, "green")))
    return 0


def _provider(tokens: TokenData) -> Provider:
    return Provider.of(grant_of(tokens)[0])


def _client(provider: Provider, tokens: TokenData) -> Form:
    """Return what the client identifies itself with; its secret only for its own tokens and provider."""
    client_id, secret = grant_of(tokens)[2], None
    with suppress(ConfigurationError):
        config = ClientConfig.discover()
        if config.client_id == client_id:
            require_client_of(config, provider)
            secret = config.client_secret
    return client_form(provider.token_endpoint_auth_method, client_id, secret)
