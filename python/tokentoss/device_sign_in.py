"""A sign-in by code, for a browser that cannot come back to the kernel: on a phone, over SSH, anywhere."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tokentoss.client_authentication import Form
from tokentoss.device_authorization import GRANT_TYPE, Polling, request_device_authorization
from tokentoss.exceptions import SignInError
from tokentoss.token_endpoint import TokenRequestError, ask_for_tokens

if TYPE_CHECKING:
    from tokentoss.auth_manager import AuthManager
    from tokentoss.device_authorization import DeviceAuthorization
    from tokentoss.tokens import TokenData


class DeviceSignIn:
    """One sign-in by code (RFC 8628).

        sign_in = manager.sign_in_by_code()
        print(f"Enter {sign_in.authorization.user_code} at {sign_in.authorization.verification_uri}")
        sign_in.finish()

    It runs in the kernel: for scripts, and for a widget whose page cannot take part in this grant.

    Args:
        manager: Whose client signs in, and who takes the tokens.
        client: What identifies the client.

    Attributes:
        authorization: The code, and where to enter it.

    Raises:
        SignInError: ``device_authorization_unsupported`` if the provider offers none, the provider's
            own error code, or one that says what was wrong with its answer.
    """

    def __init__(self, manager: AuthManager, client: Form) -> None:
        endpoint = manager.provider.device_authorization_endpoint
        if endpoint is None:
            raise SignInError(code="device_authorization_unsupported", subject=manager.provider.name)
        self._manager = manager
        self._cancelled = threading.Event()
        self.authorization: DeviceAuthorization = request_device_authorization(
            endpoint, client, manager.scopes
        )
        self._form = Form(client, grant_type=GRANT_TYPE, device_code=self.authorization.device_code)
        self._ends = time.monotonic() + self.authorization.expires_in

    def __repr__(self) -> str:
        return f"DeviceSignIn(user_code={self.authorization.user_code!r})"

    @property
    def expires_in(self) -> float:
        """Seconds that are left to enter the code."""
        return max(0.0, self._ends - time.monotonic())

    def cancel(self) -> None:
        """Stop polling, from any thread."""
        self._cancelled.set()

    def finish(self) -> TokenData | None:
        """Wait until the user has entered the code; validate, keep and store the tokens.

        Returns:
            The tokens, or None after :meth:`cancel`.

        Raises:
            SignInError: If the user declines (``access_denied``), the code expires (``expired_token``), or
                the token endpoint refuses for another reason.
            IdTokenError: If the ID token does not hold what it must; nothing is kept then.
        """
        polling = Polling(self.authorization.interval)
        while not self._cancelled.wait(min(polling.pause, self.expires_in)):
            if not self.expires_in:
                raise SignInError(code="expired_token")
            try:
                response = ask_for_tokens(self._manager.provider.token_endpoint, self._form)
            except TokenRequestError as failure:
                if polling.goes_on_after(failure):
                    continue
                raise SignInError(code=failure.code, subject=failure.subject) from None
            if self._cancelled.is_set():
                break
            # This grant has no nonce: the device code, which only this kernel knows, binds the answer.
            return self._manager.accept(response, nonce=None)
        return None
