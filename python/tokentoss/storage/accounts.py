"""The accounts whose tokens are stored side by side, and how one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokentoss.exceptions import NoCredentialsError
from tokentoss.storage.token_data import grant_of, utc_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tokentoss.storage.token_data import TokenData


@dataclass(frozen=True)
class Account:
    """A user of a provider, as the latest sign-in described them. It holds no token.

    Args:
        issuer: The provider's issuer identifier.
        subject: The user's identifier there; identity is (issuer, subject).
        email: The e-mail address, for display and for choosing.
        name: The user's name.
        login: The name the user signs in with.
        connected_at: When the account first signed in here.
        updated_at: When its tokens last changed.
        client_id: The client that it signed in to.
    """

    issuer: str
    subject: str
    email: str | None = None
    name: str | None = None
    login: str | None = None
    connected_at: datetime | None = None
    updated_at: datetime | None = None
    client_id: str | None = None

    @classmethod
    def of(cls, tokens: TokenData) -> Account:
        """Return whose tokens these are."""
        issuer, subject, client_id = grant_of(tokens)
        connected_at = tokens.connected_at or tokens.created_at
        updated_at = tokens.updated_at or tokens.created_at
        return cls(
            issuer=issuer,
            subject=subject,
            email=tokens.user_email,
            name=tokens.name,
            login=tokens.login,
            connected_at=None if connected_at is None else utc_time(connected_at),
            updated_at=None if updated_at is None else utc_time(updated_at),
            client_id=client_id or None,
        )

    @property
    def key(self) -> str:
        """The account in one string, ``issuer#subject``; an issuer has no fragment."""
        return f"{self.issuer}#{self.subject}"

    @property
    def grant_key(self) -> str:
        """The account at one client, ``issuer#subject#client``: tells apart clients that share a file."""
        return f"{self.key}#{self.client_id or ''}"

    @property
    def display_name(self) -> str:
        """How the user is shown: the e-mail address, or else the login, or else the subject."""
        return self.email or self.login or self.subject

    def goes_by(self, name: str) -> bool:
        """Tell whether a name is this account's: a key of it, or its e-mail address or login in any case."""
        names = {(self.email or self.key).lower(), (self.login or self.key).lower()}
        return name in {self.key, self.grant_key} or name.lower() in names

    def is_suggested_by(self, login_hint: str) -> bool:
        """Tell whether a login hint stands for this account; providers take subjects as hints, too."""
        return login_hint == self.subject or self.goes_by(login_hint)


def matching(candidates: Sequence[TokenData], name: str) -> list[TokenData]:
    """Return the tokens that a name stands for: a grant's or account's key, an e-mail address or a login."""
    by_grant = [tokens for tokens in candidates if Account.of(tokens).grant_key == name]
    by_key = by_grant or [tokens for tokens in candidates if Account.of(tokens).key == name]
    return by_key or [tokens for tokens in candidates if Account.of(tokens).goes_by(name)]


def names_of(stored: Sequence[TokenData]) -> list[str]:
    """Return for each of the stored grants the shortest name that stands for it alone.

    One user who signed in with two clients has two grants; then the name ends with the client's identifier.
    """
    return [_shortest_name(tokens, stored) for tokens in stored]


def _shortest_name(tokens: TokenData, stored: Sequence[TokenData]) -> str:
    account = Account.of(tokens)
    for name in (account.display_name, account.key):
        if matching(stored, name) == [tokens]:
            return name
    return account.grant_key


def choose(candidates: Sequence[TokenData], account: str | Account) -> TokenData:
    """Return the tokens of one account.

    Args:
        candidates: The tokens to choose from.
        account: An :class:`Account`, its key, or its e-mail address or login, in upper or lower case. A key
            followed by ``#`` and a client's identifier tells two clients of one account apart.

    Raises:
        NoCredentialsError: ``account_unknown``, or ``account_ambiguous`` for an e-mail address that
            several accounts have.
    """
    name = account.key if isinstance(account, Account) else account
    found = matching(candidates, name)
    if not found:
        raise NoCredentialsError(code="account_unknown", subject=name)
    if len(found) > 1:
        raise NoCredentialsError(code="account_ambiguous", subject=name)
    return found[0]
