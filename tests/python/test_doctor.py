from __future__ import annotations

import json
import os
import socket
import sys
import time
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import tokentoss
from command_steps import Store
from fake_provider import CLIENT_ID, Answer, FakeProvider
from network import resolver
from tokentoss import FileStorage
from tokentoss.broker import FakeBroker
from tokentoss.cli import main
from tokentoss.doctor import Finding, callback, examine, network, versions
from tokentoss.storage.token_data import iso_time

SECRET = "GOCSPX-very-secret"
HOSTS = [name for host in (*callback.HUBS, callback.SSH) for name in host.variables]


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the tests run, it is nowhere in particular."""
    for name in HOSTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(callback, "CONTAINER", callback.Surroundings("container", files=()))


@pytest.fixture
def answering(fake: FakeProvider) -> FakeProvider:
    """A token endpoint that answers as RFC 6749 asks for."""
    fake.answers["/token"] = Answer.json({"error": "invalid_request"}, 400)
    return fake


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokentoss.doctor.examination.network_findings", lambda *_: [])


def findings() -> dict[str, Finding]:
    return {finding.name: finding for section in examine() for finding in section.findings}


def levels(**expected: str) -> None:
    found = findings()
    assert {name: found[name.replace("_", " ")].level for name in expected} == expected


@pytest.mark.usefixtures("configured")
def test_everything_in_order(
    answering: FakeProvider,
    store: Store,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "client.json").chmod(0o600)
    tokens = store()
    code = main(["doctor"])
    out = capsys.readouterr().out
    assert code == 0, out
    assert out.endswith("Everything is in order.\n")
    assert f"{answering.issuer}/token answers" in out
    assert "answers with 1 key (" in out
    assert "agrees with the provider's" in out
    assert "http://127.0.0.1:<any free port>/" in out
    for secret in (SECRET, tokens.access_token, tokens.refresh_token, tokens.id_token):
        assert secret not in out
    ((_, _, _, form),) = [request for request in answering.requests if request[1] == "/token"]
    assert form == {"grant_type": "refresh_token"}, "no credential is sent"


@pytest.mark.usefixtures("configured", "answering")
def test_as_json(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store()
    main(["doctor", "--json"])
    out = capsys.readouterr().out
    report = json.loads(out)
    assert report["ok"] is True
    assert [section["title"] for section in report["sections"]] == [
        "Versions",
        "Files",
        "Client",
        "Network",
        "Callback",
    ]
    named = {one["name"]: one for section in report["sections"] for one in section["findings"]}
    assert named["client ID"]["value"] == CLIENT_ID
    assert named["client secret"]["value"] is True
    assert named["tokentoss"]["value"] == tokentoss.__version__
    assert abs(named["clock"]["value"]) < 30
    assert SECRET not in out


@pytest.mark.usefixtures("no_network")
def test_nothing_is_configured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "XX client " in out
    assert "Run `tokentoss configure FILE`" in out
    assert "1 error, 0 warnings." in out


@pytest.fixture
def asks(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    return broker


def test_a_broker_in_the_place_of_a_client(asks: FakeBroker, capsys: pytest.CaptureFixture[str]) -> None:
    levels(client="note", broker="ok", broker_key="ok", broker_accounts="note")
    asks.connect("google", email="ada@example.com")
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "it answers; 1 connected" in out
    assert "none here: the broker has its own" in out
    assert asks.key not in out
    assert [section.title for section in examine()] == ["Versions", "Files", "Client", "Broker"]


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("TOKENTOSS_BROKER", "http://broker.example", "broker"),
        ("TOKENTOSS_BROKER_KEY", "", "broker key"),
        ("TOKENTOSS_BROKER_KEY", "another-key-that-nobody-knows-here-at-all", "broker accounts"),
    ],
)
def test_a_broker_that_cannot_be_asked(
    asks: FakeBroker, monkeypatch: pytest.MonkeyPatch, name: str, value: str, finding: str
) -> None:
    monkeypatch.setenv(name, value)
    found = findings()
    assert [one.name for one in found.values() if one.level == "error"] == [finding]
    assert "another-key" not in found[finding].shown


@pytest.mark.usefixtures("asks", "configured", "no_network")
def test_a_client_beside_a_broker() -> None:
    """With both a client and a broker, the doctor examines both."""
    titles = [section.title for section in examine()]
    assert titles == ["Versions", "Files", "Client", "Broker", "Network", "Callback"]


@pytest.mark.usefixtures("no_network")
def test_a_client_file_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "client.json"
    path.write_text(f'{{"client_secret": "{SECRET}"}}')
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    section = next(section for section in examine() if section.title == "Client")
    (finding,) = section.findings
    assert finding.level == "error"
    assert "named by TOKENTOSS_CLIENT_SECRETS" in finding.shown
    assert SECRET not in finding.shown


@pytest.mark.usefixtures("no_network")
def test_a_service_account_key_in_place_of_a_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text('{"type": "service_account"}')
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    client = next(section for section in examine() if section.title == "Client").findings[0]
    assert client.level == "error"
    assert "TOKENTOSS_SERVICE_CREDENTIALS" in client.hint
    assert "Desktop" not in client.shown


@pytest.mark.usefixtures("no_network")
def test_permissions() -> None:
    tokentoss.configure("id-1", SECRET)
    levels(client="ok", folder="ok", tokens="note", accounts="note")
    place = tokentoss.get_config_path()
    place.chmod(0o644)
    place.parent.chmod(0o750)
    levels(client="warning", folder="warning")
    found = findings()
    assert "mode 0644, open to others" in found["client"].shown
    assert found["client"].hint == f"Run chmod 600 {place}"
    assert found["folder"].hint == f"Run chmod 700 {place.parent}"


@pytest.mark.usefixtures("no_network")
def test_links_folders_and_broken_files(tmp_path: Path) -> None:
    place = tokentoss.get_config_path()
    place.parent.mkdir(parents=True, mode=0o700)
    (tmp_path / "elsewhere").write_text("{}")
    place.symlink_to(tmp_path / "elsewhere")
    FileStorage().path.mkdir()
    levels(client="error", tokens="error", accounts="error")
    files = next(section for section in examine() if section.title == "Files").findings
    assert "a symbolic link to " in files[0].shown
    assert "not a file" in files[1].shown


@pytest.mark.usefixtures("no_network")
def test_the_own_client_of_iap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The doctor reports an error for a file that holds IAP's own client (F17)."""
    path = tmp_path / "client.json"
    uri = "https://iap.googleapis.com/v1/oauth/clientIds/1-a:handleRedirect"
    path.write_text(
        json.dumps({"web": {"client_id": "1-a", "client_secret": SECRET, "redirect_uris": [uri]}})
    )
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    files = [one for section in examine() if section.title == "Client" for one in section.findings]
    assert [(one.name, one.level) for one in files] == [("client", "error")]
    assert "is IAP's own client, so you can't sign in with it from a notebook" in files[0].shown


