"""The credentials of a service account, for programs where nobody signs in."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from tokentoss.exceptions import ConfigurationError, IdTokenError, TokenRefreshError, TokenTossError
from tokentoss.oauth.id_token import times_of, unverified_claims
from tokentoss.session.refresh import AFTER_REFUSALS, BACK_OFF
from tokentoss.session.session import due_at
from tokentoss.util.backoff import BackOff
from tokentoss.util.forks import anew_in_child
from tokentoss.util.secret import Secret
from tokentoss.workload.credentials_file import DEFAULT

CREDENTIALS_VARIABLE = "TOKENTOSS_SERVICE_CREDENTIALS"
"""Environment variable with what :class:`ServiceCredentials` takes as its source."""

AUDIENCE_VARIABLE = "TOKENTOSS_SERVICE_AUDIENCE"
"""Environment variable with the audience of the ID tokens."""

IMPERSONATE_VARIABLE = "TOKENTOSS_SERVICE_IMPERSONATE"
"""Environment variable with the service account to impersonate."""

logger = logging.getLogger(__name__)

_EMAIL = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+")
_LONGEST = 2048
# JSON, and how base64 of JSON begins.
_TEXT = re.compile(r"\s*(?:\{|ew0K|ewog|eyJ)")


@dataclass(frozen=True)
class _Minted:
    """An ID token, with when it is to be renewed by either clock, and when it ends."""

    token: Secret
    due_at: float
    due_at_monotonic: float
    ends_at: float

    @property
    def is_due(self) -> bool:
        # The one clock may be set while the token lives; the other one stops while a computer sleeps.
        return time.time() >= self.due_at or time.monotonic() >= self.due_at_monotonic

    @property
    def has_ended(self) -> bool:
        return time.time() >= self.ends_at


class ServiceCredentials:
    """A service account's ID tokens, minted by google-auth, for clients where nobody signs in.

    Tokens are kept in memory until 240 seconds before their end. Threads that need one at once make one
    request. The file is read for every token and its content is not kept, so it can be replaced while the
    process runs, and neither a ``repr`` nor a pickle holds anything of it.

    Args:
        source: The path of a service account key, or of a configuration of workload identity federation or
            impersonation; or ``"default"`` for the application default credentials of google-auth.
        audience: Whom the tokens are for: the OAuth client ID of the Identity-Aware Proxy. Clients that
            have an ``expected_audience`` need none here.
        impersonate: The e-mail address of a service account to impersonate.

    Raises:
        ConfigurationError: ``credentials_is_text`` if the content of a file is given instead of its path;
            ``argument_invalid``.
    """

    # What a traceback shows of one whose arguments were refused.
    source = ""
    audience: str | None = None
    impersonate: str | None = None
    named_by = ""

    def __init__(
        self, source: str | Path, audience: str | None = None, *, impersonate: str | None = None
    ) -> None:
        # At once: it may be a key, and a traceback with local variables shows this frame.
        source = Secret(source if isinstance(source, (str, PurePath)) else "")
        if _TEXT.match(source) or "\n" in source:
            raise ConfigurationError(code="credentials_is_text", subject=CREDENTIALS_VARIABLE)
        if not source.strip() or len(source) > _LONGEST:
            raise ConfigurationError(code="argument_invalid", subject="The source of service credentials")
        if audience is not None and not _is_word(audience):
            raise ConfigurationError(code="argument_invalid", subject=f"audience={audience!r}")
        if impersonate is not None and not _EMAIL.fullmatch(impersonate):
            raise ConfigurationError(code="argument_invalid", subject=f"impersonate={impersonate!r}")
        self.source, self.audience, self.impersonate = _lasting(str(source)), audience, impersonate
        self._minted: _Minted | None = None
        self._turn = threading.Lock()
        anew_in_child(self, _turn=threading.Lock)
        self._back_off = BackOff(*BACK_OFF)
        self._failure: TokenTossError | None = None
        self._began = -AFTER_REFUSALS

    def __repr__(self) -> str:
        members = [repr(self.source), f"audience={self.audience!r}"]
        if self.impersonate is not None:
            members.append(f"impersonate={self.impersonate!r}")
        if self.named_by:
            members.append(f"named by {self.named_by}")
        return f"ServiceCredentials({', '.join(members)})"

    def __reduce__(self) -> Any:
        return _restored, (self.source, self.audience, self.impersonate, self.named_by)

    @classmethod
    def of_environment(cls, audience: str | None = None) -> ServiceCredentials | None:
        """Return the credentials that ``TOKENTOSS_SERVICE_CREDENTIALS`` names, if it does.

        Args:
            audience: The audience if ``TOKENTOSS_SERVICE_AUDIENCE`` names none.

        Raises:
            ConfigurationError: As the constructor.
        """
        source = Secret(os.environ.get(CREDENTIALS_VARIABLE, "").strip())
        if not source:
            return None
        named = os.environ.get(AUDIENCE_VARIABLE, "").strip() or audience
        return _shared(source, named, os.environ.get(IMPERSONATE_VARIABLE, "").strip() or None)

    def for_audience(self, audience: str | None) -> ServiceCredentials:
        """Return these credentials if they have an audience, or ones with this audience.

        Raises:
            ConfigurationError: ``credentials_audience_missing`` if there is none at all.
        """
        if self.audience is not None:
            return self
        if audience is None:
            raise ConfigurationError(code="credentials_audience_missing", subject=self.source)
        return _restored(self.source, audience, self.impersonate, self.named_by)

    @property
    def id_token(self) -> str:
        """The ID token, renewed first if it is about to end.

        Raises:
            ConfigurationError: If the file or the audience cannot be used (``credentials_…``).
            TokenRefreshError: If no token is given (``minting_…``, or the code of a network's failure).
        """
        minted = self._minted
        if minted is None or minted.is_due:
            minted = self._next(minted)
        return str(minted.token)

    def id_token_after(self, refused: str) -> str | None:
        """Return a newer ID token than one that a service refused; None if there is none to be had.

        Services refuse for many reasons that new tokens do not change, so a token that was asked for within
        the last 30 seconds is not renewed.

        Raises:
            ConfigurationError: As :attr:`id_token`.
            TokenRefreshError: As :attr:`id_token`.
        """
        with self._turn:
            minted = self._minted
            if minted is None or minted.token == refused:
                if time.monotonic() - self._began < AFTER_REFUSALS:
                    return None
                minted = self._ask()
        return str(minted.token) if minted.token != refused else None

    def _next(self, seen: _Minted | None) -> _Minted:
        """Return the token that follows on the one that a caller has seen."""
        arrived = time.monotonic()
        usable = seen if seen is not None and not seen.has_ended else None
        if usable is not None and self._back_off.is_waiting:
            return usable
        if usable is None:
            self._turn.acquire()
        elif not self._turn.acquire(blocking=False):
            # Who has a valid token waits for nobody.
            return usable
        try:
            minted = self._minted
            if minted is not None and minted is not seen and not minted.is_due:
                return minted
            if self._failure is not None and self._began >= arrived:
                # Made for this caller as well, who waited for it.
                raise _again(self._failure)
            try:
                return self._ask()
            except TokenTossError:
                if usable is None:
                    raise
                return usable
        finally:
            self._turn.release()

    def _ask(self) -> _Minted:
        """Ask for a token while holding the turn."""
        if self.audience is None:
            raise ConfigurationError(code="credentials_audience_missing", subject=self.source)
        from tokentoss.workload.minting import mint  # noqa: PLC0415 - it costs the import of google-auth

        self._began = time.monotonic()
        try:
            minted = self._accepted(mint(self.source, self.audience, self.impersonate))
        except TokenTossError as failure:
            logger.debug("no ID token: %s", failure.code)
            self._failure = _again(failure)
            self._back_off.failed(failure.retry_after or 0.0)
        else:
            logger.debug("an ID token of %r", self)
            self._minted, self._failure = minted, None
            self._back_off.reset()
            return minted
        raise _again(self._failure)

    def _accepted(self, token: Secret) -> _Minted:
        """Check what the token says: whom it is for, and when it ends."""
        try:
            audience = unverified_claims(token).get("aud")
        except IdTokenError:
            audience = None
        issued_at, ends_at = times_of(token)
        if audience != self.audience or not ends_at:
            subject = f"{self.source} (no ID token for {self.audience})"
            raise TokenRefreshError(code="minting_answer_invalid", subject=subject)
        now = time.time()
        if ends_at <= now:
            raise TokenRefreshError(code="minting_clock_wrong", subject=self.source)
        lives = ends_at - (now if issued_at is None else issued_at)
        due = due_at(ends_at, issued_at)
        return _Minted(token, due, time.monotonic() + lives - (ends_at - due), ends_at)


@lru_cache(maxsize=64)
def _shared(source: str, audience: str | None, impersonate: str | None) -> ServiceCredentials:
    """Return the credentials of the environment, which all clients of the process share with their token."""
    return _restored(source, audience, impersonate, CREDENTIALS_VARIABLE)


def _restored(
    source: str, audience: str | None, impersonate: str | None, named_by: str
) -> ServiceCredentials:
    made = ServiceCredentials(source, audience, impersonate=impersonate)
    made.named_by = named_by
    return made


def _again(failure: TokenTossError) -> TokenTossError:
    """Return an error like another one, without the frames that it has passed."""
    made = type(failure)(str(failure), code=failure.code)
    made.retry_after = failure.retry_after
    return made


def _lasting(source: str) -> str:
    """Return a source that means the same after ``os.chdir``, and in other processes."""
    # The home folder is looked up when the file is read, because there may be none.
    stays = source == DEFAULT or source.startswith("~")
    try:
        return source if stays else str(Path(source).absolute())
    except FileNotFoundError:
        # The working folder is gone.
        raise ConfigurationError(code="credentials_file_missing", subject=source) from None


def _is_word(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _LONGEST and text.isprintable() and " " not in text
