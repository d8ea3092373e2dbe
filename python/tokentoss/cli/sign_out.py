"""``tokentoss sign-out``: remove the stored tokens of an account."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tokentoss.cli.terminal import Terminal
from tokentoss.config.client_config import ClientConfig
from tokentoss.config.client_provider import require_client_of
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError, NoCredentialsError, TokenTossError
from tokentoss.oauth.client_authentication import client_form
from tokentoss.oauth.provider import Provider
from tokentoss.oauth.revocation import revoke as revoke_at_provider
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account, choose, matching, names_of
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
    candidates = stored if account is None else matching(stored, account)
    if len(candidates) > 1:
        names = dict(zip(map(id, stored), names_of(stored), strict=True))
        shown = ", ".join(printable(names[id(tokens)]) for tokens in candidates)
        raise NoCredentialsError(
            f"Several accounts are signed in ({shown}): say which one with --account.",
            code="account_ambiguous",
        )
    return candidates[0] if account is None else choose(stored, account)


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