@pytest.mark.usefixtures("no_network")
def test_links_that_are_followed(tmp_path: Path, store: Store) -> None:
    """The doctor reports files behind symbolic links, and links that are broken."""
    tokentoss.configure("id-1", SECRET)
    store()
    for path in (tokentoss.get_config_path(), FileStorage().path):
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    levels(accounts="ok")
    files = next(section for section in examine() if section.title == "Files").findings
    assert [finding.level for finding in files[:2]] == ["note", "ok"]
    assert f"a symbolic link to {tmp_path / 'client_secrets.json'}, readable" in files[0].shown
    (tmp_path / "tokens.json").unlink()
    found = findings()["tokens"]
    assert found.shown.endswith(": is a symbolic link to a file that does not exist")


@pytest.mark.usefixtures("no_network")
def test_a_lock_that_cannot_be_taken(store: Store) -> None:
    """doctor reports a lock file that cannot be used, and says what to do (E11)."""
    store()
    assert "lock" not in findings()
    lock = FileStorage().path.with_name("tokens.json.lock")
    lock.unlink()
    lock.symlink_to("elsewhere")
    found = findings()["lock"]
    assert (found.level, found.value) == ("error", str(lock))
    assert found.hint == "Delete it, or ask its owner to: without it nothing is stored."


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(("age_hours", "code"), [(1, 0), (30, 1)])
def test_doctor_and_status_agree(store: Store, age_hours: int, code: int) -> None:
    """doctor and status agree on whether a sign-in has expired (E7)."""
    store(created_at=iso_time(time.time() - age_hours * 3600))
    assert main(["status"]) == code
    found = findings()["accounts"]
    assert (found.level, found.value) == (("ok", 1), ("note", 0))[code]
    assert found.shown.startswith(("1 signed in;", "nobody is signed in, 1 expired;")[code])


@pytest.mark.usefixtures("no_network")
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user() -> None:
    tokentoss.configure("id-1", SECRET)
    os.chown(tokentoss.get_config_path(), 4242, 4242)
    files = next(section for section in examine() if section.title == "Files").findings
    assert "of another user" in files[0].shown


