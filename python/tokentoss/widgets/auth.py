"""The sign-in widget."""

from __future__ import annotations

import html
import logging
import threading
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from tokentoss import codes
from tokentoss.auth_manager import AuthManager
from tokentoss.callback.addresses import CallbackAddresses, can_listen
from tokentoss.callback.listener import LoopbackListener, lease_first
from tokentoss.callback.registration import registration_of
from tokentoss.configuration import ClientConfig
from tokentoss.exceptions import ConfigurationError, HandOffError, SignInError, TokenTossError, error_for
from tokentoss.handoff import EXCHANGES, Exchange, HandOff, device_endpoint_of_page
from tokentoss.in_browser import in_browser
from tokentoss.providers import DEFAULT_SCOPES, GOOGLE, Provider
from tokentoss.widgets.by_code import SignInByCode, draw
from tokentoss.widgets.by_link import SignInByLink
from tokentoss.widgets.front_end import front_end
from tokentoss.widgets.synced import SyncedWidget
from tokentoss.widgets.waiting import PATIENCE, Waiters, await_, wait_for
from tokentoss.widgets.weakly import weakly

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Sequence
    from pathlib import Path

    from tokentoss.accounts import Account
    from tokentoss.credentials import Credentials
    from tokentoss.sign_out import SignOutResult
    from tokentoss.storage import TokenStorage

logger = logging.getLogger(__name__)

CLICK = "Click to sign in"
WAITING = "Waiting for you in the popup…"
WAITING_BY_WAY = {
    "callback_page": "Waiting for you in the popup, which ends on the callback page…",
    "paste": "Waiting for you in the popup, then for the address that it ends on…",
}
SIGNING_IN = "Signing in…"
ENTER_CODE = "Waiting for you to enter the code…"
FOLLOW_LINK = "Waiting for you on the sign-in page…"
MORE = "Click to allow more"

_PHASES = {"ready": CLICK, "waiting": WAITING, "code": ENTER_CODE, "signing_in": SIGNING_IN}


