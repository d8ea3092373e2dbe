"""``accounts``, ``switch``, ``status --json`` and ``sign-out --all``."""

from __future__ import annotations

import itertools
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tokentoss
from command_steps import SECRET, Store
from fake_provider import CLIENT_ID, Answer, FakeProvider
from tokentoss import FileStorage
from tokentoss.cli import main
from tokentoss.storage.token_data import iso_time

ADA, GRACE = "ada@example.com", "grace@example.com"


def emails() -> list[str | None]:
    return [tokens.user_email for tokens in FileStorage().load_all()]


def corrupt() -> Path:
    path = FileStorage().path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("not JSON")
    path.chmod(0o600)
    return path


def test_accounts_one_a_line(store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    store("old@example.com", "user-3", created_at=iso_time(time.time() - 30 * 3600))
    store(GRACE, "user-2")
    store()
    assert main(["accounts"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        f"* {ADA}  {fake.issuer}",
        f"  {GRACE}  {fake.issuer}",
        f"  old@example.com  {fake.issuer}  expired",
    ]
    assert captured.err == ""


def test_no_accounts_are_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accounts"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Nobody is signed in. Run `tokentoss sign-in`")


def test_a_hostile_name_is_one_line(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store("\x1b[31m\nada@example.com\u202e")
    for command in (["accounts"], ["status"], ["switch", "\x1b[31m\nada@example.com\u202e"]):
        assert main(command) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\u202e" not in out
    assert main(["accounts"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_switch(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store(GRACE, "user-2")
    store()
    before = {tokens.subject: tokens.to_dict() for tokens in FileStorage().load_all()}
    assert main(["switch", "Grace@Example.com"]) == 0
    assert capsys.readouterr().out == f"Using {GRACE} by default\n"
    assert emails() == [GRACE, ADA]
    assert {tokens.subject: tokens.to_dict() for tokens in FileStorage().load_all()} == before
    assert main(["switch", GRACE]) == 0, "twice is no error"
    assert emails() == [GRACE, ADA]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nobody@example.com", "choose one that `tokentoss accounts` lists"),
        ("", "None of your stored accounts is called"),
        ("x" * 9999, "None of your stored accounts is called"),
        ("old@example.com", "Your session ended after some time. Run `tokentoss sign-in`."),
        ("twice@example.com", "Choose one with --account"),
    ],
)
def test_what_cannot_be_switched_to(
    store: Store, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    store("old@example.com", "user-3", created_at=iso_time(time.time() - 30 * 3600))
    store("twice@example.com", "user-4")
    store("twice@example.com", "user-5")
    store()
    before = emails()
    assert main(["switch", name]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert len(captured.err) < 500
    assert emails() == before


def test_a_switch_writes_no_old_tokens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """``switch`` does not overwrite tokens that another process renews meanwhile."""
    store()
    grace = store(GRACE, "user-2", refresh_token="refresh-0")
    store()
    real, numbers = FileStorage.load_all, itertools.count(1)

    def load_all(self: FileStorage) -> Any:
        found = real(self)
        before = next(tokens for tokens in found if tokens.user_email == GRACE)
        assert self.replace(before, replace(before, refresh_token=f"refresh-{next(numbers)}"))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(FileStorage, "load_all", load_all)
        assert main(["switch", GRACE]) == 0
    first, second = FileStorage().load_all()
    assert (first.user_email, second.user_email) == (GRACE, ADA)
    assert first.refresh_token == f"refresh-{next(numbers) - 1}" != grace.refresh_token


def test_a_switch_to_an_account_that_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grace = store(GRACE, "user-2")
    store()
    real = FileStorage.load_all

    def load_all(self: FileStorage) -> Any:
        found = real(self)
        self.discard(grace)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(FileStorage, "load_all", load_all)
        assert main(["switch", GRACE]) == 1
    assert f"None of your stored accounts is called {GRACE}" in capsys.readouterr().err
    assert emails() == [ADA]


def test_status_as_json(configured: Path, store: Store, fake: FakeProvider, capsys: Any) -> None:
    """``status --json`` prints the members that docs/command_line.md documents."""
    store("once@example.com", "user-4", refresh_token="", id_token_lifetime=-1)
    signed_in_at = time.time() - 7200
    tokens = store(created_at=iso_time(signed_in_at), login="ada", id_token_lifetime=1800)
    assert main(["status", "--json"]) == 0
    out = capsys.readouterr().out
    report = json.loads(out)
    ada, once = report.pop("accounts")
    assert report == {
        "signed_in": True,
        "broker": None,
        "client": {
            "client_id": CLIENT_ID,
            "type": "installed",
            "token_endpoint": fake.issuer + "/token",
            "file": str(configured),
        },
        "client_error": None,
        "token_file": str(FileStorage().path),
    }
    times = {name: ada.pop(name) for name in list(ada) if name.endswith("_at")}
    assert ada == {
        "name": ADA,
        "default": True,
        "signed_in": True,
        "email": ADA,
        "login": "ada",
        "provider": None,
        "issuer": fake.issuer,
        "subject": "user-1",
        "client_id": CLIENT_ID,
        "scopes": ["openid"],
        "renewable": True,
    }
    assert set(times) == {"signed_in_at", "session_ends_at", "id_token_expires_at", "access_token_expires_at"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment) for moment in times.values())
    assert times["signed_in_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(signed_in_at)))
    assert (once["default"], once["signed_in"], once["renewable"]) == (False, False, False)
    for secret in (SECRET, tokens.access_token, tokens.refresh_token, tokens.id_token):
        assert secret not in out


def test_status_of_nobody_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "signed_in": False,
        "broker": None,
        "client": None,
        "client_error": "client_secrets_missing",
        "token_file": str(FileStorage().path),
        "accounts": [],
    }
    assert captured.err == ""


def test_without_an_id_token_as_json(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store(id_token="")
    assert main(["status", "--json"]) == 0
    (account,) = json.loads(capsys.readouterr().out)["accounts"]
    assert account["id_token_expires_at"] is None
    assert account["access_token_expires_at"] is not None


@pytest.mark.parametrize(
    "arguments",
    [["accounts"], ["switch", ADA], ["status", "--json"], ["sign-out", "--all"], ["token"]],
)
def test_a_file_that_cannot_be_read(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = corrupt()
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {path} isn't a readable token file")


@pytest.mark.parametrize("arguments", [["accounts"], ["switch", ADA], ["sign-out", "--all"], ["token"]])
def test_no_home(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert main(arguments) == 1
    assert "You have no home folder here" in capsys.readouterr().err


def test_sign_out_all(store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    store(GRACE, "user-2")
    store("old@example.com", "user-3", created_at=iso_time(time.time() - 99 * 3600))
    store()
    assert main(["sign-out", "--all"]) == 0
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines()] == [
        f"Signed out {ADA}",
        "Signed out old@example.com",
        f"Signed out {GRACE}",
    ]
    assert not FileStorage().exists()
    assert fake.requests == []
    assert main(["sign-out", "--all"]) == 0
    assert capsys.readouterr().out == "Nobody is signed in.\n"


def test_sign_out_all_and_revoke(
    configured: Path, store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    """All accounts are removed before the first revocation, and one failure stops no other."""
    stored_at_revocation: list[bool] = []

    def revoke(form: dict[str, str]) -> Answer:
        stored_at_revocation.append(FileStorage().exists())
        return Answer(403 if form["token"] == "refresh-user-1" else 200)

    metadata = fake.metadata(revocation_endpoint=fake.issuer + "/revoke")
    fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
    fake.answers["/revoke"] = revoke
    store(GRACE, "user-2")
    store()
    assert main(["sign-out", "--all", "--revoke"]) == 1
    out = capsys.readouterr().out
    assert (out.count("Not revoked: "), out.count("Revoked at ")) == (1, 1)
    assert stored_at_revocation == [False, False]


def test_all_or_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sign-out", "--all", "--account", ADA])
    assert end.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_stored_by_the_python_api_as_well(store: Store) -> None:
    store()
    assert [account.email for account in map(tokentoss.Account.of, FileStorage().load_all())] == [ADA]
