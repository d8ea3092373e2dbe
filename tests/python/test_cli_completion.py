"""``tokentoss completion``: the scripts offer what the parser accepts."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest
from tokentoss.cli import main
from tokentoss.cli.completion import commands
from tokentoss.cli.parser import SHELLS

KNOWN = {one.name: one for one in commands()}


def written(capsys: pytest.CaptureFixture[str], shell: str) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def offered(script: str, line: str) -> list[str]:
    """What bash offers at the end of a line."""
    words = line.split(" ")
    ask = (
        f"{script}\nCOMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _tokentoss;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-uc", ask], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_every_command_and_option_is_known() -> None:
    assert {"sign-in", "token", "accounts", "switch", "status", "sign-out", "completion"} <= set(KNOWN)
    sign_in = KNOWN["sign-in"]
    assert [option.names[-1] for option in sign_in.options] == [
        "--help",
        "--provider",
        "--no-browser",
        "--code",
    ]
    assert [option.value for option in sign_in.options] == [None, "NAME", None, None]
    assert KNOWN["completion"].words == SHELLS
    assert KNOWN["configure"].takes_file
    assert "--client-secret" not in {name for one in KNOWN["configure"].options for name in one.names}
    assert [option.takes_file for option in KNOWN["callback-page"].options] == [False, False, True, False]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_parts_are_in_every_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = written(capsys, shell)
    for one in KNOWN.values():
        assert one.name in script
        for option in one.options:
            assert option.names[-1].removeprefix("--") in script
    assert script.endswith("\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tokentoss si", ["sign-in", "sign-out"]),
        ("tokentoss ", [*KNOWN, "--help", "--version"]),
        ("tokentoss sign-out --a", ["--account", "--all"]),
        ("tokentoss completion ", ["-h", "--help", "bash", "fish", "zsh"]),
        ("tokentoss token --account ", []),
        ("tokentoss nothing ", []),
        ("tokentoss configure --client-s", []),
    ],
)
def test_in_bash(line: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert offered(written(capsys, "bash"), line) == words


@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_shell_takes_it(shell: str, check: str, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    script = written(capsys, shell)
    done = subprocess.run([shell, check], input=script, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_help_texts_are_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    """Apostrophes, colons and brackets in help texts are quoted for each shell."""
    fish = written(capsys, "fish")
    assert "the issuer\\'s address" in fish
    zsh = written(capsys, "zsh")
    assert "the issuer'\\''s address" in zsh
    assert "https\\://hub.example.com" in zsh
    for line in written(capsys, "bash").splitlines():
        assert re.search(r"[`$](?!\{COMP_WORDS|\(compgen|w)", line) is None, line


def test_an_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["completion", "tcsh"])
    assert end.value.code == 2
