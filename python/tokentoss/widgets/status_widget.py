"""The widget that shows who is signed in, for how long, and where the tokens are."""

from __future__ import annotations

import html
import logging
import os
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from tokentoss import texts
from tokentoss.exceptions import TokenTossError
from tokentoss.session.summary import said_of, summary_of
from tokentoss.widgets.account_choice import AccountChoice
from tokentoss.widgets.assets import front_end
from tokentoss.widgets.auth import AuthWidget
from tokentoss.widgets.background import in_thread_or_here
from tokentoss.widgets.language import SpeakingWidget
from tokentoss.widgets.weak_method import weakly

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.session.sign_out import SignOutResult

logger = logging.getLogger(__name__)


class StatusWidget(SpeakingWidget):
    """Who is signed in with an auth manager, what was granted, for how long, and where the tokens are.

    ``display(manager)`` and ``display(credentials)`` show it. The user can renew the tokens, use another
    account, sign in and sign out. It holds no token.

    Args:
        auth_manager: The manager.

    Attributes:
        session: What is known of the session.
        notice: What became of what the user did last, or ``""``.
        busy: Whether the tokens are being renewed.
    """

    _esm = front_end("status.js")
    _css = front_end("status.css")

    session = traitlets.Dict().tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)
    busy = traitlets.Bool(default_value=False).tag(sync=True)
    choice = traitlets.Dict().tag(sync=True)
    sign_in_widget = traitlets.Unicode("").tag(sync=True)

    labels: ClassVar[tuple[str, ...]] = ("session", "accounts", "steps")

    def __init__(self, auth_manager: AuthManager, **kwargs: Any) -> None:
        self._manager = auth_manager
        self._sign_in: AuthWidget | None = None
        super().__init__(session=summary_of(auth_manager), choice={"offered": True}, **kwargs)
        self._choice = AccountChoice(
            auth_manager, weakly(self._show_choice), weakly(self._show_outcome), self._lock
        )
        self.on_msg(weakly(self._take_message))
        auth_manager.observe_session(self._follow)
        auth_manager.observe_tokens(self._show)

    def __repr__(self) -> str:
        manager = self._manager
        return (
            f"{type(self).__name__}(provider={manager.provider.name!r}, "
            f"is_authenticated={manager.is_authenticated})"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Add what viewers without widgets show, of an executed notebook for instance."""
        self._show()
        shown: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
        if shown is not None:
            name = html.escape(self._manager.provider.name)
            shown[0]["text/html"] = (
                f"<p>Run this cell in a live notebook to see who is signed in with {name}.</p>"
            )
        return shown

    @property
    def auth_manager(self) -> AuthManager:
        """The manager."""
        return self._manager

    def refresh(self) -> None:
        """Renew the tokens, and show what came of it."""
        with self._lock:
            if self.busy:
                return
            self.publish(busy=True, notice="")
        in_thread_or_here(self._refresh, "tokentoss-refresh")

    def sign_out(self) -> SignOutResult:
        """Forget the tokens here and in storage."""
        result = self._manager.sign_out()
        with self._lock:
            self._show()
            self.publish(notice=self._said(result.error))
        return result

    def close(self) -> None:
        """Take the widget off the page, and the sign-in that it shows."""
        if self.__dict__.get("_owner") == os.getpid():
            self._drop_sign_in()
        super().close()

    def take_sealed(self, sealed: str) -> None:
        """Take nothing: pages write no trait of this widget."""
        del sealed

    def _take_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        kind = content.get("type")
        actions: dict[str, Callable[[], object]] = {
            "refresh": self.refresh,
            "sign_out": self.sign_out,
            "sign_in": self._offer_sign_in,
        }
        if kind == "ping":
            # Tokens may have been renewed in another process, or the session ended by the clock.
            self._follow()
            self.answer_ping(content)
        elif isinstance(kind, str) and kind in actions:
            actions[kind]()
        elif self.take_language(content):
            self._show()
        else:
            self._choice.take(content)

    @property
    def _language(self) -> str | None:
        """The page's, or else that of this process."""
        language: str | None = self.texts.get("language")
        return language

    def _said(self, failure: TokenTossError | None) -> str:
        return "" if failure is None else said_of(failure, self._language)

    def _refresh(self) -> None:
        try:
            self._manager.refresh_tokens()
            notice = texts.text("session", "renewed", self._language)
        except TokenTossError as failure:
            notice = self._said(failure)
        except Exception as failure:
            # Such as one of a storage of the user's.
            logger.exception("the tokens could not be renewed")
            notice = texts.text("session", "logSaysMore", self._language, kind=type(failure).__name__)
        with self._lock:
            self._show()
            self.publish(busy=False, notice=notice)

    def _offer_sign_in(self) -> None:
        """Show the sign-in widget: for another account, if somebody is signed in."""
        with self._lock:
            if self._sign_in is not None:
                return
            self._choice.close()
            self._sign_in = made = AuthWidget(auth_manager=self._manager)
        made._attempt.shown()  # noqa: SLF001 - it is shown, though not by a cell
        if made.is_authenticated:
            made.choose_account()
        made.observe(weakly(self._look_at_sign_in), names=["choice", "is_authenticated"])
        self.publish(sign_in_widget=made.model_id, notice="", choice=self._choice.shown(offered=True))

    def _look_at_sign_in(self, _change: object = None) -> None:
        """Take the sign-in off the page once there is nothing more to do in it."""
        sign_in = self._sign_in
        if sign_in is not None and sign_in.is_authenticated and not sign_in.is_choosing:
            self._drop_sign_in()

    def _drop_sign_in(self) -> None:
        with self._lock:
            made, self._sign_in = self._sign_in, None
            if made is not None and self.comm is not None:
                self.publish(sign_in_widget="")
        if made is not None:
            made.close()

    def _follow(self) -> None:
        """Follow the manager: somebody signed in or out, here or elsewhere."""
        with self._lock:
            if self._choice.close_if_over():
                self._show_choice()
            before = self.session
            self._show()
            if before.get("account") != self.session.get("account"):
                self.publish(notice="")

    def _show_outcome(self, failure: TokenTossError | None) -> None:
        with self._lock:
            self._show()
            self._show_choice()
            self.publish(notice=self._said(failure))

    def _show_choice(self) -> None:
        self.publish(choice=self._choice.shown(offered=True))

    def _show(self) -> None:
        self.publish(session=summary_of(self._manager, self._language))


_widgets: weakref.WeakKeyDictionary[AuthManager, weakref.ref[StatusWidget]] = weakref.WeakKeyDictionary()


def widget_of(manager: AuthManager) -> StatusWidget:
    """Return the status widget of a manager, which all its displays share."""
    made = _widgets.get(manager, lambda: None)()
    if made is None or made.comm is None:
        made = StatusWidget(manager)
        _widgets[manager] = weakref.ref(made)
    return made
