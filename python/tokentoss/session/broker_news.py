"""Following what the user does elsewhere with the accounts of a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.broker.client import BrokerClient
from tokentoss.broker.news import follow
from tokentoss.exceptions import NoCredentialsError, ReauthRequiredError, TokenTossError
from tokentoss.session.broker_session import missing_at
from tokentoss.session.broker_sign_out import SignsOutAtBroker

if TYPE_CHECKING:
    from tokentoss.broker.answers import ConnectedAccount
    from tokentoss.broker.news import Following
    from tokentoss.broker.tokens import BrokeredTokens


class FollowsBroker(SignsOutAtBroker):
    """Begins and ends its session as the user signs in and out elsewhere, while somebody wants it to."""

    def follow_news(self) -> Following:
        """Follow from now on, until what this returns is closed."""
        return follow(self.broker, self._heard)

    def _heard(self, accounts: list[ConnectedAccount]) -> None:
        """Compare the session with the accounts of the broker's user."""
        with self._choice:
            session, tokens = self._store.session, self._tokens
        if session is None:
            if not self._has_signed_out:
                # Whose session has ended is meant for as long as the broker knows of the account.
                self._find(self._meant(accounts) or self._come_since_the_end(accounts), tokens)
            return
        self._note_listed(accounts)
        known = next((one for one in accounts if one.id == tokens.account), None)
        if known is None or known.status != "active":
            self._verify(tokens)
        elif set(self.missing_scopes).difference(missing_at(known.scopes, self.scopes, self.provider)):
            # More was granted elsewhere, and the next token says so; until then this one serves.
            self._current("access_token", anew=True)
            self._observers.notify()

    def _find(self, found: list[ConnectedAccount], before: BrokeredTokens) -> None:
        """Use the account that was connected elsewhere, if it is clear which one is meant."""
        # Of several, one that is usable is not the one that is meant.
        if len(found) != 1 or found[0].status != "active":
            return
        tokens = before.of(found[0].id)
        try:
            token = tokens.current("access_token")
        except TokenTossError:
            return  # it has gone meanwhile
        if not self._take(token, tokens, in_place_of=before):
            tokens.end()

    def _verify(self, tokens: BrokeredTokens) -> None:
        """End a session if its account has ended: the list may be older than the session."""
        failure: TokenTossError
        try:
            account = BrokerClient(self.broker).account(tokens.account or "")
        except NoCredentialsError as gone:
            failure = gone
        else:
            if account.status == "active":
                return
            failure = ReauthRequiredError(code="reauth_required", subject=self.broker.url)
            failure.cause = account.cause
        self._note(failure, tokens)
