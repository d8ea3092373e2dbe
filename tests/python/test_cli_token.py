"""``tokentoss token`` prints only the token, and only a current one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from command_steps import Store, Tty
from fake_provider import Answer, FakeProvider
from test_secrets_in_objects import locals_of
from tokentoss import FileStorage, TokenTossError
from tokentoss.broker import FakeBroker
from tokentoss.cli import main
from tokentoss.cli.stored_token import stored_token
from tokentoss.storage.token_data import iso_time

ADA, GRACE = "ada@example.com", "grace@example.com"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["token", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def renewing(fake: FakeProvider, **members: Any) -> None:
    lifetime = members.pop("lifetime", 3600)
    now = int(time.time())
    named = {
        "access_token": "access-new",
        "id_token": fake.id_token(exp=now + lifetime, jti="new"),
        "expires_in": lifetime,
    }
    fake.answers["/token"] = Answer.json(fake.token_response(**(named | members)))


def test_a_current_token_without_the_network(
    store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = store()
    assert said(capsys) == (0, tokens.id_token + "\n", "")
    assert said(capsys, "--access") == (0, "access-user-1\n", "")
    assert said(capsys, "--min-ttl", "3000") == (0, tokens.id_token + "\n", "")
    assert fake.requests == [], "there is not even a client"


def test_the_account_that_is_named(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    grace = store(GRACE, "user-2")
    ada = store()
    assert said(capsys)[1] == ada.id_token + "\n"
    assert said(capsys, "--account", "GRACE@example.com")[1] == grace.id_token + "\n"
    store(GRACE, "user-3")
    code, out, err = said(capsys, "--account", GRACE)
    assert (code, out) == (1, "")
    assert "Choose one with --account" in err


def test_nobody_is_signed_in(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a sign-in, the exit status is 3, and the message says where tokens were looked for."""
    code, out, err = said(capsys)
    assert (code, out) == (3, "")
    path = FileStorage().path
    assert err == (f"error: You aren't signed in. Run `tokentoss sign-in`. (Looked in: {path} (no tokens))\n")
    assert said(capsys, "--account", ADA)[0] == 3


