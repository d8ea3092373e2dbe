"""What ``tokentoss`` takes on its command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokentoss._version import __version__

if TYPE_CHECKING:
    from typing import NoReturn

_DAY = 86_400

SHELLS = ("bash", "fish", "zsh")
"""Shells that completions are written for."""

_SECRET_ON_THE_COMMAND_LINE = (
    "The client secret is not taken from the command line, where the shell's history keeps it and other "
    "users see it: leave it out, and it is asked for, or read from standard input."
)


class _Parser(argparse.ArgumentParser):
    """A parser that takes options by their whole name, and repeats no value: a secret may be among them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [one.split("=")[0] for one in unknown if one.startswith("-")]
            self.error(f"unknown option {options[0]}" if options else "too many arguments")
        return known, unknown


class _RefuseSecret(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        parser.error(_SECRET_ON_THE_COMMAND_LINE)


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it returns has the module of the command as ``command``."""
    made = _Parser(
        prog="tokentoss",
        description="Sign in from a Jupyter notebook or a terminal, and hand out the tokens.",
    )
    made.add_argument("--version", action="version", version=f"tokentoss {__version__}")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    _add_configure(commands)
    _add_sign_in(commands)
    _add_token(commands)
    _add_accounts(commands)
    _add_status(commands)
    _add_sign_out(commands)
    _add_doctor(commands)
    _add_callback_page(commands)
    _add_completion(commands)
    return made


Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def _add_configure(commands: Commands[_Parser]) -> None:
    configure = commands.add_parser(
        "configure",
        help="store the OAuth client that sign-ins use",
        description="Store the OAuth client that sign-ins use: a downloaded client_secrets.json, or a client "
        "ID whose secret is asked for, or read from standard input if that is not a terminal.",
    )
    configure.add_argument("file", nargs="?", metavar="FILE", help="a downloaded client_secrets.json")
    configure.add_argument("--client-id", metavar="ID", help="a Google client of type Desktop app")
    configure.add_argument("--project-id", metavar="ID", help="the project that the client belongs to")
    configure.add_argument("--client-secret", nargs="?", action=_RefuseSecret, help=argparse.SUPPRESS)
    configure.set_defaults(command="configure")


def _add_sign_in(commands: Commands[_Parser]) -> None:
    sign_in = commands.add_parser(
        "sign-in",
        help="sign in from this terminal",
        description="Sign in from this terminal. By default a browser opens on this machine, which answers "
        "to a loopback address. Accounts that are signed in already stay.",
    )
    sign_in.add_argument(
        "--provider",
        metavar="NAME",
        help="the issuer's address, or the name of a provider that comes with tokentoss; by default the one "
        "that the client belongs to",
    )
    way = sign_in.add_mutually_exclusive_group()
    way.add_argument(
        "--no-browser",
        action="store_const",
        const="link",
        dest="way",
        help="print the link, for a browser anywhere, and ask for the address that it ends on",
    )
    way.add_argument(
        "--code",
        action="store_const",
        const="code",
        dest="way",
        help="print a code to enter on any device, where the provider offers that",
    )
    sign_in.set_defaults(command="sign_in", way="browser")


def _add_token(commands: Commands[_Parser]) -> None:
    token = commands.add_parser(
        "token",
        help="print a current token, renewed if it is due",
        description="Print the current ID token of an account, and nothing else, on the standard output. "
        "Exits with 3 if nobody is signed in.",
    )
    token.add_argument("--access", action="store_true", help="print the access token instead of the ID token")
    _add_account(token, "by default the one that accounts marks")
    token.add_argument(
        "--min-ttl",
        type=_seconds,
        metavar="SECONDS",
        help="what the token must have left; by default it is renewed four minutes before its end",
    )
    token.set_defaults(command="token")


def _add_accounts(commands: Commands[_Parser]) -> None:
    accounts = commands.add_parser(
        "accounts",
        help="list the accounts, one a line",
        description="List the stored accounts, one a line, under the names that --account and switch take. "
        "A star marks the one that is used by default.",
    )
    accounts.set_defaults(command="accounts")

    switch = commands.add_parser(
        "switch",
        help="use another account by default",
        description="Use another stored account by default from now on.",
    )
    switch.add_argument("account", metavar="NAME", help="e-mail address, login or key")
    switch.set_defaults(command="switch")


def _add_status(commands: Commands[_Parser]) -> None:
    status = commands.add_parser(
        "status",
        help="show the client and who is signed in",
        description="Show the client and who is signed in, from what is stored. Exits with 1 if nobody is.",
    )
    status.add_argument("--json", action="store_true", dest="as_json", help="print it as JSON")
    status.set_defaults(command="status")


def _add_sign_out(commands: Commands[_Parser]) -> None:
    sign_out = commands.add_parser(
        "sign-out",
        help="forget the stored tokens of an account",
        description="Remove the stored tokens of an account. The provider's own session stays as it is.",
    )
    which = sign_out.add_mutually_exclusive_group()
    _add_account(which, "needed if several are signed in")
    which.add_argument("--all", action="store_true", dest="everybody", help="sign out every account")
    sign_out.add_argument(
        "--revoke",
        action="store_true",
        help="revoke the tokens at the provider, too; Google then ends all tokens of the project and user",
    )
    sign_out.set_defaults(command="sign_out")


def _add_doctor(commands: Commands[_Parser]) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="find out what stands in the way of a sign-in",
        description="Check versions, files, client, provider, clock and callback. Prints no secret. Exits "
        "with 1 if something is wrong.",
    )
    doctor.add_argument("--json", action="store_true", dest="as_json", help="print the findings as JSON")
    doctor.set_defaults(command="doctor")


def _add_callback_page(commands: Commands[_Parser]) -> None:
    page = commands.add_parser(
        "callback-page",
        help="write the callback page for a JupyterHub service or a web host",
        description="Write the static page to which a provider may send the popup, and print the headers "
        "to serve it with. Its address is to be registered for the client as a redirect URI.",
    )
    page.add_argument(
        "--origin",
        action="append",
        required=True,
        dest="origins",
        metavar="ORIGIN",
        help="origin of notebook pages, such as https://hub.example.com; may be given several times",
    )
    target = page.add_mutually_exclusive_group()
    target.add_argument("--output", type=Path, metavar="FILE", help="by default the standard output")
    target.add_argument(
        "--serve",
        type=int,
        dest="port",
        metavar="PORT",
        help="serve it on 127.0.0.1 instead, as a hub's service",
    )
    page.set_defaults(command="callback_page")


def _add_completion(commands: Commands[_Parser]) -> None:
    completion = commands.add_parser(
        "completion",
        help="write the completions of a shell",
        description="Write the completions of a shell to the standard output, to be read at its start, as "
        'in: eval "$(tokentoss completion bash)".',
    )
    completion.add_argument("shell", choices=SHELLS, help="the shell")
    completion.set_defaults(command="completion")


def _add_account(where: argparse._ActionsContainer, when: str) -> None:
    where.add_argument("--account", metavar="NAME", help=f"e-mail address, login or key; {when}")


def _seconds(text: str) -> int:
    """Read a number of seconds: at least 0, at most a day, as a broker takes it."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_DAY)) or int(text) > _DAY:
        raise argparse.ArgumentTypeError(f"give whole seconds, {_DAY} at most")
    return int(text)
