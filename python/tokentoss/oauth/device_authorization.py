"""The device authorization grant (RFC 8628): a code that the user enters on a page, on any device."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tokentoss.exceptions import SignInError
from tokentoss.oauth.client_authentication import Form
from tokentoss.oauth.token_endpoint import MAX_SIZE, ask_for_tokens, refusal_of
from tokentoss.oauth.token_response import TokenRequestError, lifetime
from tokentoss.util.json_object import repeats
from tokentoss.util.texts import is_token
from tokentoss.util.urls import origin_of, require_secure_endpoint, secure_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.oauth.provider import Provider
    from tokentoss.oauth.token_response import TokenResponse

Tokens = TypeVar("Tokens")
"""What the tokens are kept as, which this module does not know."""

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"

DEFAULT_INTERVAL = 5.0
"""Seconds between two polls if the provider names none (RFC 8628 section 3.2)."""

SLOW_DOWN = 5.0
"""Seconds that every ``slow_down`` adds to the interval (RFC 8628 section 3.5)."""

SHORTEST_PAUSE = 1.0
"""Seconds between two polls at least, whatever the provider says."""

LONGEST_INTERVAL = 60.0
"""Longest pause in seconds after a failure of the network or the provider."""

LONGEST_LIFETIME = 3600.0
"""Seconds after which a code is given up, however long the provider says it lives."""

_USER_CODE = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")


@dataclass(frozen=True)
class DeviceAuthorization:
    """A code for the user, and where to enter it.

    Args:
        user_code: What the user enters.
        verification_uri: The page where it is entered.
        verification_uri_complete: The same page with the code filled in, if the provider has that.
        expires_in: Seconds for which the code can be entered.
        interval: Seconds to wait between two polls.
        device_code: What the token endpoint is polled with; a secret.
    """

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: float
    interval: float
    device_code: str = field(repr=False)


class Polling:
    """When to ask the token endpoint again (RFC 8628 section 3.5).

    Args:
        interval: Seconds between two polls.
    """

    def __init__(self, interval: float) -> None:
        self._interval = self._pause = max(interval, SHORTEST_PAUSE)

    @property
    def pause(self) -> float:
        """Seconds to wait before the next poll."""
        return self._pause

    def goes_on_after(self, failure: TokenRequestError) -> bool:
        """Take in why a poll gave no tokens; tell whether there is another one."""
        if failure.code == "authorization_pending":
            self._pause = self._interval
        elif failure.code == "slow_down":
            self._interval += SLOW_DOWN
            self._pause = self._interval
        elif failure.is_transient:
            doubled = min(2 * self._pause, max(LONGEST_INTERVAL, self._interval))
            self._pause = max(doubled, failure.retry_after or 0.0)
        else:
            return False
        return True


def request_device_authorization(endpoint: str, client: Form, scopes: list[str]) -> DeviceAuthorization:
    """Ask for a code (RFC 8628 section 3.1).

    Args:
        endpoint: The provider's device authorization endpoint.
        client: What identifies the client.
        scopes: What to ask for.

    Raises:
        SignInError: With the provider's error code, or one that says what was wrong with its answer.
        ConfigurationError: ``endpoint_insecure``.
    """
    from tokentoss.util.failures import TransportError  # noqa: PLC0415 - costs requests
    from tokentoss.util.http import call  # noqa: PLC0415

    require_secure_endpoint(endpoint, "device authorization endpoint")
    form = Form(client, scope=" ".join(scopes))
    try:
        answer = call("POST", endpoint, form=form, authorization=form.authorization, max_bytes=MAX_SIZE)
    except TransportError as failure:
        code, subject = failure.named("token_endpoint_unreachable", "token_response_too_large", endpoint)
        raise SignInError(code=code, subject=subject) from None
    refusal = refusal_of(answer, endpoint, form)
    if refusal is not None:
        raise SignInError(code=refusal.code, subject=refusal.subject)
    return _read(answer.json_object() or {})


_MEMBERS = (
    *("device_code", "user_code", "verification_uri", "verification_url", "verification_uri_complete"),
    *("expires_in", "interval"),
)


def _read(document: dict[str, Any]) -> DeviceAuthorization:
    device_code, user_code = document.get("device_code"), document.get("user_code")
    if not isinstance(device_code, str) or not is_token(device_code):
        raise _unusable("device_code")
    if not isinstance(user_code, str) or not _USER_CODE.fullmatch(user_code):
        raise _unusable("user_code")
    # Google's name for it is older than the standard's.
    page = secure_page(document.get("verification_uri") or document.get("verification_url"))
    if page is None:
        raise _unusable("verification_uri")
    expires_in = lifetime(document.get("expires_in"))
    if not expires_in:
        raise _unusable("expires_in")
    if repeats(document, _MEMBERS):
        raise _unusable("a member that stands there twice")
    interval = lifetime(document.get("interval"))
    complete = secure_page(document.get("verification_uri_complete"))
    if complete is not None and origin_of(complete) != origin_of(page):
        complete = None
    return DeviceAuthorization(
        user_code,
        page,
        complete,
        min(expires_in, LONGEST_LIFETIME),
        DEFAULT_INTERVAL if interval is None else interval,
        device_code,
    )


def _unusable(member: str) -> SignInError:
    return SignInError(code="device_response_invalid", subject=member)


class DeviceSignIn(Generic[Tokens]):
    """One sign-in by code (RFC 8628).

        sign_in = manager.sign_in_by_code()
        print(f"Enter {sign_in.authorization.user_code} at {sign_in.authorization.verification_uri}")
        sign_in.finish()

    It runs in the kernel: for scripts, and for a widget whose page cannot take part in this grant.

    Args:
        provider: Where the user signs in.
        client: What identifies the client.
        scopes: What to ask for.
        accept: Takes the token endpoint's answer: validates, keeps and stores the tokens.

    Attributes:
        authorization: The code, and where to enter it.

    Raises:
        SignInError: ``device_authorization_unsupported`` if the provider offers none, the provider's
            own error code, or one that says what was wrong with its answer.
    """

    def __init__(
        self,
        provider: Provider,
        client: Form,
        scopes: list[str],
        accept: Callable[[TokenResponse], Tokens],
    ) -> None:
        endpoint = provider.device_authorization_endpoint
        if endpoint is None:
            raise SignInError(code="device_authorization_unsupported", subject=provider.name)
        self._token_endpoint = provider.token_endpoint
        self._accept = accept
        self._cancelled = threading.Event()
        self.authorization: DeviceAuthorization = request_device_authorization(endpoint, client, scopes)
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

    def finish(self) -> Tokens | None:
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
                response = ask_for_tokens(self._token_endpoint, self._form)
            except TokenRequestError as failure:
                if polling.goes_on_after(failure):
                    continue
                raise SignInError(code=failure.code, subject=failure.subject) from None
            if self._cancelled.is_set():
                break
            return self._accept(response)
        return None
