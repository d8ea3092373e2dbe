"""The sign-in widget."""

from __future__ import annotations

import os
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from tokentoss.broker.problem import AMBIGUOUS
from tokentoss.exceptions import HandOffError, SignInError, TokenTossError
from tokentoss.widgets.assets import front_end
from tokentoss.widgets.device_code import SignInByCode, draw
from tokentoss.widgets.kernel_link import SignInByLink
from tokentoss.widgets.waiters import Awaited, Waiters
from tokentoss.widgets.weak_method import weakly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tokentoss.broker.address import Broker
    from tokentoss.config.client_config import ClientConfig
    from tokentoss.handoff.sign_in import HandOff
    from tokentoss.handoff.ticket import Exchange
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.session.sign_out import SignOutResult
    from tokentoss.storage import TokenStorage
    from tokentoss.widgets.waiters import Outcome

from tokentoss.widgets.account_choice import AccountChoice
from tokentoss.widgets.arguments import manager_from, offers_code
from tokentoss.widgets.attempts import Options, attempt_of
from tokentoss.widgets.gate import Gate
from tokentoss.widgets.manager_widget import ManagerWidget
from tokentoss.widgets.messages import Reports, deliver_again, introduce, register
from tokentoss.widgets.sign_in_traits import (
    CLICK,
    ENTER_CODE,
    FOLLOW_LINK,
    MORE,
    failure_traits,
    look_of,
    offer_traits,
    signed_in_traits,
    who_is_signed_in,
)
from tokentoss.widgets.without_client import ClientForm, NoClient, manager_or_form


