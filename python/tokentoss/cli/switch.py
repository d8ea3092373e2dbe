"""``tokentoss switch``: use another stored account by default."""

from __future__ import annotations

from tokentoss.cli.stored import chosen
from tokentoss.cli.terminal import Terminal, said
from tokentoss.error_codes import printable
from tokentoss.exceptions import NoCredentialsError
from tokentoss.session.session import Session
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account


def run(account: str) -> int:
    """Make an account the default one.

    Args:
        account: Its e-mail address, login or key.

    Raises:
        NoCredentialsError: ``account_unknown``, ``account_ambiguous`` or ``session_expired``; nothing
            changes then.
        StorageError: If the tokens cannot be read or written.
    """
    storage = FileStorage()
    tokens = chosen(storage.load_all(), account)
    if not Session.of(tokens).is_signed_in:
        raise NoCredentialsError(code="session_expired")
    if not storage.prefer(tokens):
        raise NoCredentialsError(code="account_unknown", subject=account)
    terminal = Terminal()
    name = printable(Account.of(tokens).display_name or account)
    terminal.line(said("using", account=terminal.paint(name, "green")))
    return 0
