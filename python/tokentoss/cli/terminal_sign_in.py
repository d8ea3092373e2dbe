"""Signing in from a terminal: with a browser on this machine, with a link, or with a code.

What the user is told goes to the standard error, so that a script's own output stays its own.
"""

from __future__ import annotations

import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Literal

from tokentoss.callback.attempt import Attempt
from tokentoss.callback.listener import LINGER
from tokentoss.callback.redirect_uris import CallbackAddresses
from tokentoss.cli.browsers import has_browser
from tokentoss.cli.prompt import hidden_line
from tokentoss.cli.terminal import Terminal, duration, said
from tokentoss.error_codes import printable
from tokentoss.exceptions import SignInError

if TYPE_CHECKING:
    from tokentoss.exceptions import TokenTossError
    from tokentoss.handoff.sign_in import HandOff
    from tokentoss.session.auth_manager import AuthManager

Way = Literal["browser", "link", "code"]
"""How the user signs in."""

_SLICE = 0.5  # seconds; on Windows an interrupt is noticed only between two waits


def has_terminal() -> bool:
    """Tell whether somebody can be talked to: what is typed is read, and what is said is seen."""
    return all(
        stream is not None and not stream.closed and stream.isatty() for stream in (sys.stdin, sys.stderr)
    )


def require_terminal() -> None:
    """Check that there is a terminal.

    Raises:
        SignInError: ``terminal_missing``.
    """
    if not has_terminal():
        raise SignInError(code="terminal_missing")


def sign_in(manager: AuthManager, way: Way = "browser") -> None:
    """Sign in; afterwards the manager has the tokens. An interrupt ends it, and nothing is kept then.

    Args:
        manager: Whose client signs in, and who takes the tokens.
        way: How. Without a browser that can be opened here, the link is shown instead.

    Raises:
        SignInError: ``terminal_missing``, ``device_authorization_unsupported``, or what ended the sign-in.
        TokenTossError: What else ended it.
    """
    require_terminal()
    terminal = Terminal(sys.stderr)
    if way == "code":
        _by_code(manager, terminal)
    elif way == "link" or not _by_browser(manager, terminal):
        _by_link(manager, terminal)


class _Decision:
    """How a sign-in ended, told by another thread."""

    def __init__(self) -> None:
        self._failure: TokenTossError | None = None
        self._thread = threading.current_thread()
        self._done = threading.Event()

    def take(self, _hand_off: HandOff, failure: TokenTossError | None) -> None:
        """Take how it ended."""
        self._failure, self._thread = failure, threading.current_thread()
        self._done.set()

    @property
    def is_made(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    def wait(self) -> None:
        """Wait for the end, and until the browser was told of it as well.

        Raises:
            TokenTossError: If that was no sign-in.
        """
        while not self._done.wait(_SLICE):
            pass
        if self._thread is not threading.current_thread():
            # This process may end now, and the last page with it.
            self._thread.join(LINGER)
        if self._failure is not None:
            raise self._failure


def _by_browser(manager: AuthManager, terminal: Terminal) -> bool:
    """Sign in with a browser that answers to the loopback listener; return False if there is none here."""
    if not has_browser():
        return False
    decision = _Decision()
    attempt = _attempt(manager, decision, listens=True)
    try:
        request = attempt.request()
        if attempt.listener is None:
            return False
        terminal.line(said("openingBrowser", provider=printable(manager.provider.name)))
        terminal.line(said("ifNoneOpens"))
        if not webbrowser.open(request.begin_address(attempt.listener.origin)):
            terminal.line(said("noBrowser"))
            return False
        decision.wait()
    finally:
        attempt.end()
    return True


def _by_link(manager: AuthManager, terminal: Terminal) -> None:
    """Sign in with a link, for a browser anywhere, and with the address that it ends on."""
    decision = _Decision()
    attempt = _attempt(manager, decision, listens=False)
    try:
        request = attempt.request()
        terminal.line(said("openLink", provider=printable(manager.provider.name)))
        terminal.line()
        terminal.line(request.address)
        terminal.line()
        terminal.line(said("lastPage"))
        while not decision.is_made:
            # It holds the code, which others in front of the screen need not see.
            address = hidden_line(said("askAddress") + " ", lambda: decision.is_made)
            if address is None:
                break
            problem = request.paste(address)
            if problem is not None and not decision.is_made:
                terminal.line(terminal.paint(str(problem), "yellow"))
        decision.wait()
    finally:
        attempt.end()


def _by_code(manager: AuthManager, terminal: Terminal) -> None:
    """Sign in with a code that is entered on any device."""
    by_code = manager.sign_in_by_code()
    asked = by_code.authorization
    code = terminal.paint(asked.user_code, "bold")
    terminal.line(said("enterCode", page=asked.verification_uri, code=code))
    terminal.line(said("codeExpires", left=duration(by_code.expires_in)))
    by_code.finish()


def _attempt(manager: AuthManager, decision: _Decision, *, listens: bool) -> Attempt:
    return Attempt(
        manager,
        CallbackAddresses.of(manager.client_config, manager.provider.redirect_path),
        exchange="kernel",
        login_hint=None,
        send=lambda _message: None,  # no page takes part
        decided=decision.take,
        listens=listens,
    )
