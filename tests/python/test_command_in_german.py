"""``tokentoss`` in German, command by command."""

from __future__ import annotations

import getpass
import io
import re
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
import tokentoss
from command_steps import Store, Tty
from fake_provider import CLIENT_ID, Answer, FakeProvider
from test_cli_sign_in import ADA, CODE, GRACE, User, asks, pasting, typing, user
from tokentoss import FileStorage, error_codes, texts
from tokentoss.broker import FakeBroker
from tokentoss.cli import main
from tokentoss.cli.terminal import Terminal, column_beside, duration
from tokentoss.oauth import device_authorization
from tokentoss.storage.token_data import iso_time

__all__ = ["asks", "user"]

NOBODY = (
    "Niemand ist angemeldet. Führen Sie `tokentoss sign-in` aus, oder zeigen Sie ein GoogleAuthWidget in "
    "einem Notebook."
)


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "de")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.usefixtures("german")
def test_days_stand_in_the_dative() -> None:
    assert [duration(seconds) for seconds in (59, 7500, 172_800)] == ["59 s", "2 h 5 min", "2 Tagen"]
    assert texts.text("command_line", "codeExpires", left=duration(172_800)) == "Er läuft in 2 Tagen ab."


@pytest.mark.usefixtures("german")
def test_an_app_of_several_people_fits_into_its_sentence() -> None:
    said = error_codes.sentence("login_impossible", texts.text("command_line", "sharedApp"))
    assert said.startswith("login() kann in einer App für mehrere Personen nicht auf eine Anmeldung warten.")


def test_values_stand_in_one_column_whatever_the_colour_of_their_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream = Tty()
    terminal, column = Terminal(stream), column_beside("Client", "Angemeldet")
    terminal.row("Client", "one", column, "bold")
    terminal.row("Angemeldet", "two", column)
    terminal.row("", "three", column)
    lines = re.sub(r"\x1b\[\d*m", "", stream.getvalue()).splitlines()
    assert "\x1b[1mClient\x1b[0m" in stream.getvalue()
    assert lines == ["Client      one", "Angemeldet  two", "            three"]


@pytest.mark.usefixtures("german")
def test_status(
    configured: Path, store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time()
    store("once@example.com", "user-3", created_at=iso_time(now - 259_230), refresh_token="")
    begun_at, expiry = iso_time(now - 90), iso_time(now + 1230)
    store(GRACE, "user-2", id_token="", refresh_token="", created_at=begun_at, expiry=expiry)
    store(created_at=iso_time(now - 7290), id_token_lifetime=1830)
    begun, just_now, long_ago = (
        f"{datetime.fromtimestamp(now - ago).astimezone():%Y-%m-%d %H:%M}" for ago in (7290, 90, 259_230)
    )
    ends = "die Sitzung endet in 21 h 58 min"
    code, out, err = said(capsys, "status")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"Client      {CLIENT_ID} (Desktop, {fake.issuer}/token)",
        f"            {configured}",
        f"Tokens      {FileStorage().path}",
        "",
        f"Angemeldet  {ADA} (Standardkonto)",
        f"            {fake.issuer}",
        f"            seit {begun} (vor 2 h 1 min)",
        f"            ID-Token läuft ab in 30 min, wird dann bei Gebrauch erneuert; {ends}",
        f"Angemeldet  {GRACE}",
        f"            {fake.issuer}",
        f"            seit {just_now} (vor 1 min)",
        "            Access-Token läuft ab in 20 min, dann neu anmelden: Es gibt kein Refresh-Token",
        "Abgelaufen  once@example.com: neu anmelden",
        f"            {fake.issuer}",
        f"            seit {long_ago} (vor 3 Tagen)",
    ]


@pytest.mark.usefixtures("german")
def test_status_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "status")
    assert code == 1
    first, *others = out.splitlines()
    assert first.startswith("Client  ")
    assert "Führen Sie `tokentoss configure FILE` aus" in first
    assert others == [
        f"Tokens      {FileStorage().path}",
        "",
        NOBODY,
    ]


