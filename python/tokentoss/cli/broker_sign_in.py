"""Signing in from a terminal at a broker, on the broker's own pages."""

from __future__ import annotations

import sys
import time
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING

from tokentoss.broker.answers import PENDING, Since
from tokentoss.broker.client import LONGEST_WAIT, BrokerClient
from tokentoss.broker.names import kernel_name
from tokentoss.broker.problem import error_of
from tokentoss.cli.browsers import has_browser
from tokentoss.cli.prompt import shown_line
from tokentoss.cli.terminal import Terminal, said
from tokentoss.cli.terminal_sign_in import require_terminal
from tokentoss.exceptions import SignInError, TokenTossError
from tokentoss.util.backoff import spread
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.broker.answers import Authorization, Progress
    from tokentoss.session.broker_manager import BrokerManager

PAUSE = 2.0
"""Seconds between two questions while the broker does not answer."""

_LONGEST_CODE = 64


def sign_in(manager: BrokerManager, *, opens: bool = True) -> None:
    """Sign in; afterwards the manager uses the account. An interrupt gives the sign-in up.

    Args:
        manager: Who uses the account.
        opens: Whether to open a browser, where there is one.

    Raises:
        SignInError: ``terminal_missing``, or what ended the sign-in.
        TokenTossError: If the broker cannot be asked, or refuses.
    """
    require_terminal()
    terminal = Terminal(sys.stderr)
    client = BrokerClient(manager.broker)
    offer = client.begin(manager.provider_name, scopes=manager.asked_scopes, kernel=kernel_name(), way="page")
    try:
        # The address lets nobody act: what it leads to is confirmed here, with a code that its page shows.
        terminal.line(said("signInOnPage", url=offer.url))
        if opens and has_browser():
            webbrowser.open(offer.url)
        ended = _end_of(client, offer, terminal)
    except BaseException:
        with suppress(TokenTossError):
            client.give_up(offer.id)
        raise
    if ended.status == "failed":
        raise error_of(ended.problem or {}, manager.broker.url)
    if ended.account is None:
        raise SignInError(code="authorization_expired", subject=manager.broker.url)
    manager.connected(ended.account)


def _end_of(client: BrokerClient, offer: Authorization, terminal: Terminal) -> Progress:
    """Watch a sign-in to its end."""
    began = Since()

    def is_over() -> bool:
        return began.seconds >= offer.life

    while True:
        try:
            progress = client.progress(offer.id, wait=LONGEST_WAIT)
            if progress.status == "confirm":
                code = _asked_for(terminal, is_over)
                if code is None:
                    raise SignInError(code="authorization_expired", subject=client.broker.url)
                progress = client.confirm(offer.id, code)
        except TokenTossError as failure:
            if failure.code == "confirmation_wrong":
                # The broker counts them, and the fifth ends the sign-in.
                terminal.line(terminal.paint(str(failure), "yellow"))
            elif failure.action != "retry" or is_over():
                raise
            else:
                time.sleep(spread(PAUSE))
            continue
        if progress.status not in PENDING:
            return progress


def _asked_for(terminal: Terminal, is_over: Callable[[], bool]) -> Secret | None:
    """Ask for the code that the broker's page shows, however the user writes it; None if it is too late.

    Raises:
        EOFError: If nobody answers.
    """
    letters = ""
    while not letters:
        line = shown_line(said("askCode") + " ", terminal.write, is_over)
        if line is None:
            return None
        letters = "".join(letter for letter in line if letter.isascii() and letter.isalnum())
    return Secret(letters.upper()[:_LONGEST_CODE])