class AuthWidget(SyncedWidget):
    """A button that signs the user in; afterwards Python holds validated tokens.

    Args:
        provider: The provider; by default the one that the client's endpoints belong to.
        client_id: The OAuth client, given directly.
        client_secret: Its secret, if it has one.
        client_secrets_path: The client_secrets.json that holds the client.
        client_config: The client as an object.
        auth_manager: An existing manager, with its client, storage and scopes.
        storage: Where tokens are kept; by default a file of the user's configuration folder.
        scopes: The scopes to ask for; by default the provider's.
        max_session_lifetime_hours: Age in hours at which a stored sign-in is no longer used.
        hosted_domain: The domain that the user's account must belong to.
        login_hint: The account that the provider should suggest.
        exchange: Who redeems the code: ``browser``, ``kernel``, or by default whichever can.
        redirect_ports: Fixed loopback ports, such as those that SSH forwards; the first free one is used.
        redirect_uri: One or several callback pages that are registered for the client; by default those of
            ``TOKENTOSS_REDIRECT_URI``, or of a web client's file.

    Without a client, the file that ``TOKENTOSS_CLIENT_SECRETS`` names is used, or else the one that
    :func:`tokentoss.configure` installed.

    Attributes:
        status: What the widget says.
        error: The sentence of the latest error, or ``""``.
        error_code: Its stable code, or ``""``.
        user_email: The user's e-mail address, or ``""``.
        is_authenticated: Whether somebody is signed in.

    Raises:
        ConfigurationError: If the client is not usable (also a ValueError, and a FileNotFoundError
            if its file is missing).
    """

    _esm = front_end("auth.js")
    _css = front_end("auth.css")

    status = traitlets.Unicode(CLICK).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    error_code = traitlets.Unicode("").tag(sync=True)
    user_email = traitlets.Unicode("").tag(sync=True)
    is_authenticated = traitlets.Bool(default_value=False).tag(sync=True)
    branding = traitlets.Dict().tag(sync=True)
    offers_code = traitlets.Bool(default_value=False).tag(sync=True)
    code = traitlets.Dict().tag(sync=True)
    ticket = traitlets.Dict().tag(sync=True)
    acknowledged = traitlets.Unicode("").tag(sync=True)
    # Not echoed: a page's changes otherwise reach every client of the kernel.
    sealed_tokens = traitlets.Unicode("").tag(sync=True, echo_update=False)

    from_page: ClassVar[frozenset[str]] = frozenset({"sealed_tokens"})

    def __init__(
        self,
        *,
        provider: Provider | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        client_secrets_path: str | Path | None = None,
        client_config: ClientConfig | None = None,
        auth_manager: AuthManager | None = None,
        storage: TokenStorage | None = None,
        scopes: list[str] | None = None,
        max_session_lifetime_hours: float | None = None,
        hosted_domain: str | None = None,
        login_hint: str | None = None,
        exchange: Exchange = "auto",
        redirect_ports: Sequence[int] | None = None,
        redirect_uri: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if auth_manager is None:
            auth_manager = AuthManager(
                client_config=_client(provider, client_id, client_secret, client_config),
                client_secrets_path=client_secrets_path,
                storage=storage,
                scopes=scopes,
                provider=provider,
                hosted_domain=hosted_domain,
                **_given(max_session_lifetime_hours=max_session_lifetime_hours),
            )
        self._manager = auth_manager
        self._login_hint = login_hint
        self._exchange = _checked_exchange(exchange, auth_manager.provider)
        self._addresses = CallbackAddresses.of(
            auth_manager.client_config,
            auth_manager.provider.redirect_path,
            redirect_ports=redirect_ports,
            redirect_uri=redirect_uri,
        )
        self._waiters = Waiters()
        self._lock = threading.RLock()
        self._hand_off: HandOff | None = None
        self._listener: LoopbackListener | None = None
        self._unavailable: HandOffError | None = None
        self._closed = False
        self._asks_for_more = False
        self._latest_report: tuple[object, int] = None, 0
        name, style = auth_manager.provider.name, auth_manager.provider.style
        look = {"name": name, "style": style, **auth_manager.provider.branding}
        self._by_code = SignInByCode(auth_manager, weakly(self._show_code), weakly(self._code_failed))
        self._by_link = SignInByLink(auth_manager, weakly(self.send), weakly(self._show_link_expected))
        # A widget that is collected stops asking.
        weakref.finalize(self, self._by_code.cancel).atexit = False
        super().__init__(
            branding=look,
            offers_code=self._offers_code(),
            **kwargs,
        )
        self.on_msg(weakly(self._take_message))
        auth_manager.observe_session(self._session_changed)
        self._show_session(auth_manager.last_error)

    def _offers_code(self) -> bool:
        """Tell whether a code can be asked for: the kernel waits for it in a thread, a page needs none."""
        manager = self._manager
        if in_browser():
            return device_endpoint_of_page(manager, self._exchange) is not None
        return manager.provider.device_authorization_endpoint is not None

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(provider={self._manager.provider.name!r}, "
            f"is_authenticated={self.is_authenticated})"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Add what viewers without widgets show, of an executed notebook for instance."""
        shown: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
        if shown is not None:
            name = html.escape(self._manager.provider.name)
            shown[0]["text/html"] = f"<p>Run this cell in a live notebook to sign in with {name}.</p>"
        return shown

    @property
    def auth_manager(self) -> AuthManager:
        """The manager that holds the tokens."""
        return self._manager

    @property
    def credentials(self) -> Credentials | None:
        """An object whose tokens are always the current ones; None when signed out."""
        return self._manager.credentials

    @property
    def is_connected(self) -> bool:
        """The same as :attr:`is_authenticated`, for accounts that one connects rather than signs in to."""
        return self._manager.is_connected

    @property
    def granted_scopes(self) -> list[str]:
        """The scopes that the user granted; none when signed out."""
        return self._manager.granted_scopes

    @property
    def missing_scopes(self) -> list[str]:
        """The scopes that were asked for, and not granted; none when signed out."""
        return self._manager.missing_scopes

    def request_scopes(self, *scopes: str) -> list[str]:
        """Ask for more scopes: the button comes back until they are granted, and the user stays signed in.

        Returns:
            Those that are not granted yet.
        """
        missing = self._manager.request_scopes(*scopes)
        with self._lock:
            self._asks_for_more = bool(missing)
            self._show_session(None)
        return missing

    def sign_out(self, revoke: bool = False) -> SignOutResult:
        """Forget the tokens here and in storage, and on request revoke them at the provider.

        Args:
            revoke: Whether to revoke the tokens, too. Google then ends every token that any client of
                the same project has for this user. The provider's own session stays as it is.
        """
        result = self._manager.sign_out(revoke=revoke)
        self._show_session(result.error)
        return result

    def wait(self, timeout: float | None = PATIENCE) -> Account:
        """Wait until somebody is signed in, and return who; an interrupt of the kernel ends it.

        It works in the cell that displays the widget, because the sign-in reaches the kernel by a
        thread of its own; one by code reaches it between two cells only.

        Args:
            timeout: Seconds to wait at most; None for no limit.

        Raises:
            SignInError: ``wait_timed_out``; ``wait_impossible``, at once, if nothing can reach this
                kernel while a cell runs; ``widget_closed``; or what ended the sign-in.
            TokenTossError: What else ended the sign-in.
        """
        outcome = self._outcome(blocking=True)
        try:
            return wait_for(outcome, timeout)
        finally:
            self._waiters.remove(outcome)

    async def signed_in(self, timeout: float | None = PATIENCE) -> Account:
        """Do the same as :meth:`wait` without blocking the event loop.

        Args:
            timeout: Seconds to wait at most; None for no limit.

        Raises:
            SignInError: ``wait_timed_out``, ``widget_closed``, or what ended the sign-in.
            TokenTossError: What else ended the sign-in.
        """
        outcome = self._outcome(blocking=False)
        try:
            return await await_(outcome, timeout)
        finally:
            self._waiters.remove(outcome)

    def close(self) -> None:
        """Take the widget off the page, and give up a sign-in that is under way."""
        if self.__dict__.get("_lock") is not None:
            self._by_code.cancel()
            with self._lock:
                self._closed = True
                self._end_hand_off()
            self._waiters.failed(SignInError(code="widget_closed"))
        super().close()

    def take_sealed(self, sealed: str) -> None:
        """Take an envelope."""
        hand_off = self._hand_off
        if hand_off is not None:
            hand_off.deliver(sealed)

    def _take_message(self, _widget: object, content: object, _buffers: object) -> None:
        if self.answer_ping(content) or not isinstance(content, dict):
            return
        kind = content.get("type")
        if kind == "sign_out":
            self.sign_out()
        elif kind == "report":
            self._take_report(content)
        elif kind == "ask_for_code":
            # So that the same failure twice is a change both times.
            self.publish(error="", error_code="")
            self._by_code.start()
        elif kind == "ask_for_ticket":
            self._offer_again()
        elif kind == "drop_code":
            self._by_code.cancel()
        elif kind == "draw_qr":
            draw(content.get("page"), self.send)
        elif kind == "deliver":
            self._take_repeated(content)
        elif kind == "register":
            self._take_registration(content)
        else:
            self._by_link.take(content, self._hand_off)

    def _offer_again(self) -> None:
        """Try once more to make a ticket: the ports that were taken may be free by now."""
        with self._lock:
            if self._hand_off is None and not self._closed:
                # So that the same failure twice is a change both times.
                self.publish(error="", error_code="")
                self._show_session(None)

    def _take_repeated(self, content: dict[str, Any]) -> None:
        """Take an envelope whose trait may have been lost on its way."""
        hand_off, sealed = self._hand_off, content.get("sealed")
        if hand_off is not None and content.get("ticket") == hand_off.id and isinstance(sealed, str):
            hand_off.deliver(sealed)

    def _take_registration(self, content: dict[str, Any]) -> None:
        """Register a page that says so itself, because the start page has not, and answer it."""
        members: dict[str, str] = {}
        for name in ("proof", "sealed", "key"):
            value = content.get(name)
            if not isinstance(value, str):
                return
            members[name] = value
        hand_off = self._hand_off
        if hand_off is None or content.get("ticket") != hand_off.id:
            return
        try:
            url = hand_off.open_request(members.pop("sealed"))
            secret = hand_off.register(registration_of(hand_off, origin=None, url=url, **members))
        except HandOffError as refusal:
            # The page goes on without: the code then comes to the kernel, if it comes at all.
            logger.debug("a page was not registered: %s", refusal.code)
            return
        self.send({"type": "registered", "ticket": hand_off.id, "secret": secret})

    def _take_report(self, content: dict[str, Any]) -> None:
        with self._lock:
            hand_off = self._hand_off
            if hand_off is None or content.get("ticket") != hand_off.id or hand_off.done.is_set():
                return
            if self._is_overtaken(content):
                return
            phase, code, subject = (content.get(name) for name in ("phase", "code", "subject"))
            if isinstance(phase, str) and phase in _PHASES:
                if phase == "code":  # no page registers for it
                    hand_off.prepare()
                way = content.get("way") if phase == "waiting" else None
                status = WAITING_BY_WAY.get(way) if isinstance(way, str) else None
                self.publish(status=status or _PHASES[phase], error="", error_code="")
            elif phase == "failed" and isinstance(code, str) and codes.is_known(code):
                failure = error_for(code, subject if isinstance(subject, str) and subject else None)
                self._manager.last_error = failure
                self.publish(**_failed(failure))
                if not code.startswith("webassembly_"):  # then a link still leads on
                    self._waiters.failed(failure)

    def _is_overtaken(self, report: dict[str, Any]) -> bool:
        """Tell whether a later report of the same page came first: two threads may read one comm."""
        page, number = report.get("page"), report.get("number")
        latest_page, latest = self._latest_report
        if page == latest_page and isinstance(number, int) and number <= latest:
            return True
        self._latest_report = page, number if isinstance(number, int) else 0
        return False

    def _show_code(self, code: dict[str, Any]) -> None:
        if code:
            self.publish(code=code, status=ENTER_CODE, error="", error_code="")
        elif self.is_authenticated or not self.code:
            self.publish(code={})
        else:
            self.publish(code={}, status=CLICK)

    def _show_link_expected(self, expected: bool) -> None:
        status = FOLLOW_LINK if expected else MORE if self._asks_for_more else CLICK
        with self._lock:
            hand_off = self._hand_off
            if hand_off is not None and hand_off.in_kernel is not None and not hand_off.done.is_set():
                self.publish(status=status, error="", error_code="")

    def _code_failed(self, failure: TokenTossError) -> None:
        self._manager.last_error = failure
        with self._lock:
            if not self._closed:
                self.publish(**_failed(failure))
        self._waiters.failed(failure)

    def _session_changed(self) -> None:
        """Follow the manager: somebody signed in or out, here, in another widget or in code."""
        with self._lock:
            # Granted in another widget, or asked of somebody who is gone.
            has_more = self._asks_for_more and not self._manager.missing_scopes
            deciding = self._hand_off is not None and self._hand_off.is_deciding
            shown = self._manager.is_authenticated, self._manager.user_email or ""
            is_shown = shown == (self.is_authenticated, self.user_email)
            if deciding or self._closed or (is_shown and not has_more):
                return
            self._asks_for_more = self._asks_for_more and not has_more
            self._show_session(self._manager.last_error)

    def _decided(self, hand_off: HandOff, code: str) -> None:
        """Show the decision on an envelope and acknowledge it, in one message."""
        with self._lock:
            failure = self._manager.last_error if code else None
            self._asks_for_more = self._asks_for_more and bool(code)
            if code and not isinstance(failure, TokenTossError):
                failure = error_for(code)
            self._show_session(failure, acknowledged=hand_off.id)
            if failure is not None:
                self._waiters.failed(failure)

    def _show_session(self, failure: Exception | None, acknowledged: str | None = None) -> None:
        """Show who is signed in, or offer the next sign-in."""
        manager = self._manager
        traits: dict[str, Any] = {"is_authenticated": manager.is_authenticated}
        if acknowledged is not None:
            traits["acknowledged"] = acknowledged
        with self._lock:
            if self._closed:
                return
            asks_for_more = self._asks_for_more and manager.is_authenticated
            if manager.is_authenticated and not asks_for_more:
                self._end_hand_off()
                traits |= {
                    "ticket": {},
                    "status": self._signed_in(),
                    "user_email": manager.user_email or "",
                    "error": "",
                    "error_code": "",
                }
            else:
                traits |= {
                    "status": MORE if asks_for_more else CLICK,
                    "user_email": (manager.user_email or "") if asks_for_more else "",
                    "error": "",
                    "error_code": "",
                }
                try:
                    traits["ticket"] = self._begin_hand_off().ticket()
                except HandOffError as unavailable:
                    self._end_hand_off()
                    self._unavailable = unavailable
                    traits["ticket"] = {}
                    failure = unavailable
                if failure is not None:
                    traits |= _failed(failure)
            self.publish(**traits)
            account = manager.account
            if manager.is_authenticated and account is not None:
                self._waiters.signed_in(account)

    def _outcome(self, *, blocking: bool) -> concurrent.futures.Future[Account]:
        """Return a future of the sign-in that is awaited, or raise what stands in its way."""
        with self._lock:
            outcome = self._waiters.add()
            account = self._manager.account
            if self._manager.is_authenticated and account is not None:
                outcome.set_result(account)
            elif self._closed:
                outcome.set_exception(SignInError(code="widget_closed"))
            elif self._hand_off is None:
                outcome.set_exception(self._unavailable or SignInError(code="wait_impossible"))
            elif blocking and (self._listener is None or self.error_code == "webassembly_unavailable"):
                # The page cannot ask for a link while a cell runs, either.
                outcome.set_exception(SignInError(code="wait_impossible"))
            return outcome

    def _signed_in(self) -> str:
        name = self._manager.user_name
        status = f"Signed in as {codes.printable(name)}" if name else "Signed in"
        previous = self._manager.previous_user
        if previous is not None:
            status = f"{status}, a different user than last time ({codes.printable(previous)})"
        # Those of the sign-in itself are not the user's to leave out.
        missing = [scope for scope in self._manager.missing_scopes if scope not in DEFAULT_SCOPES]
        if missing:
            status = f"{status} (not granted: {codes.printable(', '.join(missing))})"
        tokens = self._manager.token_data
        if tokens is not None and not tokens.signature_checked:
            return f"{status} (the signature is checked once the provider's keys can be fetched)"
        if isinstance(self._manager.last_error, TokenTossError) and self._manager.last_error.code.startswith(
            "storage_"
        ):
            return f"{status} (until the kernel stops: the tokens could not be stored)"
        return status

    def _begin_hand_off(self) -> HandOff:
        """Replace the hand-off by a fresh one, on the same listener where possible."""
        listener, redirect_uri = self._lease()
        self._end_hand_off()
        send, decided = weakly(self.send), weakly(self._decided)
        hand_off = HandOff(
            self._manager,
            redirect_uri,
            callback_pages=self._addresses.pages,
            exchange=self._exchange,
            # More scopes are asked of the account that is signed in.
            login_hint=self._login_hint or self._manager.user_email,
            send=send,
            decided=decided,
            is_listening=listener is not None,
        )
        if listener is not None:
            listener.add(hand_off)
        self._hand_off, self._listener = hand_off, listener
        # A widget that is collected gives its lease back, too.
        self._finalizer = weakref.finalize(self, _give_up, listener, hand_off)
        self._finalizer.atexit = False
        return hand_off

    def _lease(self) -> tuple[LoopbackListener | None, str | None]:
        """Return a listener and its redirect URI, as far as there can be one."""
        addresses = self._addresses
        if not addresses.loopbacks:
            return None, None
        if not can_listen():
            return None, addresses.unheard()
        try:
            return lease_first(addresses.loopbacks)
        except HandOffError:
            if addresses.pages:
                return None, None
            if any(address.port for address in addresses.loopbacks):
                raise
            return None, addresses.unheard()

    def _end_hand_off(self) -> None:
        if self._hand_off is not None:
            self._finalizer()
            self._hand_off = self._listener = None


def _client(
    provider: Provider | None, client_id: str | None, client_secret: str | None, config: ClientConfig | None
) -> ClientConfig | None:
    if client_id is None:
        return config
    if not client_id.strip():
        raise ConfigurationError("The client_id is empty: copy it from the provider's console.")
    provider = provider or GOOGLE
    return ClientConfig(
        client_id=client_id.strip(),
        client_secret=(client_secret or "").strip(),
        auth_uri=provider.authorization_endpoint,
        token_uri=provider.token_endpoint,
    )


def _checked_exchange(exchange: Exchange, provider: Provider) -> Exchange:
    if exchange not in EXCHANGES:
        raise ConfigurationError(f"exchange={exchange!r} is none of {', '.join(map(repr, EXCHANGES))}.")
    if exchange == "browser" and not provider.openid_connect:
        raise ConfigurationError(
            f"{provider.name} gives no ID tokens, so only the kernel can redeem its codes: "
            'use exchange="kernel".'
        )
    return exchange


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _failed(failure: Exception) -> dict[str, str]:
    code = failure.code if isinstance(failure, TokenTossError) else ""
    return {"status": f"Error: {failure}", "error": str(failure), "error_code": code}


def _give_up(listener: LoopbackListener | None, hand_off: HandOff) -> None:
    hand_off.cancel()
    if listener is not None:
        listener.release(hand_off)
