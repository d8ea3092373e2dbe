"""``accounts``, ``status`` and ``sign-out`` with a broker."""

from __future__ import annotations

import json

import pytest
from command_steps import Store
from tokentoss import FileStorage
from tokentoss.broker import BrokerClient, FakeBroker
from tokentoss.cli import main

ADA, GRACE = "ada@example.com", "grace@example.com"


@pytest.fixture
def asks(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    """The broker of the environment."""
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    return broker


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_accounts(asks: FakeBroker, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store("stored@example.com")
    code, out, err = said(capsys, "accounts")
    assert (code, out) == (0, "")
    assert err.startswith("Nobody is signed in. Run `tokentoss sign-in`")
    asks.connect("google", email=ADA)
    assert said(capsys, "accounts")[1] == f"* {ADA}  google\n"
    asks.end(asks.connect("google", subject="subject-2", email=GRACE))
    two = asks.connect("box", subject="subject-3", email=GRACE)
    lines = said(capsys, "accounts")[1].splitlines()
    assert lines[0] == f"  {ADA}  google"
    assert lines[1].endswith("  google  expired")
    assert lines[2] == f"  {two.id}  box"


def test_status(asks: FakeBroker, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "status")
    assert code == 1
    assert out.startswith(f"Broker     {asks.url}\n")
    assert "Nobody is signed in." in out
    grant = asks.connect("google", email=ADA)
    tokens = BrokerClient().get_valid_provider_access_token("google", id_token=True)
    code, out, _ = said(capsys, "status")
    assert code == 0
    assert f"Signed in  {ADA}\n           google\n           since 20" in out
    for secret in (tokens.access_token, tokens.id_token, asks.key):
        assert secret not in out
    asks.end(grant)
    code, out, _ = said(capsys, "status")
    assert code == 1
    assert f"Expired    {ADA}: sign in again\n" in out


def test_status_as_json_has_the_members_of_stored_accounts(
    asks: FakeBroker, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grant = asks.connect("google", email=ADA)
    there = json.loads(said(capsys, "status", "--json")[1])
    assert (there["signed_in"], there["broker"], there["client"]) == (True, asks.url, None)
    (account,) = there["accounts"]
    assert (account["name"], account["default"], account["provider"]) == (ADA, True, "google")
    assert account["subject"] == grant.subject
    monkeypatch.delenv("TOKENTOSS_BROKER")
    store()
    here = json.loads(said(capsys, "status", "--json")[1])
    assert here.keys() == there.keys()
    assert here["accounts"][0].keys() == account.keys()


def test_sign_out(asks: FakeBroker, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store("stored@example.com")
    asks.connect("google", email=ADA)
    code, out, _ = said(capsys, "sign-out")
    assert code == 0
    assert out == f"Signed out {ADA}: the broker {asks.url} has forgotten the tokens\n"
    assert asks.grants == []
    assert said(capsys, "sign-out")[:2] == (0, "Nobody is signed in.\n")
    assert said(capsys, "accounts")[1] == ""
    assert len(FileStorage().load_all()) == 1, "those of this machine are not meant"


def test_one_of_several_and_all(asks: FakeBroker, capsys: pytest.CaptureFixture[str]) -> None:
    one = asks.connect("google", subject="subject-1", email=ADA)
    asks.connect("box", subject="subject-2", email=ADA)
    asks.end(asks.connect("google", subject="subject-3", email=GRACE))
    for arguments in ([], ["--account", ADA]):
        code, _, err = said(capsys, "sign-out", *arguments)
        assert code == 1
        assert f"{one.id} ({ADA})" in err
    assert said(capsys, "sign-out", "--account", "nobody")[0] == 1
    assert len(asks.grants) == 3
    assert said(capsys, "sign-out", "--account", one.id)[0] == 0
    assert len(asks.grants) == 2
    code, out, _ = said(capsys, "sign-out", "--all", "--revoke")
    assert code == 0
    assert out.count("and revokes them at the provider") == 2
    assert asks.grants == []


def test_a_broker_that_is_away(asks: FakeBroker, capsys: pytest.CaptureFixture[str]) -> None:
    asks.close()
    for command in ("accounts", "status", "sign-out"):
        code, out, err = said(capsys, command)
        assert (code, out) == (1, "")
        assert err.startswith("error: ")
