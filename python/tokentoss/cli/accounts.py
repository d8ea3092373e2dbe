"""``tokentoss accounts``: the accounts that are stored, or connected at the broker, one a line."""

from __future__ import annotations

import sys

from tokentoss.broker.address import Broker
from tokentoss.cli import brokered_accounts
from tokentoss.cli.terminal import Terminal, said
from tokentoss.error_codes import printable
from tokentoss.session.session import Session
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account, names_of


def run() -> int:
    """List them, the one that is used by default first.

    Raises:
        StorageError: If the token file cannot be read.
        TokenTossError: If the broker cannot be asked.
    """
    broker = Broker.of_environment()
    if broker is not None:
        return brokered_accounts.show_list(broker)
    terminal = Terminal()
    stored, expired = FileStorage().load_all(), "  " + terminal.paint(said("listedExpired"), "yellow")
    for number, (tokens, name) in enumerate(zip(stored, names_of(stored), strict=True)):
        mark = "*" if number == 0 else " "
        ending = "" if Session.of(tokens).is_signed_in else expired
        issuer = terminal.paint(printable(Account.of(tokens).issuer), "dim")
        terminal.line(f"{mark} {printable(name)}  {issuer}{ending}")
    if not stored:
        # Beside the list, so that programs read an empty one.
        Terminal(sys.stderr).line(said("nobodyYet"))
    return 0
