"""A sign-in that the kernel runs by itself, for a page that cannot: code and verifier meet nowhere else."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from tokentoss.exceptions import SignInError, TokenTossError, error_for
from tokentoss.handoff.kernel_request import Ended
from tokentoss.oauth.authorization_code import nonce_of
from tokentoss.oauth.authorization_response import authorization_code, is_strangers, query_of_address
from tokentoss.oauth.pkce import generate_pkce_pair
from tokentoss.util.base64url import random_b64url
from tokentoss.util.constant_time import same_text
from tokentoss.util.forks import anew_in_child
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.handoff.sign_in import HandOff
    from tokentoss.session.auth_manager import AuthManager

LIFETIME = 600.0
"""Seconds in which the user must come back; a page waits as long."""

BEGIN_PATH = "/tokentoss/begin"
"""Where the listener sends a browser on to the provider; the query is the key."""


class KernelSignIn:
    """One authorization request of the kernel's own, and the one answer that it takes.

    Its answer decides the hand-off, as an envelope of the page would: whichever comes first counts.

    Args:
        manager: Whose client signs in, and who takes the tokens.
        hand_off: What is decided by it.

    Attributes:
        address: Where the user signs in. It holds the state, but not the verifier.
        redirect_uri: Where the provider sends the browser after that.
    """

    def __init__(self, manager: AuthManager, hand_off: HandOff) -> None:
        self.redirect_uri = hand_off.redirect_uris[0]
        self._manager = manager
        self._hand_off = hand_off
        self._state = random_b64url(32)
        self._verifier, challenge = generate_pkce_pair()
        self._begin_key: str | None = random_b64url(16)
        self._nonce = nonce_of(challenge) if manager.provider.openid_connect else None
        self.address = manager.get_authorization_url(
            challenge,
            self.redirect_uri,
            self._state,
            login_hint=hand_off.login_hint,
            another_account=hand_off.another_account,
        )
        self._lock = threading.Lock()
        anew_in_child(self, _lock=threading.Lock)
        self._is_spent = False
        self._clock = threading.Timer(LIFETIME, self._end, [SignInError(code="sign_in_timed_out")])
        self._clock.daemon = True
        with suppress(RuntimeError):  # there are no threads in Pyodide
            self._clock.start()

    def __repr__(self) -> str:
        return f"KernelSignIn(redirect_uri={self.redirect_uri!r}, is_spent={self._is_spent})"

    def begin_address(self, origin: str) -> str:
        """Return an address of the listener that leads to the provider, once.

        The command that opens a browser stands in the process list, where everybody on this machine reads
        it. The request itself, with its state, is not to.

        Args:
            origin: The listener's.
        """
        return f"{origin}{BEGIN_PATH}?{self._begin_key}"

    def begin(self, key: str) -> str | None:
        """Return where a browser goes on that was opened with this key; None if it is not the key, or spent.

        Whoever read the key in the process list and came first leaves the user with a page that says so.
        """
        with self._lock:
            if self._is_spent or self._begin_key is None or not same_text(key, self._begin_key):
                return None
            self._begin_key = None
            return self.address

    def take_callback(self, query: str) -> Ended | None:
        """Take an answer that came to the listener, redeem its code, and say how it ended.

        Returns:
            How it ended; None if it is no answer to this request, or not the first.

        Raises:
            TokenTossError: ``issuer_missing`` or ``issuer_mismatch``; the request goes on waiting.
        """
        try:
            code = authorization_code(query, self._state, self._manager.provider)
        except TokenTossError as failure:
            if failure.code in {"issuer_missing", "issuer_mismatch"}:
                raise  # whoever opened this window, the provider's own answer may still come
            return None if is_strangers(failure) else self._end(failure)
        return self._redeem(code)

    def paste(self, text: str) -> TokenTossError | None:
        """Take the address that the user ended on.

        Returns:
            What is wrong with it, if the sign-in goes on: only the provider's own refusal ends it.
        """
        try:
            query = query_of_address(text, self.redirect_uri)
            code = authorization_code(query, self._state, self._manager.provider)
        except TokenTossError as failure:
            if failure.culprit != "provider_refused":
                return failure
            ended = self._end(failure)
        else:
            ended = self._redeem(code)
        return error_for("state_mismatch") if ended is None else None

    def cancel(self) -> None:
        """Take no answer any more."""
        self._spend()

    def _redeem(self, code: str) -> Ended | None:
        # At once: a traceback with local variables shows the frame of a failure below.
        code = Secret(code)

        def take() -> None:
            self._manager.accept_code(code, self._verifier, self.redirect_uri, nonce=self._nonce)

        return self._decide(take)

    def _end(self, failure: TokenTossError) -> Ended | None:
        def refuse() -> None:
            raise failure

        return self._decide(refuse)

    def _decide(self, take: Callable[[], None]) -> Ended | None:
        if not self._spend():
            return None
        failures: list[TokenTossError] = []

        def heard() -> None:
            try:
                take()
            except TokenTossError as failure:
                failures.append(failure)
                raise

        code = self._hand_off.decide(heard)
        return Ended(code, next(iter(failures), None)) if code else Ended()

    def _spend(self) -> bool:
        """Tell whether this is the first, and only, use of the state."""
        self._clock.cancel()
        with self._lock:
            is_first, self._is_spent = not self._is_spent, True
        return is_first
