"""``tokentoss status``: the client and who is signed in, from what is stored or the broker says."""

from __future__ import annotations

import json
import shlex
import time
from datetime import datetime

from tokentoss.broker.address import Broker
from tokentoss.cli import brokered_accounts
from tokentoss.cli.status_report import report_on
from tokentoss.cli.terminal import Terminal, column_beside, duration, said
from tokentoss.config.client_config import ClientConfig
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError
from tokentoss.session.session import Session
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account, names_of
from tokentoss.storage.token_data import grant_of


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
    terminal.row(said("tokens"), str(storage.path), _column(), "bold")
    sessions = [Session.of(tokens) for tokens in storage.load_all()]
    terminal.line()
    names = names_of([session.tokens for session in sessions])
    for number, (session, name) in enumerate(zip(sessions, names, strict=True)):
        _show_session(terminal, session, name, is_default=number == 0 and len(sessions) > 1)
    if not sessions:
        terminal.line(said("nobodyYet"))
    return 0 if any(session.is_signed_in for session in sessions) else 1


def _show_client(terminal: Terminal) -> None:
    label, column = said("client"), _column()
    try:
        config = ClientConfig.discover()
    except ConfigurationError as failure:
        terminal.row(label, terminal.paint(str(failure), "yellow"), column, "bold")
        return
    whose = "Google" if config.is_google else printable(config.token_uri)
    is_desktop = config.client_type == "installed"
    shown = said(
        "desktopClient" if is_desktop else "webClient", client=printable(config.client_id), provider=whose
    )
    terminal.row(label, shown, column, "bold")
    terminal.row("", str(config.source), column)


def _show_session(terminal: Terminal, session: Session, chosen_by: str, *, is_default: bool) -> None:
    account, column = Account.of(session.tokens), _column()
    name = terminal.paint(printable(account.display_name or said("unknownUser")), "bold")
    shown = said("byDefault", account=name) if is_default else name
    if session.is_signed_in:
        terminal.row(said("isSignedIn"), shown, column, "green")
    else:
        terminal.row(said("isExpired"), said("signInAgain", account=shown), column, "yellow")
    terminal.row("", terminal.paint(printable(account.issuer), "dim"), column)
    if chosen_by != account.display_name:
        # Others go by the same name, perhaps with another client.
        client, key = printable(grant_of(session.tokens)[2]), shlex.quote(printable(chosen_by))
        terminal.row("", said("chosenBy", client=client, account=key), column)
    if session.signed_in_at is not None:
        moment = datetime.fromtimestamp(session.signed_in_at).astimezone()
        ago = duration(time.time() - session.signed_in_at)
        terminal.row("", said("sinceAgo", moment=f"{moment:%Y-%m-%d %H:%M}", ago=ago), column)
    if session.is_signed_in:
        terminal.row("", _lifetime(session), column)


def _column() -> int:
    return column_beside(said("client"), said("tokens"), said("isSignedIn"), said("isExpired"))


def _lifetime(session: Session) -> str:
    now = time.time()
    # Not every provider gives ID tokens.
    token = said("idToken") if session.tokens.id_token else said("accessToken")
    expires_at = session.id_token_expires_at if session.tokens.id_token else session.access_token_expires_at
    left = expires_at - now
    if not session.tokens.refresh_token:
        return said("validThenSignIn", token=token, left=duration(left))
    if left > 0:
        expiry = said("validThenRenewed", token=token, left=duration(left))
    else:
        expiry = said("expiredRenewed", token=token)
    if session.ends_at is None:
        return expiry
    return said("sessionEnds", expiry=expiry, left=duration(session.ends_at - now))
