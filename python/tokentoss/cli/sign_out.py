"""``tokentoss sign-out``: remove the stored tokens of an account."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tokentoss.cli.terminal import Terminal
from tokentoss.config.client_config import ClientConfig
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError, NoCredentialsError, TokenTossError
from tokentoss.oauth.client_authentication import client_form
from tokentoss.oauth.provider import Provider
from tokentoss.oauth.revocation import revoke as revoke_at_provider
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account, choose
from tokentoss.storage.token_data import grant_of

if TYPE_CHECKING:
    from tokentoss.oauth.client_authentication import Form
    from tokentoss.storage.token_data import TokenData


def run(account: str | None, revoke: bool) -> int:
    """Sign out, here first and always; return 1 if the provider did not revoke what it was asked to.

    Args:
        account: The account's e-mail address or key; not needed if there is one only.
        revoke: Whether to revoke the tokens at the provider.

    Raises:
        NoCredentialsError: If there is no such account, or several and none is named.
        StorageError: If the tokens cannot be read or removed.
    """
    terminal = Terminal()
    storage = FileStorage()
    stored = storage.load_all()
    if not stored and account is None:
        terminal.line("Nobody is signed in.")
        return 0
    tokens = _chosen(stored, account)
    name = printable(Account.of(tokens).display_name or "the account")
    storage.remove(tokens)
    terminal.line(
        f"{terminal.paint('Signed out', 'green')} {name}: the tokens are removed from {storage.path}"
    )
    if not revoke:
        return 0
    try:
        provider = _provider(tokens)
        revoke_at_provider(
            provider,
            _client(provider, tokens),
            refresh_token=tokens.refresh_token,
            access_token=tokens.access_token,
        )
    except TokenTossError as failure:
        terminal.line(f"{terminal.paint('Not revoked', 'yellow')}: {failure}")
        return 1
    terminal.line(f"{terminal.paint('Revoked', 'green')} at {provider.name}")
    return 0


def _chosen(stored: list[TokenData], account: str | None) -> TokenData:
    candidates = stored
    if account is not None:
        candidates = [tokens for tokens in stored if Account.of(tokens).goes_by(account)]
        if len(candidates) < 2:  # noqa: PLR2004 - then there is nothing to choose
            return choose(stored, account)
    if len(candidates) > 1:
        accounts = [Account.of(tokens) for tokens in candidates]
        shown = [one.display_name for one in accounts]
        # The same person at two clients looks the same by name.
        names = ", ".join(
            printable(one.display_name if shown.count(one.display_name) == 1 else one.grant_key)
            for one in accounts
        )
        raise NoCredentialsError(
            f"Several accounts are signed in ({names}): say which one with --account.",
            code="account_ambiguous",
        )
    return candidates[0]


def _provider(tokens: TokenData) -> Provider:
    return Provider.of(grant_of(tokens)[0])


def _client(provider: Provider, tokens: TokenData) -> Form:
    """Return what the client identifies itself with; its secret only where it is the tokens' own client."""
    client_id, secret = grant_of(tokens)[2], None
    with suppress(ConfigurationError):
        config = ClientConfig.discover()
        secret = config.client_secret if config.client_id == client_id else None
    return client_form(provider.token_endpoint_auth_method, client_id, secret)
