from __future__ import annotations

import getpass
import io
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tokentoss
from command_steps import SECRET, Store, Tty
from fake_provider import CLIENT_ID, Answer, FakeProvider
from tokentoss import ClientConfig, FileStorage, error_codes
from tokentoss.cli import main, terminal
from tokentoss.place import in_command
from tokentoss.storage.token_data import iso_time


def written(folder: Path, content: Any) -> Path:
    path = folder / "client_secret_1.json"
    path.write_text(json.dumps(content))
    return path


# configure


def test_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = written(tmp_path, {"installed": {"client_id": "id-1", "client_secret": SECRET}})
    assert main(["configure", str(source)]) == 0
    out = capsys.readouterr().out
    place = tokentoss.get_config_path()
    assert out == f"Configured id-1\nSaved to {place}, which only you can read.\n"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_client_id_with_the_secret_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\nmore\n"))
    assert main(["configure", "--client-id", "id-1", "--project-id", "p"]) == 0
    config = ClientConfig.discover()
    assert (config.client_id, config.client_secret, config.project_id) == ("id-1", SECRET, "p")
    assert SECRET not in "".join(capsys.readouterr())


@pytest.mark.parametrize("arguments", [[], ["--client-id", "id-1"]])
def test_a_secret_that_is_typed_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Tty("id-1\n"))
    asked: list[str] = []
    monkeypatch.setattr(getpass, "getpass", lambda question: asked.append(question) or SECRET)
    assert main(["configure", *arguments]) == 0
    assert asked == ["Client secret (not shown): "]
    assert ClientConfig.discover().client_secret == SECRET
    assert SECRET not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--client-secret", SECRET],
        [f"--client-secret={SECRET}"],
        ["--client-secret"],
        ["--client-id", "id-1", "--secret", SECRET],
        [f"--client-sec={SECRET}"],
        ["file.json", SECRET],
        ["id-1", "x", SECRET],
    ],
)
def test_the_command_line_takes_no_secret_and_repeats_none(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["configure", *arguments])
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert SECRET not in err
    assert err.count("error:") == 1


def test_a_secret_in_the_place_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configure", SECRET]) == 1
    err = capsys.readouterr().err
    assert "That's a client secret" in err
    assert SECRET not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.json"], "nowhere.json. Run `tokentoss configure FILE`"),
        (["file.json", "--client-id", "a"], "both a file and a client ID"),
        ([], "Give a client_secrets.json, or --client-id"),
        (["--client-id", "GOCSPX-x"], "looks like a client secret"),
        (["--client-id", "id-1"], "The client secret isn't valid: it's empty"),
    ],
)
def test_what_cannot_be_configured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["configure", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert words in captured.err
    assert not tokentoss.get_config_path().exists()


def test_a_client_that_is_replaced_or_not_used_is_mentioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tokentoss.configure("id-before", "s")
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(tmp_path / "other.json"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("s\n"))
    assert main(["configure", "--client-id", "id-after"]) == 0
    out = capsys.readouterr().out
    assert "It replaces id-before.\n" in out
    assert f"TOKENTOSS_CLIENT_SECRETS is set, so {tmp_path / 'other.json'} is used instead" in out


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Tty())
    monkeypatch.setattr(getpass, "getpass", interrupt)
    assert main(["configure", "--client-id", "id-1"]) == 130
    assert capsys.readouterr().err == "\nCancelled.\n"
    assert not tokentoss.get_config_path().exists()


# status


def test_nobody_and_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    out = capsys.readouterr().out
    assert f"There's no OAuth client at {tokentoss.get_config_path()}." in out
    assert "Nobody is signed in." in out


