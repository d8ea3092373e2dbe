"""``tokentoss completion``: completions for a shell, made from what the parser takes."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tokentoss.cli.parser import parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Option:
    """An option of a command.

    Args:
        names: How it is written.
        help: What it does.
        value: What its value is called; None if it takes none.
        takes_file: Whether that is a file.
    """

    names: tuple[str, ...]
    help: str
    value: str | None
    takes_file: bool


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        name: Its name.
        help: What it does.
        options: Its options.
        words: What may stand there beside options.
        takes_file: Whether a file may stand there.
    """

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...]
    takes_file: bool


def run(shell: str) -> int:
    """Write the completions.

    Args:
        shell: ``bash``, ``fish`` or ``zsh``.
    """
    sys.stdout.write(_WRITERS[shell](tuple(commands())))
    return 0


def commands() -> Iterator[Command]:
    """Yield the commands that the parser knows."""
    for action in parser()._actions:  # noqa: SLF001 - argparse has no public way to read a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            helps = {one.dest: one.help or "" for one in action._choices_actions}  # noqa: SLF001
            for name, command in action.choices.items():
                yield _command(name, helps[name], command)


def _command(name: str, text: str, command: argparse.ArgumentParser) -> Command:
    shown = [one for one in command._actions if one.help != argparse.SUPPRESS]  # noqa: SLF001
    beside = [one for one in shown if not one.option_strings]
    return Command(
        name,
        text,
        tuple(_option(one) for one in shown if one.option_strings),
        tuple(str(word) for one in beside for word in one.choices or ()),
        any(_is_file(one) for one in beside),
    )


def _option(action: argparse.Action) -> Option:
    takes_value = action.nargs != 0
    value = str(action.metavar or action.dest) if takes_value else None
    return Option(tuple(action.option_strings), action.help or "", value, _is_file(action))


def _is_file(action: argparse.Action) -> bool:
    return action.type is Path or action.metavar == "FILE"


def _bash(known: tuple[Command, ...]) -> str:
    after, words = [], []
    for one in known:
        for option in one.options:
            if option.value is not None:
                files = "compopt -o default 2>/dev/null; " if option.takes_file else ""
                after += [f'    "{one.name} {name}") {files}return ;;' for name in option.names]
        files = "compopt -o default 2>/dev/null; " if one.takes_file else ""
        offered = " ".join([*(name for option in one.options for name in option.names), *one.words])
        words.append(f'    {one.name}) {files}words="{offered}" ;;')
    names = " ".join(one.name for one in known)
    return "\n".join(
        [
            "_tokentoss() {",
            '  local word="${COMP_WORDS[COMP_CWORD]}" words="' + f'{names} --help --version"',
            "  COMPREPLY=()",
            "  if (( COMP_CWORD > 1 )); then",
            '    case "${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}" in',
            *after,
            "    esac",
            '    case "${COMP_WORDS[1]}" in',
            *words,
            "    *) return ;;",
            "    esac",
            "  fi",
            '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
            "}",
            "complete -F _tokentoss tokentoss",
            "",
        ]
    )


def _fish(known: tuple[Command, ...]) -> str:
    lines = ["complete -c tokentoss -f"]
    lines += [
        f"complete -c tokentoss -n __fish_use_subcommand -a {one.name} -d {_fish_quoted(one.help)}"
        for one in known
    ]
    lines.append(
        f"complete -c tokentoss -n __fish_use_subcommand -l version -d {_fish_quoted('the version')}"
    )
    for one in known:
        when = f"complete -c tokentoss -n '__fish_seen_subcommand_from {one.name}'"
        for option in one.options:
            names = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
            )
            value = "" if option.value is None else " -r -F" if option.takes_file else " -x"
            lines.append(f"{when} {names}{value} -d {_fish_quoted(option.help)}")
        lines += [f"{when} -a {word}" for word in one.words]
        if one.takes_file:
            lines.append(f"{when} -F")
    return "\n".join([*lines, ""])


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _zsh(known: tuple[Command, ...]) -> str:
    described = [f"    {_zsh_quoted(one.name + ':' + one.help)}" for one in known]
    cases = []
    for one in known:
        specs = [_zsh_spec(option) for option in one.options]
        specs += [f"1: :({' '.join(one.words)})"] if one.words else []
        specs += ["1: :_files"] if one.takes_file else []
        cases.append(f"    {one.name}) _arguments {' '.join(map(_zsh_quoted, specs))} ;;")
    return "\n".join(
        [
            "#compdef tokentoss",
            "_tokentoss() {",
            "  local -a known",
            "  known=(",
            *described,
            "  )",
            "  if (( CURRENT == 2 )); then",
            "    _describe command known",
            "    return",
            "  fi",
            "  shift words",
            "  (( CURRENT-- ))",
            "  case $words[1] in",
            *cases,
            "  esac",
            "}",
            # Read at the start of a shell, or found in its fpath and run as the function itself.
            'if [[ "$funcstack[1]" == _tokentoss ]]; then _tokentoss "$@"',
            "else compdef _tokentoss tokentoss; fi",
            "",
        ]
    )


def _zsh_spec(option: Option) -> str:
    text = option.help
    for mark in "\\[]:":
        text = text.replace(mark, "\\" + mark)
    value = "" if option.value is None else f":{option.value}:" + ("_files" if option.takes_file else " ")
    # One spec a name: no option here has two that matter.
    return f"{option.names[-1]}[{text}]{value}"


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_WRITERS: dict[str, Callable[[tuple[Command, ...]], str]] = {"bash": _bash, "fish": _fish, "zsh": _zsh}
