"""Every text that ``tokentoss`` prints is in the table of texts, and every entry is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tokentoss import cli, texts

ENGLISH = texts.texts_in(texts.ENGLISH)["command_line"]
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in Path(cli.__file__).parent.glob("*.py")}

# Help for the shell, and a report that is read by those who help, stay English.
IN_ENGLISH = ("parser.py", "completion.py", "doctor.py")
WRITERS = {"line", "row", "write", "print", "input", "getpass", "hidden_line", "shown_line", "_ask"}
# The names of options and products are the same in every language.
NAMES = re.compile(r"--account\b|^(API|JupyterLab)$")


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls in a source, with the name of what is called."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            yield name, node


def used() -> Iterator[tuple[str, set[str]]]:
    """Yield the names of the texts that the command says, with the placeholders that it fills."""
    for source in SOURCES.values():
        for called, call in calls(source):
            if called == "said":
                first = call.args[0]
                names = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                for name in names:
                    assert isinstance(name, ast.Constant), ast.unparse(call)
                    yield name.value, {str(keyword.arg) for keyword in call.keywords}


def literals(argument: ast.expr) -> Iterator[str]:
    """Yield the text that stands in an argument itself."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.JoinedStr):
        for part in argument.values:
            yield from literals(part)
    elif isinstance(argument, ast.BinOp):
        yield from literals(argument.left)
        yield from literals(argument.right)
    elif isinstance(argument, ast.IfExp):
        yield from literals(argument.body)
        yield from literals(argument.orelse)
    elif isinstance(argument, ast.Call) and getattr(argument.func, "attr", "") == "paint":
        yield from literals(argument.args[0])


def test_the_command_says_what_the_table_has_and_all_of_it() -> None:
    assert {name for name, _ in used()} == set(ENGLISH)


def test_the_command_fills_every_placeholder_and_no_other() -> None:
    for name, given in used():
        assert given == set(re.findall(r"\{(\w+)\}", ENGLISH[name])), name


def test_the_command_writes_no_words_but_those_of_the_table() -> None:
    for file in SOURCES.keys() - set(IN_ENGLISH):
        for called, call in calls(SOURCES[file]):
            if called in WRITERS:
                # The styles of a row stand behind its column.
                spoken = call.args[:3] if called == "row" else call.args
                words = [word for argument in spoken for word in literals(argument)]
                assert not [word for word in words if re.search(r"[^\W\d_]", NAMES.sub("", word))], (
                    file,
                    ast.unparse(call),
                )