def test_who_is_signed_in(configured: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store("grace@example.com", "user-2")
    store("old@example.com", "user-3", created_at=iso_time(time.time() - 30 * 3600))
    store("once@example.com", "user-4", refresh_token="", id_token_lifetime=-1)
    tokens = store("ada@example.com", "user-1", created_at=iso_time(time.time() - 7260))
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    assert f"{CLIENT_ID} (Desktop, " in out
    assert str(configured) in out
    assert "Signed in  ada@example.com (used by default)\n" in out
    assert "Signed in  grace@example.com\n" in out
    assert "Expired    old@example.com: sign in again\n" in out
    assert "Expired    once@example.com: sign in again\n" in out
    assert ", 2 h 1 min ago\n" in out
    assert "renewed on use; the session ends in 21 h 5" in out
    for secret in (SECRET, tokens.access_token, tokens.refresh_token, tokens.id_token):
        assert secret not in out


@pytest.mark.usefixtures("configured")
def test_a_session_that_lasts_longer(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A stored session lasts until its own end, not until the default limit."""
    now = time.time()
    store(created_at=iso_time(now - 30 * 3600), session_ends_at=iso_time(now + 47.5 * 3600))
    assert main(["status"]) == 0
    assert "renewed on use; the session ends in 47 h 2" in capsys.readouterr().out
    assert main(["accounts"]) == 0
    assert "expired" not in capsys.readouterr().out
    assert main(["token", "--access"]) == 0
    assert capsys.readouterr().out == "access-user-1\n"
    store(session_ends_at=iso_time(now - 1))
    assert main(["token", "--access"]) == 3


@pytest.mark.usefixtures("configured")
def test_an_account_without_an_id_token(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store(id_token="", login="octocat")
    assert main(["status"]) == 0
    assert "Access token valid for" in capsys.readouterr().out
    store(id_token="", refresh_token="", expiry=iso_time(time.time() - 1))
    assert main(["status"]) == 1


def test_a_token_file_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    path = FileStorage().path
    path.parent.mkdir(parents=True)
    path.write_text("not JSON")
    path.chmod(0o600)
    assert main(["status"]) == 1
    assert f"error: {path}" in capsys.readouterr().err


def test_an_open_token_file_is_warned_of_once(
    configured: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store()
    FileStorage().path.chmod(0o644)
    assert main(["status"]) == 0
    assert capsys.readouterr().err.count("warning: Others may access") == 1


# sign-out


def test_sign_out(store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    store()
    assert main(["sign-out"]) == 0
    assert "Signed out ada@example.com" in capsys.readouterr().out
    assert FileStorage().load_all() == []
    assert fake.requests == []
    assert main(["sign-out"]) == 0
    assert capsys.readouterr().out == "Nobody is signed in.\n"


def test_an_expired_sign_in_is_removed_as_well(store: Store) -> None:
    store(created_at=iso_time(time.time() - 99 * 3600), refresh_token="", id_token_lifetime=-1)
    assert main(["sign-out"]) == 0
    assert not FileStorage().exists()


def test_one_of_several(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store("grace@example.com", "user-2")
    store()
    assert main(["sign-out"]) == 1
    err = capsys.readouterr().err
    assert "match: ada@example.com, grace@example.com. Choose one with --account." in err
    assert main(["sign-out", "--account", "nobody@example.com"]) == 1
    assert len(FileStorage().load_all()) == 2
    assert main(["sign-out", "--account", "Grace@Example.com"]) == 0
    assert [tokens.user_email for tokens in FileStorage().load_all()] == ["ada@example.com"]


def test_revoked(
    configured: Path, store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    """sign-out --revoke removes the tokens first, then revokes them with the client's secret (C67)."""
    stored_at_revocation: list[bool] = []

    def revoke(_form: dict[str, str]) -> Answer:
        stored_at_revocation.append(FileStorage().exists())
        return Answer(200)

    fake.answers["/.well-known/openid-configuration"] = Answer.json(
        fake.metadata(revocation_endpoint=fake.issuer + "/revoke")
    )
    fake.answers["/revoke"] = revoke
    store()
    assert main(["sign-out", "--revoke"]) == 0
    assert "Revoked at 127.0.0.1" in capsys.readouterr().out
    assert stored_at_revocation == [False]
    form = fake.requests[-1][3]
    assert (form["token"], form["client_id"], form["client_secret"]) == ("refresh-user-1", CLIENT_ID, SECRET)


def test_the_secret_of_another_client_is_not_sent(store: Store, fake: FakeProvider) -> None:
    fake.answers["/.well-known/openid-configuration"] = Answer.json(
        fake.metadata(revocation_endpoint=fake.issuer + "/revoke")
    )
    fake.answers["/revoke"] = Answer(200)
    tokentoss.configure("another-client", SECRET)
    store()
    assert main(["sign-out", "--revoke"]) == 0
    assert "client_secret" not in fake.requests[-1][3]


@pytest.mark.parametrize("broken", ["unsupported", "refused", "undiscoverable"])
def test_a_revocation_that_fails_still_signs_out_here(
    store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    """A failed revocation is reported, and the tokens are removed anyway (C67, C68)."""
    if broken == "refused":
        metadata = fake.metadata(revocation_endpoint=fake.issuer + "/revoke")
        fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
        fake.answers["/revoke"] = Answer(403)
    elif broken == "undiscoverable":
        fake.answers["/.well-known/openid-configuration"] = Answer(404)
    store()
    assert main(["sign-out", "--revoke"]) == 1
    assert "Not revoked: " in capsys.readouterr().out
    assert not FileStorage().exists()


def test_one_user_with_two_clients(
    store: Store, capsys: pytest.CaptureFixture[str], fake: FakeProvider
) -> None:
    """sign-out --account can name either grant of a user, and status tells them apart (E2)."""
    store(client_id="client-a")
    store(client_id="client-b")
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    names = [f"{fake.issuer}#user-1#client-{letter}" for letter in "ba"]
    for letter, name in zip("ba", names, strict=True):
        assert f"client client-{letter}; --account '{name}'\n" in out
    for arguments in ([], ["--account", "ada@example.com"], ["--account", f"{fake.issuer}#user-1"]):
        assert main(["sign-out", *arguments]) == 1
        assert f"match: {names[0]}, {names[1]}. Choose one with --account." in capsys.readouterr().err
    assert main(["sign-out", "--account", names[1]]) == 0
    assert [tokens.client_id for tokens in FileStorage().load_all()] == ["client-b"]
    capsys.readouterr()
    assert main(["status"]) == 0
    assert "--account" not in capsys.readouterr().out


# all of it


def test_nothing_is_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "sign-in" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["unknown"], ["status", "--x"], ["sign-out", "--rev"], ["accounts", "--hel"], ["token", "--acc"]],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2


def test_as_a_module() -> None:
    command = [sys.executable, "-m", "tokentoss"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"tokentoss {tokentoss.__version__}\n"
    status = subprocess.run([*command, "status"], capture_output=True, text=True, check=False, env=os.environ)
    assert status.returncode == 1
    assert "Nobody is signed in." in status.stdout


def test_colours_only_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.Terminal(Tty()).paint("x", "red", "bold") == "\x1b[31;1mx\x1b[0m"
    assert terminal.Terminal(io.StringIO()).paint("x", "red") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.Terminal(Tty()).paint("x", "red") == "x"


def test_a_terminal_without_the_character() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    terminal.Terminal(stream).line("a…b")
    stream.flush()
    assert raw.getvalue() == b"a?b" + os.linesep.encode()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (7500, "2 h 5 min"), (172_800, "2 days")],
)
def test_durations(seconds: float, words: str) -> None:
    assert terminal.duration(seconds) == words


@pytest.mark.parametrize(
    "arguments", [["doctor"], ["status"], ["callback-page", "--origin", "https://a.example"]]
)
def test_a_reader_that_goes_away(arguments: list[str]) -> None:
    """A reader that closes the pipe early causes no error, as in ``tokentoss doctor | head -2`` (E9)."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tokentoss", *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert "BrokenPipeError" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize(
    "arguments", [["doctor"], ["status"], ["callback-page", "--origin", "https://a.example"]]
)
def test_a_full_disk(arguments: list[str]) -> None:
    """A command that cannot write its output fails with one line (E9)."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tokentoss", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: The output cannot be written (No space left on device). Check where it goes."
    )
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="there is no such shell")
def test_a_closed_standard_error(store: Store) -> None:
    """With standard error closed, messages are dropped and the token is printed alone."""
    store()
    FileStorage().path.chmod(0o644)
    command = [sys.executable, "-m", "tokentoss", "token", "--access"]
    run = ["sh", "-c", '"$@" 2>&-', "sh", *command]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "access-user-1\n")
    FileStorage().clear()
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.skipif(os.name != "posix", reason="there is no such shell")
def test_a_closed_standard_input() -> None:
    command = [sys.executable, "-m", "tokentoss", "configure", "--client-id", "id-1"]
    run = ["sh", "-c", '"$@" <&-', "sh", *command]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: The client secret isn't valid: it's empty")


def test_a_command_that_fails_warns_as_well(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store()
    FileStorage().path.chmod(0o644)
    assert main(["sign-out", "--account", "nobody@example.com"]) == 1
    warning, error = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: Others may access")
    assert error.startswith("error: ")


def test_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dumb terminal gets no colours (E9)."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert terminal.Terminal(Tty()).paint("x", "red") == "x"


@pytest.mark.parametrize(("columns", "width"), [("20", 60), ("72", 72), ("400", 100), ("", 100)])
def test_the_width_of_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    """The width comes from the terminal, and is 100 columns without one (E9)."""
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.Terminal(io.StringIO()).width == width


def test_next_steps_are_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """The messages of commands suggest commands, not Python calls (E9)."""
    with in_command():
        shown = {code: error_codes.sentence(code) for code in error_codes.table()}
    assert not [code for code, sentence in shown.items() if "AuthManager.accounts()" in sentence]
    assert not [code for code, sentence in shown.items() if "this cell" in sentence]
    assert main(["sign-out", "--account", "nobody"]) == 1
    assert "or choose one that `tokentoss accounts` lists" in capsys.readouterr().err
    assert main(["status"]) == 1
    assert "Run `tokentoss configure FILE`" in capsys.readouterr().out
