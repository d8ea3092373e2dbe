"""A widget's sign-in by code, for a page that cannot run it: in a thread of the kernel."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from tokentoss.exceptions import SignInError, StorageError, TokenTossError
from tokentoss.util.urls import secure_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.oauth.device_authorization import DeviceAuthorization, DeviceSignIn
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.storage.token_data import TokenData
    from tokentoss.widgets.gate import Gate

logger = logging.getLogger(__name__)


class SignInByCode:
    """Runs one sign-in by code at a time.

    Args:
        manager: Whose client signs in, and who takes the tokens.
        show: Called with what the page shows, and with ``{}`` when there is nothing to show any more.
        failed: Called with the reason when a sign-in ends without tokens.
        lock: The widget's, under which both are called: what they change is told to the user's code later.
    """

    def __init__(
        self,
        manager: AuthManager,
        show: Callable[[dict[str, Any]], None],
        failed: Callable[[TokenTossError], None],
        lock: Gate,
    ) -> None:
        self._manager = manager
        self._show = show
        self._failed = failed
        self._lock = lock
        self._attempt = 0
        self._sign_in: DeviceSignIn[TokenData] | None = None

    def start(self) -> None:
        """Ask the provider for a new code, and wait until it is entered; the code before it is dropped."""
        with self._lock:
            attempt = self._supersede()
        try:
            threading.Thread(target=self._run, args=(attempt,), name="tokentoss-code", daemon=True).start()
        except RuntimeError:  # a Python without threads
            self._failed(
                SignInError(code="device_authorization_unsupported", subject="A Python without threads")
            )

    def cancel(self) -> None:
        """Drop the code."""
        with self._lock:
            self._supersede()
            self._show({})

    def cancel_in(self, process: int) -> None:
        """Drop the code in this process; one that was forked has but a copy of it."""
        if os.getpid() == process:
            self.cancel()

    def _supersede(self) -> int:
        self._attempt += 1
        if self._sign_in is not None:
            self._sign_in.cancel()
            self._sign_in = None
        return self._attempt

    def _run(self, attempt: int) -> None:
        try:
            sign_in = self._manager.sign_in_by_code()
            code = shown(sign_in.authorization, time.time() + sign_in.expires_in)
            with self._lock:
                if attempt != self._attempt:
                    return
                self._sign_in = sign_in
                self._show(code)
                if attempt != self._attempt:
                    sign_in.cancel()
            sign_in.finish()
            failure: TokenTossError | None = None
        except TokenTossError as reason:
            failure = reason
        except Exception as reason:
            # Such as one of a storage of the user's: the code must not be shown for ever.
            logger.exception("the sign-in by code failed")
            failure = StorageError(code="storage_unwritable", subject=f"the tokens ({type(reason).__name__})")
        with self._lock:
            if attempt != self._attempt:
                return
            self._sign_in = None
            self._show({})
            if failure is not None:
                self._failed(failure)


def shown(authorization: DeviceAuthorization, expires_at: float) -> dict[str, Any]:
    """Return what a page shows of a code; the device code stays here.

    Args:
        authorization: The provider's answer.
        expires_at: When the code ends, in Unix seconds.
    """
    page = authorization.verification_uri_complete or authorization.verification_uri
    return {
        "user_code": authorization.user_code,
        "verification_uri": authorization.verification_uri,
        "page": page,
        "expires_at": expires_at,
        "qr": _drawn(page),
    }


def draw(url: object, send: Callable[[dict[str, Any]], None]) -> None:
    """Send the QR code of a page on which a code is entered that the notebook page asked for itself.

    Args:
        url: The page; for anything else than the address of one nothing is drawn.
        send: Sends a custom message to the notebook page.
    """
    page = secure_page(url)
    if page is not None:
        send({"type": "qr", "page": page, "qr": _drawn(page)})


def _drawn(page: str) -> str:
    import segno  # noqa: PLC0415 - few sign-ins need it

    return segno.make(page, error="m", micro=False).svg_data_uri(border=2, dark="#000", light="#fff")