@pytest.mark.usefixtures("german")
def test_accounts_switch_and_sign_out(
    store: Store, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    store("old@example.com", "user-3", created_at=iso_time(time.time() - 30 * 3600))
    store(GRACE, "user-2")
    store()
    path = FileStorage().path
    assert said(capsys, "accounts") == (
        0,
        f"* {ADA}  {fake.issuer}\n  {GRACE}  {fake.issuer}\n  old@example.com  {fake.issuer}  abgelaufen\n",
        "",
    )
    assert said(capsys, "switch", GRACE) == (0, f"{GRACE} ist jetzt das Standardkonto\n", "")
    several = (
        f"Fehler: Mehrere Konten passen: {GRACE}, {ADA}, old@example.com. Wählen Sie eines mit --account.\n"
    )
    assert said(capsys, "sign-out") == (1, "", several)
    assert said(capsys, "sign-out", "--account", GRACE) == (
        0,
        f"{GRACE} ist abgemeldet: Die Tokens sind aus {path} entfernt\n",
        "",
    )
    code, out, _ = said(capsys, "sign-out", "--all", "--revoke")
    assert code == 1
    assert out.splitlines()[0] == f"{ADA} ist abgemeldet: Die Tokens sind aus {path} entfernt"
    assert out.count("\nNicht widerrufen: ") == 2
    assert said(capsys, "sign-out") == (0, "Niemand ist angemeldet.\n", "")


@pytest.mark.usefixtures("german")
def test_sign_in_with_a_code(
    configured: Path, user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device_authorization, "SHORTEST_PAUSE", 0.0)
    user.fake.answers["/device"] = Answer.json(CODE)
    user.fake.answers["/token"] = Answer.json(user.fake.token_response(refresh_token="refresh-9"))
    assert user.run("sign-in", "--provider", user.fake.issuer, "--code") == 0
    assert user.saw == (
        "Öffnen Sie auf einem beliebigen Gerät https://login.example/device und geben Sie diesen Code ein: "
        "WDJB-MJHT\nEr läuft in 9 min ab.\n"
    )
    assert capsys.readouterr().out == (
        f"Angemeldet als {ADA}: Die Tokens sind in {FileStorage().path}, nur für Sie lesbar\n"
    )


@pytest.mark.usefixtures("german")
def test_sign_in_with_a_link(
    configured: Path, user: User, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(GRACE, "user-2")
    asked = pasting(user, monkeypatch, lambda: f"{user.request['redirect_uri']}?{user.grant()}")
    monkeypatch.setattr("tokentoss.cli.terminal_sign_in.webbrowser.open", lambda _address: False)
    assert user.run("sign-in", "--provider", user.fake.issuer) == 0
    assert asked == ["Adresse (wird nicht gezeigt): "]
    # Discovered by its issuer, a provider goes by its host.
    name = "127.0.0.1"
    lines = [line for line in user.saw.splitlines() if not line.startswith("http")]
    assert lines == [
        f"{GRACE} ist schon angemeldet und bleibt es.",
        f"Ihr Browser wird geöffnet, um Sie mit {name} anzumelden…",
        "Wenn sich keiner öffnet, drücken Sie Strg+C und führen Sie `tokentoss sign-in --no-browser` aus.",
        "Es konnte kein Browser geöffnet werden.",
        f"Öffnen Sie diesen Link in einem beliebigen Browser, und melden Sie sich mit {name} an:",
        "",
        "",
        "Die letzte Seite lädt vielleicht nicht. Kopieren Sie die ganze Adresse aus ihrer Adressleiste.",
    ]


@pytest.mark.usefixtures("german")
def test_at_a_broker(
    asks: FakeBroker, user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typing(user, asks, monkeypatch, lambda code: code + "\n")
    assert user.run("sign-in") == 0
    offered = f"{asks.url}/connect/{asks.offered().id}"
    assert user.saw == f"Melden Sie sich auf dieser Seite an: {offered}\nCode, den die Seite zeigt: "
    assert capsys.readouterr().out == f"Angemeldet als {ADA}: Der Broker {asks.url} verwahrt das Konto\n"
    (grant,) = asks.grants
    out = said(capsys, "status")[1]
    assert out.splitlines()[:4] == [
        f"Broker      {asks.url}",
        "",
        f"Angemeldet  {ADA}",
        "            google",
    ]
    assert out.splitlines()[4].startswith("            seit 20")
    asks.end(grant)
    assert said(capsys, "accounts")[1] == f"* {ADA}  google  abgelaufen\n"
    assert f"\nAbgelaufen  {ADA}: neu anmelden\n" in said(capsys, "status")[1]
    assert said(capsys, "sign-out", "--revoke")[1] == (
        f"{ADA} ist abgemeldet: Der Broker {asks.url} verwahrt die Tokens nicht mehr und widerruft sie beim "
        "Anbieter\n"
    )


@pytest.mark.usefixtures("german")
def test_configure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tokentoss.configure("id-before", "s")
    other = tmp_path / "other.json"
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(other))
    monkeypatch.setattr(sys, "stdin", io.StringIO("s\n"))
    assert said(capsys, "configure", "--client-id", "id-after")[1].splitlines() == [
        "Eingerichtet: id-after",
        f"Gespeichert in {tokentoss.get_config_path()}, nur für Sie lesbar.",
        "Der Client ersetzt id-before.",
        f"Hinweis: TOKENTOSS_CLIENT_SECRETS ist gesetzt, deshalb wird stattdessen {other} verwendet.",
    ]

    def interrupt(question: str) -> str:
        assert question == "Client-Secret (wird nicht gezeigt): "
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Tty())
    monkeypatch.setattr(getpass, "getpass", interrupt)
    assert said(capsys, "configure", "--client-id", "id-1") == (130, "", "\nAbgebrochen.\n")


@pytest.mark.usefixtures("german")
def test_a_token_is_printed_alone(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    path = FileStorage().path
    code, out, err = said(capsys, "token")
    assert (code, out) == (3, "")
    assert err == (
        "Fehler: Sie sind nicht angemeldet. Führen Sie `tokentoss sign-in` aus. "
        f"(Gesucht in: {path} (keine Tokens))\n"
    )
    tokens = store()
    assert said(capsys, "token") == (0, tokens.id_token + "\n", "")
    path.chmod(0o644)
    code, out, err = said(capsys, "token", "--access")
    assert (code, out) == (0, "access-user-1\n")
    assert err.startswith("Warnung: ")


@pytest.mark.usefixtures("german")
def test_json_and_help_stay_english(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store()
    in_german = said(capsys, "status", "--json")[1], said(capsys)[1]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(texts.LANGUAGE_VARIABLE, "en")
        assert in_german == (said(capsys, "status", "--json")[1], said(capsys)[1])
