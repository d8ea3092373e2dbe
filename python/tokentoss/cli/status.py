"""``tokentoss status``: the client and who is signed in, from what is stored or the broker says."""

from __future__ import annotations

import json
import shlex
import time
from datetime import datetime

from tokentoss.broker.address import Broker
from tokentoss.cli import brokered_accounts
from tokentoss.cli.status_report import report_on
from tokentoss.cli.stored import NOBODY
from tokentoss.cli.terminal import Terminal, duration
from tokentoss.config.client_config import ClientConfig
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError
from tokentoss.session.session import Session
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account, names_of
from tokentoss.storage.token_data import grant_of

_INDENT = " " * 11


def run(as_json: bool) -> int:
    """Show it; return 0 if somebody is signed in.

    Args:
        as_json: Whether to print JSON instead of text.

    Raises:
        StorageError: If the token file cannot be read.
        TokenTossError: If the broker cannot be asked.
    """
    broker = Broker.of_environment()
    if broker is not None:
        return brokered_accounts.show_status(broker, as_json=as_json)
    terminal = Terminal()
    storage = FileStorage()
    if as_json:
        report = report_on(storage)
        terminal.line(json.dumps(report, indent=2))
        return 0 if report["signed_in"] else 1
    _show_client(terminal)
    terminal.line(f"{terminal.paint('Tokens', 'bold')}     {storage.path}")
    sessions = [Session.of(tokens) for tokens in storage.load_all()]
    terminal.line()
    names = names_of([session.tokens for session in sessions])
    for number, (session, name) in enumerate(zip(sessions, names, strict=True)):
        _show_session(terminal, session, name, is_default=number == 0 and len(sessions) > 1)
    if not sessions:
        terminal.line(NOBODY)
    return 0 if any(session.is_signed_in for session in sessions) else 1


def _show_client(terminal: Terminal) -> None:
    label = terminal.paint("Client", "bold")
    try:
        config = ClientConfig.discover()
    except ConfigurationError as failure:
        terminal.line(f"{label}     {terminal.paint(str(failure), 'yellow')}")
        return
    kind = "Desktop" if config.client_type == "installed" else "web"
    whose = "Google" if config.is_google else printable(config.token_uri)
    terminal.line(f"{label}     {printable(config.client_id)} ({kind}, {whose})")
    terminal.line(f"{_INDENT}{config.source}")


def _show_session(terminal: Terminal, session: Session, chosen_by: str, *, is_default: bool) -> None:
    account = Account.of(session.tokens)
    name = terminal.paint(printable(account.display_name or "an unknown user"), "bold")
    suffix = " (used by default)" if is_default else ""
    if session.is_signed_in:
        terminal.line(f"{terminal.paint('Signed in', 'green')}  {name}{suffix}")
    else:
        terminal.line(f"{terminal.paint('Expired', 'yellow')}    {name}{suffix}: sign in again")
    terminal.line(_INDENT + terminal.paint(printable(account.issuer), "dim"))
    if chosen_by != account.display_name:
        # Others go by the same name, perhaps with another client.
        client = grant_of(session.tokens)[2]
        terminal.line(f"{_INDENT}client {printable(client)}; --account {shlex.quote(printable(chosen_by))}")
    if session.signed_in_at is not None:
        moment = datetime.fromtimestamp(session.signed_in_at).astimezone()
        ago = duration(time.time() - session.signed_in_at)
        terminal.line(f"{_INDENT}since {moment:%Y-%m-%d %H:%M}, {ago} ago")
    if session.is_signed_in:
        terminal.line(_INDENT + _lifetime(session))


def _lifetime(session: Session) -> str:
    now = time.time()
    # Not every provider gives ID tokens.
    name = "ID token" if session.tokens.id_token else "Access token"
    expires_at = session.id_token_expires_at if session.tokens.id_token else session.access_token_expires_at
    left = expires_at - now
    ends = "" if session.ends_at is None else f"; the session ends in {duration(session.ends_at - now)}"
    if not session.tokens.refresh_token:
        return f"{name} valid for {duration(left)}, then sign in again: there is no refresh token"
    if left > 0:
        return f"{name} valid for {duration(left)}, renewed on use{ends}"
    return f"{name} expired, renewed on the next use{ends}"