def test_a_session_that_is_over(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store(created_at=iso_time(time.time() - 25 * 3600))
    assert said(capsys) == (3, "", "error: Your session ended after some time. Run `tokentoss sign-in`.\n")
    store(refresh_token="", id_token_lifetime=-1)
    assert said(capsys)[0] == 3


@pytest.mark.usefixtures("configured")
def test_a_token_that_is_due_is_renewed(
    store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    now = int(time.time())
    store(id_token=fake.id_token(iat=now - 3500, exp=now + 100))
    renewing(fake)
    code, out, err = said(capsys)
    assert (code, err) == (0, "")
    assert out == FileStorage().load_all()[0].id_token + "\n"
    (form,) = [form for _, path, _, form in fake.requests if path == "/token"]
    assert form["refresh_token"] == "refresh-user-1"
    assert said(capsys, "--access")[1] == "access-new\n"
    assert fake.calls("/token") == 1


@pytest.mark.usefixtures("configured")
def test_a_token_that_does_not_live_long_enough_is_renewed(
    store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = store(id_token_lifetime=1000)
    renewing(fake)
    assert said(capsys, "--min-ttl", "900") == (0, tokens.id_token + "\n", "")
    assert fake.calls("/token") == 0
    code, out, _ = said(capsys, "--min-ttl", "2000")
    assert (code, out) == (0, FileStorage().load_all()[0].id_token + "\n")
    assert out != tokens.id_token + "\n"
    assert fake.calls("/token") == 1


@pytest.mark.usefixtures("configured")
def test_none_lives_that_long(store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    store()
    renewing(fake)
    code, out, err = said(capsys, "--min-ttl", "7200")
    assert (code, out) == (1, "")
    assert "lives that long. Ask for a shorter min_ttl" in err
    assert fake.calls("/token") == 1


@pytest.mark.usefixtures("configured")
def test_the_provider_ended_the_session(
    store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    store(id_token_lifetime=-1)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    code, out, err = said(capsys)
    assert (code, out) == (3, "")
    assert "Sign in again" in err


@pytest.mark.usefixtures("configured")
def test_a_provider_that_fails_is_not_the_users_fault(
    store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    store(id_token_lifetime=-1)
    fake.answers["/token"] = Answer(500)
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert "refresh-user-1" not in err


def test_a_token_whose_signature_was_never_checked_is_store(
    configured: Path, store: Store, fake: FakeProvider, other_key: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    good = store(signature_checked=False)
    assert said(capsys) == (0, good.id_token + "\n", "")
    assert fake.calls("/keys") == 1
    forged = other_key.sign(fake.claims(), kid="key-1")
    store(id_token=forged, signature_checked=False)
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert err.startswith("error: The ID token's signature is wrong")


def test_no_id_tokens_there(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store(id_token="")
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert "Ask for the access token, with --access." in err
    assert said(capsys, "--access")[:2] == (0, "access-user-1\n")


@pytest.mark.parametrize("value", ["-1", "1.5", "x", "", "86401", "9" * 5000, "٣"])
def test_seconds_that_are_none(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["token", f"--min-ttl={value}"])
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert "give whole seconds, 86400 at most" in err
    assert len(err) < 500


def test_a_terminal_is_shown_it_as_well(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is also printed to a terminal."""
    tokens = store()
    screen = Tty()
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["token"]) == 0
    assert screen.getvalue() == tokens.id_token + "\n"


def test_a_warning_goes_beside_the_token(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = store()
    FileStorage().path.chmod(0o644)
    code, out, err = said(capsys)
    assert (code, out) == (0, tokens.id_token + "\n")
    assert err.count("warning: Others may access") == 1


def test_a_reader_that_goes_away(store: Store) -> None:
    store()
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m tokentoss token | true; exit 0"],
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("configured")
def test_no_traceback_holds_a_token(store: Store, fake: FakeProvider) -> None:
    tokens = store(id_token_lifetime=-1)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    with pytest.raises(TokenTossError) as failure:
        stored_token("id_token", None, None)
    shown = locals_of(failure.value)
    for secret in (tokens.access_token, tokens.refresh_token, tokens.id_token):
        assert secret not in shown


# With a broker


@pytest.fixture
def asks(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    """The broker of the environment."""
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    return broker


def test_a_token_of_the_broker(asks: FakeBroker, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store()
    grant = asks.connect("google", email=GRACE)
    code, out, err = said(capsys)
    assert (code, out, err) == (0, grant.id_token + "\n", "")
    assert said(capsys, "--access", "--account", GRACE)[1] == grant.access_token + "\n"
    assert said(capsys, "--min-ttl", "3500")[0] == 0
    assert asks.requests[-1][2]["min_ttl"] == 3500
    assert said(capsys, "--min-ttl", "7200")[0] == 1


def test_nobody_is_connected(asks: FakeBroker, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys)
    assert (code, out) == (3, "")
    assert err == f"error: No account is connected at {asks.url}. Run `tokentoss sign-in`.\n"
    asks.connect("google", email=GRACE)
    assert said(capsys, "--account", ADA)[0] == 3


def test_several_are_connected(asks: FakeBroker, capsys: pytest.CaptureFixture[str]) -> None:
    one = asks.connect("google", subject="subject-1", email=ADA)
    two = asks.connect("box", subject="subject-2", email=ADA)
    for arguments in ([], ["--account", ADA]):
        code, out, err = said(capsys, *arguments)
        assert (code, out) == (1, "")
        assert f"{one.id} ({ADA}), {two.id} ({ADA}). Choose one with --account." in err
    assert said(capsys, "--access", "--account", two.id)[1] == two.access_token + "\n"


def test_the_broker_asks_for_a_sign_in(asks: FakeBroker, capsys: pytest.CaptureFixture[str]) -> None:
    asks.end(asks.connect("google", email=ADA))
    assert said(capsys)[:2] == (3, "")


def test_a_broker_that_refuses_the_caller(
    asks: FakeBroker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", "another-key-that-nobody-knows-here-at-all")
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert "doesn't know your key" in err
    assert "another-key" not in err
