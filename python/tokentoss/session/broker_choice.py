"""Which account of a broker a manager uses: chosen, ended and replaced under one lock."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokentoss.broker.answers import Since
from tokentoss.broker.names import provider_name
from tokentoss.broker.tokens import BrokeredTokens
from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import NoCredentialsError, ReauthRequiredError, TokenTossError
from tokentoss.session.broker_session import account_at, require_same_user, tokens_at
from tokentoss.session.clientless import ClientlessManager
from tokentoss.session.default_credentials import withdraw
from tokentoss.storage import MemoryStorage
from tokentoss.storage.accounts import Account
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import AccountOfToken, ConnectedAccount, Kind, ProviderToken
    from tokentoss.oauth.provider import Provider

WHOLE_SECOND = 1.0
"""Seconds by which the age of a connection may be wrong: brokers write times in whole seconds."""

unheard: set[tuple[str, str]] = set()
"""Accounts that were signed out in this process, by broker, until the broker has heard of it."""


@dataclass(eq=False)
class _Coming:
    """An account that is about to be used, once its first tokens are here."""

    account: str


class BrokerChoice(ClientlessManager):
    """Answers with the tokens of the account in use alone, however late others arrive.

    The tokens are an object for each choice: an answer counts only while its object is the one in use. No
    request and no observer runs under the lock.

    The account of a session that has ended stays the one that is meant, until the user connects, chooses or
    suggests another one.

    Args:
        broker: The broker.
        provider: The provider.
        scopes: What sign-ins ask for.
        account: The account's name, if it is given.
    """

    def __init__(
        self, broker: Broker, provider: Provider, scopes: list[str] | None, account: str | None
    ) -> None:
        self.broker = broker
        self._name = account
        self._choice = threading.RLock()
        anew_in_child(self, _choice=threading.RLock)
        self._tokens = BrokeredTokens(broker, provider_name(broker, provider), account)
        self._names_scopes = scopes is not None
        self._coming: _Coming | None = None
        self._began = 0.0
        # Counts from the end of the latest session; None while one runs, or nobody was signed in yet.
        self._since_end: Since | None = None
        # Which connections were listed while the session ran: each by its account and when it began.
        self._listed: set[tuple[str, float]] = set()
        super().__init__(
            ClientConfig(
                broker.url, auth_uri=provider.authorization_endpoint, token_uri=provider.token_endpoint
            ),
            storage=MemoryStorage(),
            scopes=scopes,
            provider=provider,
        )

    @property
    def is_renewable(self) -> bool:
        """Whether the broker renews the tokens: always, while somebody is signed in."""
        return self.is_authenticated

    @property
    def has_ended(self) -> bool:
        """Whether there was a session that ended, and nobody signed out here."""
        return self._since_end is not None and not self._has_signed_out

    @property
    def asked_scopes(self) -> list[str] | None:
        """The scopes that a sign-in asks for; None for those of the broker's configuration.

        Tokens are asked for without them: the user may grant less, and what was granted stays usable.
        """
        is_asked = self._names_scopes or self.scopes != list(self.provider.scopes)
        return list(self.scopes) if is_asked else None

    def connected(self, account: AccountOfToken) -> Account:
        """Use an account that was just connected, here and in whatever asks this manager.

        The account before stays in use until the tokens of this one are here. If the user has signed out or
        chosen again by then, this choice counts no more.
        """
        whose = account_at(account, self.broker, self.provider)
        unheard.discard((self.broker.url, account.id))
        with self._choice:
            coming = self._coming = _Coming(account.id)
            tokens = self._tokens.of(account.id)
        try:
            # What was granted is known with the first token.
            token = tokens.current("id_token" if self.provider.openid_connect else "access_token")
            require_same_user(token, account.subject, self.provider, self.broker)
        except TokenTossError:
            tokens.forget()
        with self._choice:
            if self._coming is not coming:
                tokens.end()
                return whose
            self._use(tokens)
            self._start(account)
        self._observers.notify()
        return whose

    def suggest(self, login_hint: str) -> None:
        """Use the account of a login hint from now on, and nobody's until it is connected."""
        with self._choice:
            session = self._store.session
            if session is not None and Account.of(session.tokens).is_suggested_by(login_hint):
                return
            self._name = login_hint
            self._coming = None
            self._account_change.expect(None)
            self._end()
            self._since_end = None
            self._use(self._tokens.of(login_hint))
        self._observers.notify()

    def drop(self, identifier: str) -> bool:
        """Forget an account that is signed out elsewhere in this process; tell whether it was in use.

        Observers are not told yet.
        """
        with self._choice:
            if self._coming is not None and self._coming.account == identifier:
                self._coming = None
            if self._store.session is not None and self._tokens.account != identifier:
                return False
            # What is on its way may be of this account.
            return self._end()

    def _meant(self, accounts: list[ConnectedAccount]) -> list[ConnectedAccount]:
        """Return those of the provider's accounts that this manager may use."""
        return self._named(accounts, self._tokens.account)

    def _come_since_the_end(self, accounts: list[ConnectedAccount]) -> list[ConnectedAccount]:
        """Return those that somebody has connected since the session ended."""
        ended, listed = self._since_end, self._listed
        if ended is None:
            return []
        return [
            one
            for one in self._named(accounts, self._name)
            if (one.id, one.connected_at) not in listed
            and one.since_connected.seconds < ended.seconds + WHOLE_SECOND
        ]

    def _named(self, accounts: list[ConnectedAccount], name: str | None) -> list[ConnectedAccount]:
        own = [one for one in accounts if one.provider == self._tokens.provider]
        return [one for one in own if name in {None, one.id, one.subject, one.email}]

    def _note_listed(self, accounts: list[ConnectedAccount]) -> None:
        """Remember what is connected beside the account in use: it has not come after the session."""
        self._listed = {(one.id, one.connected_at) for one in accounts}

    def _current(self, kind: Kind, *, anew: bool = False) -> ProviderToken | None:
        """Return the token of the account in use, from memory unless it is wanted anew; None if nobody is."""
        while not self._has_signed_out:
            tokens = self._tokens
            try:
                token = tokens.renewed(kind) if anew else tokens.current(kind)
                if self._take(token, tokens):
                    return token
            except TokenTossError as failure:
                if not self._note(failure, tokens):
                    continue  # of an account that is no longer in use
                if failure.code == "not_connected":
                    return None
                raise
        return None

    def _after(self, kind: Kind, refused: str | None) -> ProviderToken | None:
        while self._store.session is not None and refused is not None:
            tokens = self._tokens
            try:
                token = tokens.after(kind, refused)
                if token is None or self._take(token, tokens):
                    return token
            except TokenTossError as failure:
                if self._note(failure, tokens):
                    raise
        return None

    def _take(
        self, token: ProviderToken, tokens: BrokeredTokens, in_place_of: BrokeredTokens | None = None
    ) -> bool:
        """Make the newest tokens those of the session, which begins with the first.

        Args:
            token: The newest.
            tokens: Where they are.
            in_place_of: The tokens that these replace, as the account is found only now.

        Returns:
            Whether they count; not if the user has signed out or uses another account by now.

        Raises:
            TokenTossError: If they are not the account's, or it was signed out in this process.
        """
        with self._choice:
            if self._has_signed_out or self._tokens is not (in_place_of or tokens):
                return False
            session = self._store.session
            if session is not None and in_place_of is not None:
                return False
            try:
                subject = session.tokens.subject if session is not None else None
                require_same_user(token, subject, self.provider, self.broker)
                if session is None and (self.broker.url, token.account.id) in unheard:
                    raise NoCredentialsError(code="not_connected", subject=self.broker.url)
            except TokenTossError:
                tokens.forget()
                raise
            self.last_error = None
            if session is not None:
                at_hand = tokens_at(token.account, tokens, self.broker, self.provider, self._began)
                self._store.use(at_hand)
                is_news = at_hand.access_token != session.tokens.access_token
                told = self._renewal_observers if is_news else None
            else:
                if in_place_of is not None:
                    self._use(tokens)
                tokens.account = token.account.id
                self._start(token.account)
                told = self._observers
        if told is not None:
            told.notify()
        return True

    def _note(self, failure: TokenTossError, tokens: BrokeredTokens) -> bool:
        """Take note of a failure, which may end the session; tell whether it is of the account in use."""
        with self._choice:
            if tokens is not self._tokens:
                return False
            self.last_error = failure
            is_over = isinstance(failure, ReauthRequiredError) or failure.code == "not_connected"
            has_ended = is_over and self._store.session is not None and self._end()
        if has_ended:
            self._observers.notify()
        return True

    def _start(self, account: AccountOfToken) -> None:
        """Begin a session with the tokens at hand; the caller holds the lock, and tells the observers."""
        self._coming = self._since_end = None
        self._has_signed_out = False
        self.last_error = None
        self._began = time.time()
        self._account_change.meet(account_at(account, self.broker, self.provider))
        self._store.sign_in(tokens_at(account, self._tokens, self.broker, self.provider, self._began))
        # Nothing of it is kept anywhere else than in use.
        self._store.storage.clear()
        self._publish()

    def _end(self) -> bool:
        """End the session, and tell whether there was one; the caller holds the lock and tells observers.

        Whoever asks next is answered for the same account: that another one is connected, too, chooses
        nobody.
        """
        session, name = self._store.session, self._tokens.account
        was_in_use = self._store.forget(session)
        if session is not None:
            # Who disconnects an account and connects it again may get another identifier at the broker.
            self._since_end, name = Since(), session.tokens.subject
        self._use(self._tokens.of(name))
        withdraw(self)
        return was_in_use

    def _use(self, tokens: BrokeredTokens) -> None:
        self._tokens.end()
        self._tokens = tokens