@pytest.mark.usefixtures("no_network")
def test_a_google_client_without_its_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "client.json"
    path.write_text('{"installed": {"client_id": "id-1", "project_id": "project-1"}}')
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    found = findings()
    assert found["client secret"].level == "error"
    assert found["project"].value == "project-1"
    assert found["provider"].value == "https://accounts.google.com"


@pytest.mark.usefixtures("configured")
def test_a_provider_that_cannot_be_told(answering: FakeProvider) -> None:
    found = findings()
    assert found["provider"].level == "error"
    assert found["token endpoint"].level == "ok"
    assert "signing keys" not in found


def closed_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(302, headers={"Location": "http://portal.example/"}), "(HTTP 302)"),
        (Answer(200, b"<html>Welcome to the network"), "(HTTP 200)"),
        (Answer(503, b"{}"), "(HTTP 503)"),
        (Answer(404, b"[]"), "(HTTP 404)"),
    ],
)
def test_something_else_answers(fake: FakeProvider, answer: Answer, words: str) -> None:
    fake.answers |= {"/token": answer, "/keys": answer}
    found = network.network_findings(None, fake.provider())
    assert [finding.level for finding in found[:2]] == ["error", "error"]
    for finding in found[:2]:
        assert words in finding.shown
        assert finding.hint
        assert "Welcome" not in str(finding)


def test_nothing_answers(fake: FakeProvider) -> None:
    nowhere = f"http://127.0.0.1:{closed_port()}"
    provider = fake.provider(token_endpoint=nowhere + "/token", jwks_uri=nowhere + "/keys")
    found = {finding.name: finding for finding in network.network_findings(None, provider)}
    assert found["token endpoint"].shown == f"{nowhere}/token cannot be reached (connection refused)"
    assert found["signing keys"].level == "error"
    assert found["clock"].level == "note"


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (0, "ok", "agrees"),
        (20, "ok", "20 s ahead of"),
        (-45, "warning", "45 s behind"),
        (500, "error", "500 s ahead of"),
        (-86_400, "error", "86400 s behind"),
    ],
)
def test_the_clock(monkeypatch: pytest.MonkeyPatch, ahead: int, level: str, words: str) -> None:
    """The clock's offset is computed as if the server's Date were half a second later."""
    now = 1_800_000_000.5

    def answer(*_: Any, **__: Any) -> network.Answer:
        headers = {"Date": formatdate(int(now) - ahead, usegmt=True)}
        return network.Answer(400, headers, b'{"error": "invalid_request"}')

    monkeypatch.setattr(network, "call", answer)
    monkeypatch.setattr(network, "time", FixedTime(now))
    (*_, clock) = network.network_findings(None, tokentoss.GOOGLE)
    assert clock.level == level
    assert words in clock.shown
    assert clock.value == pytest.approx(ahead, abs=0.05)


class FixedTime:
    def __init__(self, now: float) -> None:
        self.now = now

    def time(self) -> float:
        return self.now


@pytest.mark.parametrize("date", [None, "yesterday", ""])
def test_a_server_that_does_not_tell_the_time(monkeypatch: pytest.MonkeyPatch, date: str | None) -> None:
    headers = {} if date is None else {"Date": date}
    monkeypatch.setattr(network, "call", lambda *_, **__: network.Answer(500, headers, b""))
    (*_, clock) = network.network_findings(None, tokentoss.GOOGLE)
    assert (clock.level, clock.value) == ("note", None)


def reach(monkeypatch: pytest.MonkeyPatch, *uris: str, **environment: str) -> Finding:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client_type = "web" if uris else "installed"
    config = tokentoss.ClientConfig("id-1", client_type=client_type, redirect_uris=list(uris))
    found = {finding.name: finding for finding in callback.callback_findings(config, tokentoss.GOOGLE)}
    return found["surroundings"]


def test_a_local_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reach(monkeypatch).level == "ok"


@pytest.mark.parametrize(
    ("name", "host"), [(name, hub.name) for hub in callback.HUBS for name in hub.variables]
)
def test_a_host_whose_browser_is_elsewhere(monkeypatch: pytest.MonkeyPatch, name: str, host: str) -> None:
    found = reach(monkeypatch, **{name: "x"})
    assert (found.value, found.level) == (host, "warning")


def test_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reach(monkeypatch, SSH_CONNECTION="10.0.0.1 1 10.0.0.2 22")
    assert found.value == "SSH"
    assert "redirect_ports=[PORT]" in found.hint
    assert "ssh -L PORT:127.0.0.1:PORT" in found.hint
    found = reach(monkeypatch, "http://127.0.0.1:8123/", SSH_TTY="/dev/pts/1")
    assert found.hint.endswith("forward the port to it: ssh -L 8123:127.0.0.1:8123 THIS_HOST")


