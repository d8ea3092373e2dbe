"""The command ``tokentoss``: set up a client, see who is signed in, sign out, find out what is wrong."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokentoss._version import __version__
from tokentoss.cli.hints import in_the_shell
from tokentoss.exceptions import InsecureFilePermissionsWarning, TokenTossError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

BROKEN_PIPE = 141
"""Exit code after the reader of the output went away, as shells have it."""

_SECRET_ON_THE_COMMAND_LINE = (
    "The client secret is not taken from the command line, where the shell's history keeps it and other "
    "users see it: leave it out, and it is asked for, or read from standard input."
)


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints repeat no value, because a secret may be among them."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [one.split("=")[0] for one in unknown if one.startswith("-")]
            self.error(f"unknown option {options[0]}" if options else "too many arguments")
        return known, unknown


class _RefuseSecret(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        parser.error(_SECRET_ON_THE_COMMAND_LINE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for a failure, 2 for wrong usage.

    Args:
        arguments: The command line without the program's name; by default the process's own.
    """
    chosen = vars(_parser().parse_args(arguments))
    try:
        code = _run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads, such as `head`, has had enough.
        _write_nowhere()
        return BROKEN_PIPE
    except OSError as failure:
        _write_nowhere()
        reason = failure.strerror or "input/output error"
        print(f"error: The output cannot be written ({reason}). Check where it goes.", file=sys.stderr)  # noqa: T201
        return 1
    return code


def _run(chosen: dict[str, Any]) -> int:
    command = import_module(f"tokentoss.cli.{chosen.pop('command')}")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", InsecureFilePermissionsWarning)
            code: int = command.run(**chosen)
        for message in dict.fromkeys(str(one.message) for one in caught):
            print(f"warning: {message}", file=sys.stderr)  # noqa: T201 - this is what a command does
    except TokenTossError as failure:
        print(f"error: {in_the_shell(str(failure))}", file=sys.stderr)  # noqa: T201
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\nCancelled.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    return code


def _write_nowhere() -> None:
    """Point the standard output elsewhere: the interpreter flushes it at its end, and would fail again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tokentoss",
        description="Sign in from a Jupyter notebook: what can be done outside of one.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tokentoss {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    configure = commands.add_parser(
        "configure",
        help="store the OAuth client that sign-ins use",
        description="Store the OAuth client that sign-ins use: a downloaded client_secrets.json, or a client "
        "ID whose secret is asked for, or read from standard input if that is not a terminal.",
        allow_abbrev=False,
    )
    configure.add_argument("file", nargs="?", metavar="FILE", help="a downloaded client_secrets.json")
    configure.add_argument("--client-id", metavar="ID", help="a Google client of type Desktop app")
    configure.add_argument("--project-id", metavar="ID", help="the project that the client belongs to")
    configure.add_argument("--client-secret", nargs="?", action=_RefuseSecret, help=argparse.SUPPRESS)
    configure.set_defaults(command="configure")

    status = commands.add_parser(
        "status",
        help="show the client and who is signed in",
        description="Show the client and who is signed in, from what is stored. Exits with 1 if nobody is.",
    )
    status.set_defaults(command="status")

    sign_out = commands.add_parser(
        "sign-out",
        help="forget the stored tokens of an account",
        description="Remove the stored tokens of an account. The provider's own session stays as it is.",
        allow_abbrev=False,
    )
    sign_out.add_argument(
        "--account", metavar="NAME", help="e-mail address, login or key, if several are signed in"
    )
    sign_out.add_argument(
        "--revoke",
        action="store_true",
        help="revoke the tokens at the provider, too; Google then ends all tokens of the project and user",
    )
    sign_out.set_defaults(command="sign_out")

    doctor = commands.add_parser(
        "doctor",
        help="find out what stands in the way of a sign-in",
        description="Check versions, files, client, provider, clock and callback. Prints no secret. Exits "
        "with 1 if something is wrong.",
        allow_abbrev=False,
    )
    doctor.add_argument("--json", action="store_true", dest="as_json", help="print the findings as JSON")
    doctor.set_defaults(command="doctor")

    page = commands.add_parser(
        "callback-page",
        help="write the callback page for a JupyterHub service or a web host",
        description="Write the static page to which a provider may send the popup, and print the headers "
        "to serve it with. Its address is to be registered for the client as a redirect URI.",
        allow_abbrev=False,
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
    return parser
