"""The command ``tokentoss``: sign in, hand out tokens, see who is signed in, find out what is wrong."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokentoss.cli.parser import parser
from tokentoss.cli.terminal import said
from tokentoss.exceptions import InsecureFilePermissionsWarning, TokenTossError
from tokentoss.place import in_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

BROKEN_PIPE = 141
"""Exit code after the reader of the output went away, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code, which docs/command_line.md explains.

    Args:
        arguments: The command line without the program's name; by default the process's own.
    """
    with _open_streams():
        return _outcome(sys.argv[1:] if arguments is None else arguments)


def _outcome(arguments: Sequence[str]) -> int:
    if not arguments:
        parser().print_help()
        return 0
    chosen = vars(parser().parse_args(arguments))
    try:
        with in_command():
            code = _run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads, such as `head`, has had enough.
        _write_nowhere()
        return BROKEN_PIPE
    except OSError as failure:
        _write_nowhere()
        # The operating system's own words, which are English in every language.
        reason = failure.strerror or "input/output error"
        print(said("error", message=said("outputFailed", reason=reason)), file=sys.stderr)  # noqa: T201
        return 1
    return code


def _run(chosen: dict[str, Any]) -> int:
    command = import_module(f"tokentoss.cli.{chosen.pop('command')}")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", InsecureFilePermissionsWarning)
            try:
                code: int = command.run(**chosen)
            finally:
                # Also of a command that fails, perhaps because of what they warn of.
                for message in dict.fromkeys(str(one.message) for one in caught):
                    print(said("warning", message=message), file=sys.stderr)  # noqa: T201 - this is what a command does
    except TokenTossError as failure:
        print(said("error", message=str(failure)), file=sys.stderr)  # noqa: T201
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\n" + said("cancelled"), file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    return code


@contextmanager
def _open_streams() -> Iterator[None]:
    """Have nothing in the place of streams that the caller has closed.

    Python has None there, for which ``print`` takes the standard output: messages would be part of the token.
    """
    with ExitStack() as stack:
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                stack.callback(setattr, sys, name, None)
                setattr(sys, name, stack.enter_context(Path(os.devnull).open(mode, encoding="utf-8")))
        yield


def _write_nowhere() -> None:
    """Point the standard output elsewhere: the interpreter flushes it at its end, and would fail again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
