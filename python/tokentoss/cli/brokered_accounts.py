"""The accounts that a broker keeps, for the commands that list them and sign out of them."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tokentoss.broker.client import BrokerClient
from tokentoss.cli.terminal import Terminal, column_beside, said
from tokentoss.cli.utc import utc_text
from tokentoss.error_codes import printable
from tokentoss.exceptions import NoCredentialsError

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import ConnectedAccount


def meant(accounts: list[ConnectedAccount], broker: Broker, account: str | None) -> ConnectedAccount:
    """Return the account that a name stands for, or the only one.

    Raises:
        NoCredentialsError: ``not_connected``, ``account_unknown`` or ``account_ambiguous``.
    """
    if not accounts:
        raise NoCredentialsError(code="not_connected", subject=broker.url)
    named = _called(accounts, account)
    if not named:
        raise NoCredentialsError(code="account_unknown", subject=account)
    if len(named) > 1:
        # By identifier, because the same address may be connected at several providers.
        shown = ", ".join(printable(f"{one.id} ({_display_name(one)})") for one in named)
        raise NoCredentialsError(code="account_ambiguous", subject=shown)
    return named[0]


def connected(broker: Broker) -> list[ConnectedAccount]:
    """Return the accounts that are connected, those included that need a new sign-in.

    Raises:
        TokenTossError: If the broker cannot be asked.
    """
    return [one for one in BrokerClient(broker).accounts() if one.status != "revoked"]


def show_list(broker: Broker) -> int:
    """List them, one a line; one that is alone is used by default.

    Raises:
        TokenTossError: If the broker cannot be asked.
    """
    terminal, accounts = Terminal(), connected(broker)
    for one in accounts:
        mark = "*" if len(accounts) == 1 else " "
        expired = "" if _is_signed_in(one) else "  " + terminal.paint(said("listedExpired"), "yellow")
        provider = terminal.paint(printable(one.provider), "dim")
        terminal.line(f"{mark} {printable(_name(one, accounts))}  {provider}{expired}")
    if not accounts:
        Terminal(sys.stderr).line(said("nobodyYet"))
    return 0


def show_status(broker: Broker, *, as_json: bool) -> int:
    """Show the broker and who is connected there; return 0 if anybody is.

    Raises:
        TokenTossError: If the broker cannot be asked.
    """
    terminal, accounts = Terminal(), connected(broker)
    signed_in = any(_is_signed_in(one) for one in accounts)
    if as_json:
        terminal.line(json.dumps(_report(broker, accounts, signed_in=signed_in), indent=2))
        return 0 if signed_in else 1
    terminal.row(said("broker"), broker.url, _column(), "bold")
    terminal.line()
    for one in accounts:
        _show(terminal, one, accounts)
    if not accounts:
        terminal.line(said("nobodyYet"))
    return 0 if signed_in else 1


def sign_out(broker: Broker, account: str | None, *, everybody: bool, revoke: bool) -> int:
    """Have the broker forget accounts.

    Raises:
        NoCredentialsError: If there is no such account, or several and none is named.
        TokenTossError: If the broker cannot be asked.
    """
    terminal, accounts = Terminal(), connected(broker)
    if not accounts and account is None:
        terminal.line(said("nobody"))
        return 0
    client = BrokerClient(broker)
    for one in accounts if everybody else [meant(accounts, broker, account)]:
        client.disconnect(one.id, revoke=revoke)
        name = terminal.paint(printable(_display_name(one)), "green")
        terminal.line(
            said("revokedAtBroker" if revoke else "signedOutAtBroker", account=name, url=broker.url)
        )
    return 0


def _called(accounts: list[ConnectedAccount], name: str | None) -> list[ConnectedAccount]:
    return [one for one in accounts if name in {None, one.id, one.subject, one.email}]


def _name(account: ConnectedAccount, accounts: list[ConnectedAccount]) -> str:
    """Return the shortest name that stands for an account alone."""
    name = _display_name(account)
    return name if _called(accounts, name) == [account] else account.id


def _display_name(account: ConnectedAccount) -> str:
    return account.email or account.subject


def _is_signed_in(account: ConnectedAccount) -> bool:
    return account.status == "active"


def _show(terminal: Terminal, account: ConnectedAccount, accounts: list[ConnectedAccount]) -> None:
    column, name = _column(), terminal.paint(printable(_display_name(account)), "bold")
    if _is_signed_in(account):
        terminal.row(said("isSignedIn"), name, column, "green")
    else:
        terminal.row(said("isExpired"), said("signInAgain", account=name), column, "yellow")
    terminal.row("", terminal.paint(printable(account.provider), "dim"), column)
    chosen_by = _name(account, accounts)
    if chosen_by != _display_name(account):
        terminal.row("", f"--account {printable(chosen_by)}", column)
    moment = datetime.fromtimestamp(account.connected_at).astimezone()
    terminal.row("", said("since", moment=f"{moment:%Y-%m-%d %H:%M}"), column)


def _column() -> int:
    return column_beside(said("broker"), said("isSignedIn"), said("isExpired"))


def _report(broker: Broker, accounts: list[ConnectedAccount], *, signed_in: bool) -> dict[str, Any]:
    """Return the members of docs/command_line.md; null is what the broker does not tell."""
    return {
        "signed_in": signed_in,
        "broker": broker.url,
        "client": None,
        "client_error": None,
        "token_file": None,
        "accounts": [
            {
                "name": _name(one, accounts),
                "default": len(accounts) == 1,
                "signed_in": _is_signed_in(one),
                "email": one.email,
                "login": None,
                "provider": one.provider,
                "issuer": None,
                "subject": one.subject,
                "client_id": None,
                "scopes": list(one.scopes),
                "renewable": _is_signed_in(one),
                "signed_in_at": utc_text(one.connected_at),
                "session_ends_at": None,
                "id_token_expires_at": None,
                "access_token_expires_at": None,
            }
            for one in accounts
        ],
    }
