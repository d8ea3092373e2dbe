"""Renewing a session: one request at a time for each grant, across threads and processes."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NoReturn

from tokentoss.exceptions import (
    IdTokenError,
    ReauthRequiredError,
    SignInError,
    StorageError,
    TokenRefreshError,
)
from tokentoss.oauth.client_authentication import Form
from tokentoss.oauth.provider import GOOGLE
from tokentoss.oauth.token_endpoint import ask_for_tokens
from tokentoss.oauth.token_response import TokenRequestError
from tokentoss.session.doubtful_tokens import doubts, fingerprint
from tokentoss.session.refusals import Verdict, verdict_on
from tokentoss.session.tokens_from_response import rotated, rotated_only, tokens_of_refresh
from tokentoss.storage.token_data import same_tokens, utc_time
from tokentoss.util.backoff import BackOff, Retry
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.oauth.provider import Provider
    from tokentoss.oauth.token_response import TokenResponse
    from tokentoss.session.session import Session
    from tokentoss.session.session_store import SessionStore

logger = logging.getLogger(__name__)

BACK_OFF = (2.0, 60.0)
"""Shortest and longest wait in seconds after a renewal that failed without ending the session."""

TURN_TIMEOUT = 30.0
"""Seconds to wait for a turn, which its store gives back within twenty, dead or alive."""

PATIENCE = 6.0
"""Seconds in which a renewal that a caller cannot do without is tried again after a passing failure."""

FIRST_PAUSE = 0.5
"""Longest pause in seconds before the first of these attempts; each later one is twice as long."""

DOUBT = 30.0
"""Seconds in which a refresh token that may be spent is not sent again."""

AFTER_REFUSALS = 30.0
"""Seconds between two renewals of valid tokens that a service refused."""

TESTING_LIFETIME = 7 * 86_400.0
"""Seconds that a refresh token lives while its Google project is in testing."""


class Renewal:
    """Renews the session of a store.

    Args:
        store: Holds the session.
        provider: Where it is renewed.
        client_id: The client.
        client: What identifies it at the token endpoint.
    """

    def __init__(self, store: SessionStore, provider: Provider, client_id: str, client: Form) -> None:
        self._store = store
        self._provider = provider
        self._client_id = client_id
        self._client = client
        self._turn = threading.Lock()
        anew_in_child(self, _turn=threading.Lock)
        self._back_off = BackOff(*BACK_OFF)
        self._failure: TokenRefreshError | None = None
        self._attempt_began = self._failed_attempt_began = 0.0
        self._may_not_ask = False
        self._refused_request = ""
        self._done_at: float | None = None
        self._after_refusal_at: float | None = None

    def was_done_within(self, seconds: float) -> bool:
        """Tell whether this object has renewed the session so shortly ago."""
        return self._done_at is not None and time.monotonic() - self._done_at < seconds

    def _may_follow_a_refusal(self) -> bool:
        """Tell whether to renew valid tokens because a service refused one, and count that in.

        Services refuse for many reasons that new tokens do not change.
        """
        now = time.monotonic()
        at = self._after_refusal_at
        if (at is not None and now - at < AFTER_REFUSALS) or self.was_done_within(AFTER_REFUSALS):
            return False
        self._after_refusal_at = now
        return True

    def reset(self) -> None:
        """Forget about failures, because somebody signed in."""
        self._failure = None
        self._refused_request = ""
        self._after_refusal_at = None
        self._back_off.reset()

    def renew(
        self,
        seen: Session,
        is_due: Callable[[Session], bool],
        *,
        can_wait: bool = False,
        after_refusal: bool = False,
    ) -> Session:
        """Return the session that follows on the one a caller has seen.

        Callers that arrive while another renews, here or in another process, share its result.

        Args:
            seen: The session that the caller finds too old.
            is_due: Whether a session that came in its place is too old as well.
            can_wait: Whether the caller has tokens that are still valid. If so, it waits for nobody
                and nothing is tried twice.
            after_refusal: Whether a service refused a token that is still valid. It is renewed only if that
                has not happened for a while; otherwise the session returns as it is.

        Raises:
            ReauthRequiredError: If the grant has ended; nobody is signed in then.
            TokenRefreshError: If there are no new tokens now; the session stays.
        """
        arrived = time.monotonic()
        ends = arrived + (0.0 if can_wait else TURN_TIMEOUT)
        if not self._turn.acquire(timeout=0.0 if can_wait else TURN_TIMEOUT):
            raise TokenRefreshError(code="refresh_busy")
        try:
            session = self._in_use()
            if _is_newer(session, seen) and not is_due(session):
                return session
            if self._failure is not None and self._failed_attempt_began >= arrived:
                # Made for this caller as well, who waited for it.
                raise self._known_failure()
            # Not before it is this thread's turn: whoever waited shares what the first one got.
            if after_refusal and not is_due(session) and not self._may_follow_a_refusal():
                return session
            try:
                turn = self._store.storage.renewing(session.tokens, ends - time.monotonic())
                with turn:
                    return self._renewed(seen, is_due, can_wait=can_wait)
            except TimeoutError:
                raise TokenRefreshError(code="refresh_busy") from None
        finally:
            self._turn.release()

    def _renewed(self, seen: Session, is_due: Callable[[Session], bool], *, can_wait: bool) -> Session:
        """Renew while holding the turn of all processes."""
        session = self._in_use()
        followed = self._store.follow(session)
        if followed is None:
            self._end(session, "signed_out_elsewhere")
        if _is_newer(followed, seen) and not is_due(followed):
            return followed
        # Without a valid token a caller asks itself, unless told to wait, or given tokens of no use.
        answers = can_wait or self._may_not_ask
        if answers and self._failure is not None and self._back_off.is_waiting:
            raise self._known_failure()
        if not followed.tokens.refresh_token:
            raise TokenRefreshError(code="refresh_token_missing")
        if doubts.holds(followed.tokens.refresh_token):
            raise TokenRefreshError(code="refresh_answer_unreadable", subject=self._provider.token_endpoint)
        self._attempt_began = time.monotonic()
        response = self._response(followed, can_wait=can_wait)
        return self._in_use() if response is None else self._taken(followed, response)

    def _response(self, session: Session, *, can_wait: bool) -> TokenResponse | None:
        """Return the provider's answer; None if another process has renewed the session after all."""
        tries = Retry(FIRST_PAUSE, 0.0 if can_wait else PATIENCE)
        while self._store.session is session:
            form = Form(self._client, grant_type="refresh_token", refresh_token=session.tokens.refresh_token)
            try:
                logger.debug("renewing at %s", self._provider.token_endpoint)
                return ask_for_tokens(self._provider.token_endpoint, form)
            except TokenRequestError as failure:
                logger.debug("not renewed: %s", failure.code)
                verdict = verdict_on(failure, self._provider.rotation)
                if verdict is Verdict.DOUBTFUL:
                    self._doubt(session, failure)
                ending = self._ending(session, failure, verdict)
                if ending is not None:
                    # A refresh token that another process has used in the meantime is refused as well.
                    if self._is_still_stored(session):
                        self._end(session, ending, failure.subject)
                    return None
                may_repeat = verdict in {Verdict.PASSING, Verdict.ENDED_IF_REPEATED}
                if not may_repeat or not tries.wait(failure.retry_after or 0.0):
                    self._fail(failure.code, failure.subject, failure.retry_after)
        return None

    def _ending(self, session: Session, failure: TokenRequestError, verdict: Verdict) -> str | None:
        """Return the code with which the session ends; None if it goes on."""
        if verdict is Verdict.ENDED:
            return self._cause_of_end(session, failure.cause)
        request = fingerprint(session.tokens.refresh_token)
        was_refused, self._refused_request = self._refused_request == request, ""
        if verdict is not Verdict.ENDED_IF_REPEATED:
            return None
        self._refused_request = request
        return "grant_forgotten" if was_refused else None

    def _doubt(self, session: Session, failure: TokenRequestError) -> NoReturn:
        """Keep what is known after an answer that cannot be used, and send the same token no more for now."""
        if failure.rotated is not None:
            self._store.advance(session, rotated(session.tokens, str(failure.rotated)))
            self._fail(failure.code, failure.subject, None)
        doubts.note(session.tokens.refresh_token, DOUBT)
        self._fail("refresh_answer_unreadable", self._provider.token_endpoint, DOUBT)

    def _is_still_stored(self, session: Session) -> bool:
        """Tell whether nobody has replaced a session; where that cannot be known, it is not ended."""
        try:
            followed = self._store.follow(session, must_know=True)
        except StorageError as failure:
            self._fail(failure.code, None, None, str(failure))
        return followed is None or followed is session

    def _taken(self, session: Session, response: TokenResponse) -> Session:
        try:
            tokens = tokens_of_refresh(
                session.tokens, response, provider=self._provider, client_id=self._client_id
            )
        except (IdTokenError, SignInError) as failure:
            kept = rotated_only(session.tokens, response, failure.code)
            if kept is not None:
                self._store.advance(session, kept)
            self._fail(failure.code, None, None, str(failure))
        renewed = self._store.advance(session, tokens)
        if renewed is not None:
            self.reset()
            self._done_at = time.monotonic()
            logger.debug("renewed")
            return renewed
        # Signed out, or signed in anew, while the provider answered: its answer belongs to nobody now.
        followed = self._store.follow(self._in_use())
        if followed is None:
            self._end(session, "signed_out_elsewhere")
        return followed

    def _in_use(self) -> Session:
        session = self._store.session
        if session is None:
            raise ReauthRequiredError(code="session_expired")
        return session

    def note_no_progress(self, code: str) -> None:
        """Wait before the next attempt, because the latest one brought nothing that was needed."""
        self._failure, self._may_not_ask = TokenRefreshError(code=code), True
        self._back_off.failed()

    def _fail(
        self, code: str, subject: str | None, retry_after: float | None, message: str | None = None
    ) -> NoReturn:
        self._failure = TokenRefreshError(message, code=code, subject=subject)
        self._may_not_ask = retry_after is not None
        self._failed_attempt_began = self._attempt_began
        self._back_off.failed(retry_after or 0.0)
        raise self._known_failure() from None

    def _known_failure(self) -> TokenRefreshError:
        assert self._failure is not None  # noqa: S101 - asked for after one only
        return TokenRefreshError(str(self._failure), code=self._failure.code, subject=self._failure.subject)

    def _end(self, session: Session, cause: str, subject: str | None = None) -> NoReturn:
        if self._store.forget(session):
            self._store.discard(session)
        raise ReauthRequiredError(code=cause, subject=subject if cause == "grant_forgotten" else None)

    def _cause_of_end(self, session: Session, cause: str) -> str:
        """Return a likelier cause than "expired or revoked", which is all that Google says."""
        began = session.tokens.connected_at or session.tokens.created_at
        if cause != "invalid_grant" or began is None or self._provider.issuer != GOOGLE.issuer:
            return cause
        age = (datetime.now(timezone.utc) - utc_time(began)).total_seconds()
        # A day more, for a computer that slept through the end.
        return "grant_expired_testing" if TESTING_LIFETIME <= age < TESTING_LIFETIME + 86_400 else cause


def _is_newer(session: Session, seen: Session) -> bool:
    return session is not seen and not same_tokens(session.tokens, seen.tokens)
