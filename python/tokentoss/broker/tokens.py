"""The tokens of one account at a broker: in memory only, and asked for by one thread at a time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tokentoss.broker.client import BrokerClient
from tokentoss.exceptions import NoCredentialsError, ReauthRequiredError, TokenRefreshError, TokenTossError
from tokentoss.util.backoff import BackOff
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
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


class BrokeredTokens:
    """Gives out the tokens of one account, asking the broker in place of the provider.

    Args:
        broker: The broker.
        provider: The provider's name in its configuration.
        scopes: What tokens must reach; None for what was granted.
        account: The account's identifier, subject or e-mail address; None while there is but one.
    """

    def __init__(
        self, broker: Broker, provider: str, scopes: list[str] | None = None, account: str | None = None
    ) -> None:
        self.client = BrokerClient(broker)
        self.provider = provider
        self.scopes = scopes
        self.account = account
        self._held: dict[Kind, ProviderToken] = {}
        # Grows whenever what is on its way counts no more.
        self._round = 0
        self._turn = threading.Lock()
        anew_in_child(self, _turn=threading.Lock)
        self._back_off = BackOff(*BACK_OFF)
        self._failure: tuple[float, TokenTossError] | None = None
        self._after_refusal_at: float | None = None

    def __repr__(self) -> str:
        return f"BrokeredTokens({self.client.broker!r}, provider={self.provider!r}, account={self.account!r})"

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
        if held is not None and is_valid and self._back_off.is_waiting:
            return held
        try:
            return self._asked(kind, can_wait=is_valid)
        except ReauthRequiredError:
            raise
        except TokenRefreshError:
            if held is not None and _is_valid(held, kind):
                return held
            raise

    def after(self, kind: Kind, refused: str) -> ProviderToken | None:
        """Return another token than one that a service refused; None if there is none.

        Raises:
            TokenTossError: As :meth:`current`.
        """
        held = self._held.get(kind)
        if held is not None and not _is_due(held, kind) and _text(held, kind) != refused:
            return held
        now = time.monotonic()
        if self._after_refusal_at is not None and now - self._after_refusal_at < AFTER_REFUSALS:
            return None
        self._after_refusal_at = now
        asked = self._asked(kind, rejected=refused)
        return None if _text(asked, kind) == refused else asked

    def forget(self) -> None:
        """Forget the tokens, and those that are on their way."""
        self._round += 1
        self._held.clear()
        self._failure = None

    def restart(self) -> None:
        """Forget tokens and failures, because somebody signed in."""
        self.forget()
        self._back_off.reset()
        self._after_refusal_at = None

    def _asked(self, kind: Kind, *, can_wait: bool = False, rejected: str | None = None) -> ProviderToken:
        """Ask the broker, or share the answer of a thread that is asking."""
        arrived = time.monotonic()
        if not self._turn.acquire(timeout=0.0 if can_wait else TURN_TIMEOUT):
            raise TokenRefreshError(code="refresh_busy")
        try:
            held = self._held.get(kind)
            if held is not None and not _is_due(held, kind) and _text(held, kind) != rejected:
                return held
            if self._failure is not None and self._failure[0] >= arrived:
                # Made for this caller as well, who waited for it.
                raise _again(self._failure[1])
            began = time.monotonic()
            try:
                return self._given(kind, rejected, can_wait=can_wait)
            except TokenTossError as failure:
                # Without the frames that it has passed.
                self._failure = began, _again(failure)
                self._back_off.failed(failure.retry_after or 0.0)
                if isinstance(failure, (NoCredentialsError, ReauthRequiredError)):
                    self._held.clear()
                raise
        finally:
            self._turn.release()

    def _given(self, kind: Kind, rejected: str | None, *, can_wait: bool) -> ProviderToken:
        number = self._round
        token = self.client.get_valid_provider_access_token(
            self.provider,
            scopes=self.scopes,
            account=self.account,
            rejected=rejected,
            id_token=kind == "id_token",
            patience=0.0 if can_wait else None,
        )
        self._back_off.reset()
        self._failure = None
        if number != self._round:
            return token
        self._held[kind] = token
        known = self._held.get("access_token")
        if known is None or (token.version, token.life or 0.0) > (
            known.version,
            known.left("access_token") or 0.0,
        ):
            self._held["access_token"] = token
        return token


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
    made = type(failure)(str(failure), code=failure.code)
    made.cause, made.action = failure.cause, failure.action
    made.retry_after, made.sign_in_url = failure.retry_after, failure.sign_in_url
    return made
