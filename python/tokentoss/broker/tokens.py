"""The tokens of one account at a broker: in memory only, and asked for by one thread at a time."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tokentoss.broker.client import BrokerClient
from tokentoss.exceptions import NoCredentialsError, ReauthRequiredError, TokenRefreshError, TokenTossError
from tokentoss.util.backoff import BackOff
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import Kind, ProviderToken

MARGIN = 240.0
"""Seconds before its end at which a token is asked for anew; half its life, if it lives less than this."""

UNKNOWN_LIFE = 60.0
"""Seconds after which a token of which nobody knows the end is asked for anew."""

AFTER_REFUSALS = 30.0
"""Seconds between two questions for another token because a service refused one."""

BACK_OFF = (2.0, 60.0)
"""Shortest and longest wait in seconds after a question that failed while the token at hand still serves."""

TURN_TIMEOUT = 60.0
"""Seconds to wait for another thread's question, which ends earlier by itself."""


@dataclass
class _Asked:
    """How it went to ask for one of the two tokens; the other one may do well meanwhile."""

    back_off: BackOff = field(default_factory=lambda: BackOff(*BACK_OFF))
    failure: tuple[float, TokenTossError] | None = None
    answered: float | None = None
    after_refusal_at: float | None = None


class BrokeredTokens:
    """Gives out the tokens of one account, asking the broker in place of the provider.

    Args:
        broker: The broker.
        provider: The provider's name in its configuration.
        account: The account's identifier, subject or e-mail address; None while there is but one.
    """

    def __init__(self, broker: Broker, provider: str, account: str | None = None) -> None:
        self.client = BrokerClient(broker)
        self.provider = provider
        self.account = account
        self._held: dict[Kind, ProviderToken] = {}
        # Grows whenever what is on its way counts no more.
        self._round = 0
        self._has_ended = False
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        anew_in_child(self, _lock=threading.Lock, _turn=threading.Lock)
        self._asked_for: dict[Kind, _Asked] = {"access_token": _Asked(), "id_token": _Asked()}

    def __repr__(self) -> str:
        return f"BrokeredTokens({self.client.broker!r}, provider={self.provider!r}, account={self.account!r})"

    def of(self, account: str | None) -> BrokeredTokens:
        """Return the tokens of another account, of which none is at hand."""
        made = BrokeredTokens(self.client.broker, self.provider, account)
        made.client = self.client
        return made

    def held(self, kind: Kind) -> ProviderToken | None:
        """Return the token at hand, without asking."""
        return self._held.get(kind)

    def current(self, kind: Kind) -> ProviderToken:
        """Return a token that lives for a while yet, from memory or from the broker.

        While the broker cannot be asked, a token that is still valid stays in use.

        Raises:
            NoCredentialsError: ``not_connected``.
            ReauthRequiredError: If the user has to sign in again.
            TokenRefreshError: If there is no valid token now.
            ConfigurationError: If the broker refuses the caller or the request.
        """
        held = self._held.get(kind)
        if held is not None and not _is_due(held, kind):
            return held
        is_valid = held is not None and _is_valid(held, kind)
        if held is not None and is_valid and self._asked_for[kind].back_off.is_waiting:
            return held
        try:
            return self._asked(kind, can_wait=is_valid)
        except ReauthRequiredError:
            raise
        except TokenRefreshError:
            # Another thread may have got a newer one meanwhile.
            held = self._held.get(kind)
            if held is not None and _is_valid(held, kind):
                return held
            raise

    def renewed(self, kind: Kind) -> ProviderToken:
        """Return what the broker gives out now, though the token at hand may live on; that stays if it fails.

        Raises:
            TokenTossError: As :meth:`current`.
        """
        arrived = time.monotonic()
        with self._turn_to_ask():
            held, of_kind = self._held.get(kind), self._asked_for[kind]
            if held is not None and of_kind.answered is not None and of_kind.answered >= arrived:
                return held
            self._share_failure(kind, arrived)
            return self._given(kind, None)

    def after(self, kind: Kind, refused: str) -> ProviderToken | None:
        """Return another token than one that a service refused; None if there is none.

        Raises:
            TokenTossError: As :meth:`current`.
        """
        arrived = time.monotonic()
        with self._turn_to_ask():
            held, of_kind = self._held.get(kind), self._asked_for[kind]
            # It was refused to others as well, and one of them has asked already.
            if held is not None and not _is_due(held, kind) and _text(held, kind) != refused:
                return held
            self._share_failure(kind, arrived)
            now = time.monotonic()
            if of_kind.after_refusal_at is not None and now - of_kind.after_refusal_at < AFTER_REFUSALS:
                return None
            of_kind.after_refusal_at = now
            asked = self._given(kind, refused)
        return None if _text(asked, kind) == refused else asked

    def forget(self) -> None:
        """Forget the tokens, and those that are on their way."""
        with self._lock:
            self._round += 1
            self._held.clear()
            for of_kind in self._asked_for.values():
                of_kind.failure = None

    def end(self) -> None:
        """Forget the tokens, and keep none that comes later."""
        self._has_ended = True
        self.forget()

    def _asked(self, kind: Kind, *, can_wait: bool) -> ProviderToken:
        """Ask the broker, or share the answer of a thread that is asking."""
        arrived = time.monotonic()
        with self._turn_to_ask(can_wait=can_wait):
            held = self._held.get(kind)
            if held is not None and not _is_due(held, kind):
                return held
            self._share_failure(kind, arrived)
            return self._given(kind, None, can_wait=can_wait)

    @contextmanager
    def _turn_to_ask(self, *, can_wait: bool = False) -> Iterator[None]:
        """Wait until no other thread asks, unless that one's answer is not needed now."""
        if not self._turn.acquire(timeout=0.0 if can_wait else TURN_TIMEOUT):
            raise TokenRefreshError(code="refresh_busy")
        try:
            yield
        finally:
            self._turn.release()

    def _share_failure(self, kind: Kind, arrived: float) -> None:
        """Raise the failure of a thread that asked since this one arrived: it was made for both."""
        failure = self._asked_for[kind].failure
        if failure is not None and failure[0] >= arrived:
            raise _again(failure[1])

    def _given(self, kind: Kind, rejected: str | None, *, can_wait: bool = False) -> ProviderToken:
        """Ask the broker while holding the turn."""
        began, number = time.monotonic(), self._round
        try:
            token = self.client.get_valid_provider_access_token(
                self.provider,
                account=self.account,
                rejected=rejected,
                id_token=kind == "id_token",
                patience=0.0 if can_wait else None,
            )
        except TokenTossError as failure:
            with self._lock:
                if number == self._round:
                    self._failed(kind, began, failure)
            raise
        with self._lock:
            if number == self._round and not self._has_ended:
                self._keep(kind, token)
                self._asked_for[kind].answered = began
        return token

    def _failed(self, kind: Kind, began: float, failure: TokenTossError) -> None:
        of_kind = self._asked_for[kind]
        # Without the frames that it has passed.
        of_kind.failure = began, _again(failure)
        of_kind.back_off.failed(failure.retry_after or 0.0)
        if isinstance(failure, (NoCredentialsError, ReauthRequiredError)):
            self._held.clear()

    def _keep(self, kind: Kind, token: ProviderToken) -> None:
        # An access token comes with every ID token.
        for one in {kind, "access_token"}:
            of_kind = self._asked_for[one]
            of_kind.back_off.reset()
            of_kind.failure = None
        self._held[kind] = token
        known = self._held.get("access_token")
        if known is None or (token.version, token.life or 0.0) > (
            known.version,
            known.left("access_token") or 0.0,
        ):
            self._held["access_token"] = token


def _is_due(token: ProviderToken, kind: Kind) -> bool:
    left = token.left(kind)
    if left is None:
        return token.age >= UNKNOWN_LIFE
    life = left + token.age
    return left <= (MARGIN if life >= MARGIN else life / 2)


def _is_valid(token: ProviderToken, kind: Kind) -> bool:
    left = token.left(kind)
    return left is None or left > 0


def _text(token: ProviderToken, kind: Kind) -> str:
    return token.access_token if kind == "access_token" else token.id_token


def _again(failure: TokenTossError) -> TokenTossError:
    """Return a failure anew: one exception in two threads would share its traceback."""
    made = type(failure)(str(failure), code=failure.code, subject=failure.subject, case=failure.case)
    made.cause, made.action, made.retry_after = failure.cause, failure.action, failure.retry_after
    made.trace_id = failure.trace_id
    return made
