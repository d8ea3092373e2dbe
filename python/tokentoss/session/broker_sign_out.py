"""Signing out of an account that a broker keeps: first here, then at the broker, then whoever looks on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokentoss.broker.client import BrokerClient
from tokentoss.broker.problem import several_accounts
from tokentoss.exceptions import NoCredentialsError, TokenTossError
from tokentoss.session.broker_choice import BrokerChoice, unheard
from tokentoss.session.broker_session import account_at
from tokentoss.session.sign_out import SignOutResult
from tokentoss.storage.accounts import Account

if TYPE_CHECKING:
    from tokentoss.broker.answers import AccountOfToken


@dataclass(eq=False)
class _Owed:
    """A sign-out of which the broker has not heard yet.

    Args:
        account: Whose it is; None while nobody has asked the broker whose.
        identifier: The account's identifier at the broker.
    """

    account: Account | None = None
    identifier: str | None = None


class SignsOutAtBroker(BrokerChoice):
    """Has the broker forget an account, and can be asked again until the broker has."""

    _owed: _Owed | None = None

    def sign_out(self, revoke: bool = False) -> SignOutResult:
        """Have the broker forget the account, and with it every manager, widget and client of this process.

        Whatever the broker says, the account is signed out here, also for those who share it in this process.
        If the broker does not hear of it, ``removed`` is False, ``error`` says why, and the next call tries
        again.

        Args:
            revoke: Whether the broker is to revoke the tokens at the provider, too. It does so later, until
                it succeeds; so the result does not say whether it has.
        """
        owed = self._begin_to_owe()
        if owed is None:
            return SignOutResult(None, removed=True, revoked=None)
        told: list[BrokerChoice] = [self]
        error: TokenTossError | None = None
        has_heard = False
        try:
            if owed.identifier is None:
                self._find_out(owed)
            if owed.identifier is not None:
                unheard.add((self.broker.url, owed.identifier))
                told += self._dropped(owed.identifier)
                self._disconnect(owed.identifier, revoke=revoke)
                # What was asked for before the broker had heard of it arrives too late.
                told += self._dropped(owed.identifier)
                unheard.discard((self.broker.url, owed.identifier))
            has_heard = True
        except TokenTossError as failure:
            error = failure
        finally:
            with self._choice:
                if self._owed is owed:
                    self._owed = None if has_heard else owed
                    self.last_error = error or self.last_error
            for manager in dict.fromkeys(told):
                manager._observers.notify()  # noqa: SLF001 - of the same kind
        return SignOutResult(owed.account, removed=error is None, revoked=None, error=error)

    def _begin_to_owe(self) -> _Owed | None:
        """Sign out here, and return what the broker has to hear; None if it has heard it."""
        with self._choice:
            session = self._store.session
            if session is not None:
                self._owed = _Owed(Account.of(session.tokens), self._tokens.account)
            elif not self._has_signed_out:
                # Nobody has used the account yet, but it may be connected.
                self._owed = _Owed()
            self._coming = None
            self._has_signed_out = True
            self._account_change.expect(None)
            self._end()
            return self._owed

    def _start(self, account: AccountOfToken) -> None:
        self._owed = None
        super()._start(account)

    def _find_out(self, owed: _Owed) -> None:
        """Ask the broker which account is meant.

        Raises:
            TokenTossError: If it cannot be asked, or several are connected.
        """
        found = self._meant(BrokerClient(self.broker).accounts(self._tokens.provider))
        if len(found) > 1:
            raise several_accounts(self.broker.url)
        for one in found:
            owed.account, owed.identifier = account_at(one, self.broker, self.provider), one.id

    def _disconnect(self, identifier: str, *, revoke: bool) -> None:
        try:
            BrokerClient(self.broker).disconnect(identifier, revoke=revoke)
        except NoCredentialsError as failure:
            if failure.code != "not_connected":  # disconnected elsewhere
                raise

    def _dropped(self, identifier: str) -> list[BrokerChoice]:
        """Forget an account in all other managers, and return those that used it."""
        others = [one for one in self._live.others(self) if isinstance(one, BrokerChoice)]
        return [one for one in others if one.broker.url == self.broker.url and one.drop(identifier)]
