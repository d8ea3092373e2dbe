"""docs/command_line.md agrees with the commands' help and behaviour."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tokentoss
from command_steps import Store
from tokentoss.cli import BROKEN_PIPE, INTERRUPTED, main
from tokentoss.cli.completion import commands
from tokentoss.cli.parser import SHELLS
from tokentoss.cli.token import NOT_SIGNED_IN

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "command_line.md").read_text(encoding="utf-8")
HELPS = dict(re.findall(r"(?ms)^```text\n\$ tokentoss ?(.*?) ?--help\n(.*?)^```$", DOCUMENT))


def words(text: str) -> str:
    """The text however it is broken into lines, which differs between versions of Python."""
    return " ".join(text.split())


def rows(heading: str, *, table: int = 0) -> list[str]:
    """First cells of a table below a heading."""
    section = re.split(r"^#+ ", DOCUMENT.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [line.split("|")[1].strip() for line in tables[table].splitlines()[2:]]


@pytest.mark.parametrize("command", ["", *(one.name for one in commands())])
def test_the_help(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--help"])
    assert end.value.code == 0
    assert words(HELPS[command]) == words(capsys.readouterr().out)


def test_no_other_command_is_described() -> None:
    assert set(HELPS) == {"", *(one.name for one in commands())}


def test_the_exit_codes() -> None:
    assert [int(code) for code in rows("Exit codes")] == [0, 1, 2, NOT_SIGNED_IN, INTERRUPTED, BROKEN_PIPE]


@pytest.mark.usefixtures("configured")
def test_the_members_of_the_status(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store()
    assert main(["status", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    names = [re.findall(r"`(\w+)`", cell) for cell in rows("status --json")]
    assert [name for cell in names for name in cell] == list(report)
    of_account = [re.findall(r"`(\w+)`", cell) for cell in rows("status --json", table=1)]
    assert [name for cell in of_account for name in cell] == list(report["accounts"][0])


def test_the_shells() -> None:
    assert sorted(rows("Setting up")) == sorted(SHELLS)


def test_the_example_of_python_names_what_there_is() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert set(re.findall(r"tokentoss\.(\w+)", example)) <= set(tokentoss.__all__)


def test_a_command_starts_without_what_it_does_not_need() -> None:
    """``completion`` starts without importing the large dependencies."""
    code = "import sys; from tokentoss.cli import main; main(['completion', 'bash']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"requests", "jwt", "cryptography", "anywidget", "IPython"} & set(loaded.stdout.split())