def test_a_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(callback, "CONTAINER", callback.Surroundings("container", files=(str(tmp_path),)))
    found = reach(monkeypatch)
    assert (found.value, found.level) == ("container", "warning")
    assert "--network=host" in found.hint


def test_a_port_that_is_taken() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        config = tokentoss.ClientConfig("id-1", client_type="web", redirect_uris=[uri])
        found = {finding.name: finding for finding in callback.callback_findings(config, tokentoss.GOOGLE)}
    assert found["callback"].shown == f"loopback, {uri}"
    assert found["listener"].level == "warning"


def test_a_web_client_without_a_loopback_redirect() -> None:
    config = tokentoss.ClientConfig("id-1", client_type="web", redirect_uris=["https://hub.example/cb"])
    (finding,) = callback.callback_findings(config, tokentoss.GOOGLE)
    assert (finding.value, finding.level) == ("callback_page", "ok")
    assert "https://hub.example/cb" in finding.shown


def test_a_web_client_without_any_address() -> None:
    config = tokentoss.ClientConfig("id-1", client_type="web", redirect_uris=["http://192.0.2.1/cb"])
    (finding,) = callback.callback_findings(config, tokentoss.GOOGLE)
    assert finding.level == "error"
    assert "Desktop app" in finding.shown


def test_the_way_after_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    def ways() -> dict[str, Finding]:
        config = tokentoss.ClientConfig("id-1")
        return {one.name: one for one in callback.callback_findings(config, tokentoss.GOOGLE)}

    assert [ways()[name].value for name in ("callback", "otherwise")] == ["loopback", "paste"]
    monkeypatch.setenv("TOKENTOSS_REDIRECT_URI", "https://hub.example/tokentoss/callback")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    found = ways()
    assert [found[name].value for name in ("callback", "otherwise")] == ["loopback", "callback_page"]
    assert (found["surroundings"].value, found["surroundings"].level) == ("JupyterHub", "ok")


def test_a_python_that_cannot_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    (finding,) = callback.callback_findings(tokentoss.ClientConfig("id-1"), tokentoss.GOOGLE)
    assert (finding.value, finding.level) == ("paste", "warning")
    monkeypatch.setenv("TOKENTOSS_REDIRECT_URI", "https://web.example/tokentoss/callback")
    (finding,) = callback.callback_findings(tokentoss.ClientConfig("id-1"), tokentoss.GOOGLE)
    assert (finding.value, finding.level) == ("callback_page", "ok")


def test_a_dependency_and_the_front_end_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(versions, "NEEDED", ("no-such-distribution",))
    monkeypatch.setattr(versions, "_FRONT_END", ("no-such-file.js",))
    found = {finding.name: finding for finding in versions.version_findings()}
    assert (found["no-such-distribution"].level, found["front end"].level) == ("error", "error")
    assert "npm run build" in found["front end"].hint


@pytest.mark.usefixtures("no_network")
def test_nothing_is_changed(store: Store) -> None:
    def seen() -> dict[str, tuple[int, int]]:
        paths = Path(os.environ["HOME"]).rglob("*")
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_mode) for path in paths}

    tokentoss.configure("id-1", SECRET)
    store()
    tokentoss.get_config_path().parent.chmod(0o755)
    before = seen()
    assert len(before) >= 3
    examine()
    assert seen() == before


@pytest.mark.parametrize(
    ("variable", "value", "name", "code"),
    [
        ("SSL_CERT_FILE", "/no/such.pem", "certificates", "certificates_unreadable"),
        ("HTTPS_PROXY", "ftp://ada:pass-1@proxy.example", "proxy", "proxy_invalid"),
        ("HTTPS_PROXY", "http://ada:pass-1@127.0.0.1:1", "token endpoint", "proxy_unreachable"),
        ("NO_PROXY", "*", "token endpoint", "host_unknown"),
    ],
)
def test_what_is_in_the_way_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, name: str, code: str
) -> None:
    """doctor names the faulty network variable and a next step, without passwords (F2, F3)."""
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("socket.getaddrinfo", resolver({}))
    findings = {one.name: one for one in network.network_findings(None, tokentoss.GOOGLE)}
    found = findings[name]
    assert (found.value, found.level) == (code, "error")
    assert variable == "NO_PROXY" or variable in found.shown
    assert found.hint
    assert "pass-1" not in str(findings)
