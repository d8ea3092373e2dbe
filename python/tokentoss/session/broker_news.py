"""Following what the user does elsewhere with the accounts of a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.broker.client import BrokerClient
from tokentoss.broker.news import follow
from tokentoss.exceptions import NoCredentialsError, ReauthRequiredError, TokenTossError
from tokentoss.session.clientless import ClientlessManager

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import ConnectedAccount, Kind, ProviderToken
    from tokentoss.broker.news import Following
    from tokentoss.broker.tokens import BrokeredTokens
    from tokentoss.session.session import Session


class FollowsBroker(ClientlessManager):
    """Begins and ends its session as the user signs in and out elsewhere, while somebody wants it to."""

    broker: Broker
    _tokens: BrokeredTokens
    _name: str | None

    def follow_news(self) -> Following:
        """Follow from now on, until what this returns is closed."""
        return follow(self.broker, self._heard)

    def _heard(self, accounts: list[ConnectedAccount]) -> None:
        """Compare the session with the accounts of the broker's user."""
        own = {one.id: one for one in accounts if one.provider == self._tokens.provider}
        session, identifier = self._store.session, self._tokens.account
        if session is None:
            if not self._has_signed_out:
                self._find(list(own.values()))
        elif identifier is not None:
            known = own.get(identifier)
            if known is None or known.status != "active":
                self._verify(session, identifier)
            elif set(self.missing_scopes) & set(known.scopes):
                # More was granted elsewhere: the next token says so.
                self._tokens.restart()
                self._current("access_token")
                self._observers.notify()

    def _find(self, own: list[ConnectedAccount]) -> None:
        """Use the account that was connected elsewhere, if it is clear which one is meant."""
        meant = [
            one
            for one in own
            if one.status == "active" and self._name in {None, one.id, one.subject, one.email}
        ]
        if len(meant) != 1:
            return
        self._tokens.account = meant[0].id
        try:
            token = self._tokens.current("access_token")
        except TokenTossError:
            # It has gone meanwhile, or does not reach what is asked for.
            if self._store.session is None:
                self._tokens.account = self._name
            return
        self._take(token)

    def _verify(self, session: Session, identifier: str) -> None:
        """End a session if its account has ended: the list may be older than the session."""
        failure: TokenTossError
        try:
            account = BrokerClient(self.broker).account(identifier)
        except NoCredentialsError as gone:
            failure = gone
        else:
            if account.status == "active":
                return
            failure = ReauthRequiredError(code="reauth_required", subject=self.broker.url)
            failure.cause = account.cause
        if self._store.session is session:
            self._note(failure)

    def _take(self, token: ProviderToken) -> ProviderToken | None:
        raise NotImplementedError

    def _current(self, kind: Kind) -> ProviderToken | None:
        raise NotImplementedError

    def _note(self, failure: TokenTossError) -> None:
        raise NotImplementedError
