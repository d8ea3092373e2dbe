"""Signing out: what it does, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tokentoss.exceptions import RevocationError, StorageError
from tokentoss.oauth.revocation import revoke
from tokentoss.storage.accounts import Account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.exceptions import TokenTossError
    from tokentoss.oauth.client_authentication import Form
    from tokentoss.oauth.provider import Provider
    from tokentoss.storage.base import AccountStorage
    from tokentoss.storage.token_data import TokenData


@dataclass(frozen=True)
class SignOutResult:
    """What a sign-out did.

    Args:
        account: Who was signed out; None if nobody was signed in.
        removed: Whether no tokens of the account are stored any more.
        revoked: Whether the provider revoked the tokens; None if it was not asked to.
        error: Why tokens are still stored, or not revoked.
    """

    account: Account | None
    removed: bool
    revoked: bool | None
    error: TokenTossError | None = None


class ForgetsAccounts(Protocol):
    """A manager, as far as it matters here."""

    def forget_account(self, tokens: TokenData) -> StorageError | None:
        """Sign an account out, if it is the one in use, and return why it is still stored."""


def sign_out(
    tokens: TokenData,
    managers: Iterable[ForgetsAccounts],
    provider: Provider,
    revoke_as: Form | None,
    unused_in: AccountStorage | None = None,
) -> SignOutResult:
    """Sign an account out of every manager and its storage, and on request at the provider.

    Whatever the provider says, the tokens are removed here.

    Args:
        tokens: The tokens of the account.
        managers: The managers, of which some may not use the account.
        provider: Who gave the tokens.
        revoke_as: What identifies the client, if the provider is to revoke the tokens.
        unused_in: Where the tokens are stored, if no manager uses them.
    """
    error: TokenTossError | None = None
    if unused_in is not None:
        try:
            unused_in.remove(tokens)
        except StorageError as unwritable:
            error = unwritable
    for manager in managers:
        failure = manager.forget_account(tokens)
        error = error or failure
    removed = error is None
    revoked = None
    if revoke_as is not None:
        refusal = _refusal(provider, revoke_as, tokens)
        revoked = refusal is None
        error = error or refusal
    return SignOutResult(Account.of(tokens), removed, revoked, error)


def _refusal(provider: Provider, client: Form, tokens: TokenData) -> RevocationError | None:
    try:
        revoke(provider, client, refresh_token=tokens.refresh_token, access_token=tokens.access_token)
    except RevocationError as failure:
        return failure
    return None