class AuthWidget(Awaited, ManagerWidget):
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
        login_hint: The account to use if it is stored, and that the provider should suggest otherwise.
            Another account's tokens are not used then, until it signs in.
        exchange: Who redeems the code: ``browser``, ``kernel``, or by default whichever can.
        redirect_ports: Fixed loopback ports, such as those that SSH forwards; the first free one is used.
        redirect_uri: One or several callback pages that are registered for the client; by default those of
            ``TOKENTOSS_REDIRECT_URI``, or of a web client's file.
        broker: The broker that has the client and keeps the refresh token, an address or a
            :class:`tokentoss.broker.Broker`; by default that of ``TOKENTOSS_BROKER``, if no client is given.

    Without a client, the file that ``TOKENTOSS_CLIENT_SECRETS`` names is used, or else the one that
    :func:`tokentoss.configure` installed. Where there is neither, a notebook shows the form of
    :class:`ConfigureWidget` for a client of Google, and the button below it once the form is filled in.

    Attributes:
        status: What the widget says.
        error: The sentence of the latest error, or ``""``.
        error_code: Its stable code, or ``""``.
        error_detail: The host, path or code that it is about, also where the sentence names none; or ``""``.
        notice: What there is to know before a sign-in, such as that the session has ended, or ``""``.
        user_email: The user's e-mail address, or ``""``.
        is_authenticated: Whether somebody is signed in.

    Raises:
        ConfigurationError: If the client is not usable (also a ValueError, and a FileNotFoundError
            if its file is missing).
    """

    _esm = front_end("auth.js")
    _css = front_end("auth.css")

    status = traitlets.Unicode(CLICK).tag(sync=True)
    user_email = traitlets.Unicode("").tag(sync=True)
    is_authenticated = traitlets.Bool(default_value=False).tag(sync=True)
    branding = traitlets.Dict().tag(sync=True)
    offers_code = traitlets.Bool(default_value=False).tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)
    choice = traitlets.Dict().tag(sync=True)
    code = traitlets.Dict().tag(sync=True)
    ticket = traitlets.Dict().tag(sync=True)
    broker = traitlets.Dict().tag(sync=True)
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
        broker: Broker | str | None = None,
        **kwargs: Any,
    ) -> None:
        make = partial(
            self._new_manager,
            broker=broker,
            auth_manager=auth_manager,
            exchange=exchange,
            provider=provider,
            client_id=client_id,
            client_secret=client_secret,
            client_secrets_path=client_secrets_path,
            client_config=client_config,
            storage=storage,
            scopes=scopes,
            max_session_lifetime_hours=max_session_lifetime_hours,
            hosted_domain=hosted_domain,
        )
        if auth_manager is None or broker is not None:
            is_named = client_secrets_path is not None
            auth_manager = manager_or_form(make, provider=provider, is_named=is_named)
        self._waiters = Waiters()
        self._lock = Gate()
        self._reports = Reports()
        self._closed = False
        self._asks_for_more = False
        self._has_signed_out = False
        self._options = Options(redirect_ports, redirect_uri, exchange, login_hint)
        self._form: ClientForm | None = None
        super().__init__(**kwargs | self._adopt(auth_manager))
        self.on_msg(weakly(self._take_message))
        auth_manager.observe_session(self._session_changed)
        self._show_session(auth_manager.last_error)
        if isinstance(auth_manager, NoClient):
            self._form = ClientForm(self, partial(self._take_client, make))
            self._parts += [self._form.box, self._form.box.layout]

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
        self._has_signed_out = True
        self._show_session(result.error)
        return result

    def choose_account(self) -> None:
        """Offer the stored accounts and a sign-in with another one, as the button in the widget does."""
        self._choice.open()

    @property
    def is_choosing(self) -> bool:
        """Whether the user is to choose another account."""
        return self._choice.is_open

    def close(self) -> None:
        """Take the widget off the page, and give up a sign-in that is under way."""
        if self.__dict__.get("_owner") == os.getpid():
            self._by_code.cancel()
            with self._lock:
                self._closed = True
                self._attempt.close()
            self._waiters.failed(SignInError(code="widget_closed"))
            if self._form is not None:
                self._form.close()
        super().close()

    def take_sealed(self, sealed: str) -> None:
        """Take an envelope."""
        hand_off = self._attempt.hand_off
        if hand_off is not None:
            hand_off.deliver(sealed)

    def _new_manager(self, **arguments: Any) -> AuthManager:
        """Return the manager for a widget that was given none."""
        return manager_from(**arguments)

    def _adopt(self, manager: AuthManager) -> dict[str, Any]:
        """Offer the sign-ins of a manager, and return the traits that depend on it alone."""
        hint = self._options.login_hint
        if hint is not None:
            manager.suggest(hint)
        attempt = attempt_of(self, manager, self._options)
        self._manager, self._attempt = manager, attempt
        self._choice = AccountChoice(
            manager, weakly(self._show_choice), weakly(self._show_session), self._lock
        )
        self._by_code = SignInByCode(manager, weakly(self._show_code), weakly(self._code_failed), self._lock)
        self._by_link = SignInByLink(manager, weakly(self.send), weakly(self._show_link_expected))
        # A widget that is collected stops asking.
        weakref.finalize(self, self._by_code.cancel_in, os.getpid()).atexit = False
        return {"branding": look_of(manager), "offers_code": offers_code(manager, self._options.exchange)}

    def _take_client(self, make: Callable[[], AuthManager]) -> None:
        """Offer a sign-in with the client that the form installed."""
        try:
            manager = make()
            with self._lock:
                if self._closed:
                    return
                self._by_code.cancel()
                self._attempt.close()
                self.publish(**self._adopt(manager))
        except TokenTossError as failure:
            self._show_traits(failure_traits(failure))
            return
        manager.observe_session(self._session_changed)
        self._show_session(manager.last_error)

    def _take_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        hand_off, kind = self._attempt.hand_off, content.get("type")
        actions: dict[str, Callable[[], object]] = {
            "sign_out": self.sign_out,
            "ask_for_code": self._ask_for_code,
            "ask_for_ticket": self._offer_again,
            "drop_code": self._by_code.cancel,
        }
        if isinstance(kind, str) and kind in actions:
            actions[kind]()
        elif kind == "ping":
            # A session may have ended by the clock alone, which tells nobody.
            self._session_changed()
            self.answer_ping(content)
        elif kind == "report":
            self._take_report(content)
        elif kind == "draw_qr":
            draw(content.get("page"), self.send)
        elif kind == "deliver":
            deliver_again(content, hand_off)
        elif kind == "introduce":
            introduce(content, hand_off, self.send)
        elif kind == "register":
            register(content, hand_off, self.send)
        elif not (self.take_language(content) or self._choice.take(content) or self._attempt.take(content)):
            self._by_link.take(content, hand_off)

    def take_language(self, content: object) -> bool:
        """Take up the page's language, as of now also in what is said of a session."""
        is_taken, language = super().take_language(content), self.texts.get("language")
        with self._lock:
            failure = self._manager.last_error
            if is_taken and self.is_authenticated and not self.ticket and not self.broker:
                self.publish(status=who_is_signed_in(self._manager, language))
            elif is_taken and self.notice and failure is not None:
                self.publish(**failure_traits(failure, language))
        return is_taken

    def _ask_for_code(self) -> None:
        # So that the same failure twice is a change both times.
        self.publish(error="", error_code="")
        self._by_code.start()

    def _offer_again(self) -> None:
        """Try once more to make a ticket: taken ports may be free by now, and a client be there."""
        if self._form is not None and isinstance(self._manager, NoClient):
            self._form.look_again()
            return
        with self._lock:
            if self._attempt.hand_off is None and not self._closed:
                # So that the same failure twice is a change both times.
                self.publish(error="", error_code="")
                self._show_session(None)

    def _take_report(self, content: dict[str, Any]) -> None:
        with self._lock:
            news = self._reports.take(content, self._attempt.hand_off)
            if isinstance(news, str):
                self.publish(status=news, notice="", error="", error_code="")
            elif news is not None:
                self._manager.last_error = news
                self.publish(**failure_traits(news), choice=self._choice.shown(offered=True))
                if not news.code.startswith("webassembly_"):  # then a link still leads on
                    self._waiters.failed(news)

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
            hand_off = self._attempt.hand_off
            if hand_off is not None and hand_off.in_kernel is not None and not hand_off.done.is_set():
                self.publish(status=status, error="", error_code="")

    def _code_failed(self, failure: TokenTossError) -> None:
        self._manager.last_error = failure
        self._show_traits(failure_traits(failure))
        self._waiters.failed(failure)

    def _session_changed(self) -> None:
        """Follow the manager: somebody signed in or out, here, in another widget or in code."""
        with self._lock:
            # Granted in another widget, or asked of somebody who is gone.
            has_more = self._asks_for_more and not self._manager.missing_scopes
            deciding = self._attempt.hand_off is not None and self._attempt.hand_off.is_deciding
            shown = self._manager.is_authenticated, self._manager.user_email or ""
            is_shown = shown == (self.is_authenticated, self.user_email)
            if deciding or self._closed:
                return
            has_chosen = self._choice.close_if_over()
            if is_shown and not has_more and not has_chosen:
                return
            self._asks_for_more = self._asks_for_more and not has_more
            self._show_session(self._manager.last_error)

    def _decided(self, hand_off: HandOff, failure: TokenTossError | None) -> None:
        """Show the decision on an envelope and acknowledge it, in one message."""
        with self._lock:
            self._asks_for_more = self._asks_for_more and failure is not None
            if failure is None:
                self._choice.close()
            self._show_session(failure, acknowledged=hand_off.id)
            if failure is not None:
                self._waiters.failed(failure)

    def _ended_at_broker(self, sign_in: str, failure: TokenTossError | None) -> None:
        """Show why a sign-in at a broker failed, or could not be offered."""
        if failure is None:
            with self._lock:
                # What the user left out of it is shown, and not asked for once more.
                has_asked, self._asks_for_more = self._asks_for_more, False
                if has_asked:
                    self._show_session(None)
            return
        shown = {"acknowledged": sign_in, "broker": {}, **failure_traits(failure)}
        self._show_traits({**shown, "choice": self._choice.shown(offered=True)})
        self._waiters.failed(failure)
        if failure.code == AMBIGUOUS and not self._closed:
            self._choice.open(failure)

    def _show_traits(self, traits: dict[str, Any]) -> None:
        with self._lock:
            if not self._closed:
                self.publish(**traits)

    def _show_choice(self) -> None:
        self._show_traits({"choice": self._choice.shown(offered=True)})

    def _show_session(self, failure: TokenTossError | None, acknowledged: str | None = None) -> None:
        """Show who is signed in, or offer the next sign-in."""
        manager = self._manager
        traits: dict[str, Any] = {"is_authenticated": manager.is_authenticated}
        if acknowledged is not None:
            traits["acknowledged"] = acknowledged
        with self._lock:
            if self._closed:
                return
            asks_for_more = self._asks_for_more and manager.is_authenticated
            if manager.is_authenticated and not (asks_for_more or self._choice.is_open):
                self._attempt.end()
                traits |= signed_in_traits(manager, self.texts.get("language"))
            else:
                traits |= offer_traits(manager, more=asks_for_more)
                self._attempt.ask_for(self._choice.login_hint, another_account=self._choice.is_open)
                try:
                    traits["ticket"] = self._attempt.begin()
                except HandOffError as unavailable:
                    traits["ticket"] = {}
                    failure = unavailable
                if failure is not None:
                    traits |= failure_traits(failure, self.texts.get("language"))
            # What was offered stays: whoever clicks once more may want another account still.
            is_known = bool(self._options.login_hint or self.choice) or self._has_signed_out
            is_known = is_known or failure is not None
            traits["choice"] = self._choice.shown(offered=manager.is_authenticated or is_known)
            self.publish(**traits)
            account = manager.account
            if manager.is_authenticated and account is not None:
                self._waiters.signed_in(account)

    def _outcome(self, *, blocking: bool) -> Outcome:
        """Return a future of the sign-in that is awaited, or raise what stands in its way."""
        with self._lock:
            self._session_changed()
            outcome = self._waiters.add()
            account = self._manager.account
            if self._manager.is_authenticated and account is not None:
                outcome.set_result(account)
            elif self._closed:
                outcome.set_exception(SignInError(code="widget_closed"))
            else:
                without_page = self.error_code == "webassembly_unavailable"
                obstacle = self._attempt.obstacle(blocking=blocking, without_page=without_page)
                if obstacle is not None:
                    outcome.set_exception(obstacle)
            return outcome
