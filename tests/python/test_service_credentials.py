"""Service accounts: kinds of credentials, threads and renewal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_google import (
    ACCOUNT,
    AUDIENCE,
    METADATA,
    TARGET,
    FakeGoogle,
    iam_path,
    impersonation_url,
    written,
)
from fake_provider import Answer, FakeProvider, SigningKey
from google.oauth2 import credentials as user_credentials
from google_world import answering_401_to, fake_fixture, key_fixture, later, machine_fixture, refused  # noqa: F401 - fixtures
from tokentoss import (
    IAPClient,
    ServiceCredentials,
)
from tokentoss.workload import service_credentials

# The kinds of credentials


def test_a_key(fake: FakeGoogle, key: Path, service: FakeProvider) -> None:
    client = IAPClient(service.issuer, credentials=ServiceCredentials(key, AUDIENCE))
    assert client.get_json("/api") == {"ok": True}
    assert client.get_json("/api") == {"ok": True}
    assert fake.calls("/token") == 1
    assert fake.assertions[0]["iss"] == ACCOUNT
    sent = [headers["Authorization"] for _, _, headers, _ in service.requests]
    assert sent == [f"Bearer {fake.minted[0]}"] * 2


def test_federation(fake: FakeGoogle, tmp_path: Path) -> None:
    """The federated token requests the ID token of the account that the file names."""
    credentials = ServiceCredentials(fake.federation_file(tmp_path), AUDIENCE)
    assert credentials.id_token == fake.minted[0]
    assert [form["subject_token"] for _, path, _, form in fake.requests if path == "/sts"] == ["subject-1"]
    assert fake.sent(iam_path()) == ["Bearer federated-1"]


def test_federation_by_an_address(fake: FakeGoogle, tmp_path: Path) -> None:
    fake.answers["/subject"] = Answer.json({"value": "subject-2"})
    source = {
        "url": fake.issuer + "/subject",
        "format": {"type": "json", "subject_token_field_name": "value"},
    }
    path = fake.federation_file(tmp_path, credential_source=source, service_account_impersonation_url=None)
    assert ServiceCredentials(path, AUDIENCE, impersonate=TARGET).id_token == fake.minted[0]
    assert [form["subject_token"] for _, path, _, form in fake.requests if path == "/sts"] == ["subject-2"]


def test_a_key_that_impersonates(fake: FakeGoogle, key: Path) -> None:
    assert ServiceCredentials(key, AUDIENCE, impersonate=TARGET).id_token == fake.minted[0]
    assert fake.sent(iam_path()) == ["Bearer robot-1"]


@pytest.mark.parametrize("kind", ["service_account", "authorized_user"])
def test_a_file_that_impersonates(
    fake: FakeGoogle, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(user_credentials, "_GOOGLE_OAUTH2_TOKEN_ENDPOINT", fake.issuer + "/token")
    if kind == "service_account":
        source = json.loads(key.read_text())
    else:
        source = {"type": kind, "client_id": "c", "client_secret": "s", "refresh_token": "r"}
        fake.answers["/token"] = Answer.json({"access_token": "robot-1", "expires_in": 3600})
    content = {"type": "impersonated_service_account", "source_credentials": source}
    path = written(
        tmp_path / "it.json", content | {"service_account_impersonation_url": impersonation_url(TARGET)}
    )
    assert ServiceCredentials(path, AUDIENCE).id_token == fake.minted[0]
    assert fake.sent(iam_path()) == ["Bearer robot-1"]


def test_the_machine(machine: FakeGoogle) -> None:
    credentials = ServiceCredentials("default", AUDIENCE)
    assert credentials.id_token == machine.minted[0]
    assert machine.calls(METADATA + "identity") == 1
    assert ServiceCredentials("default", AUDIENCE, impersonate=TARGET).id_token == machine.minted[1]
    assert machine.sent(iam_path()) == ["Bearer machine-1"]


@pytest.mark.parametrize("kind", ["key", "federation"])
def test_the_variable_of_google(
    fake: FakeGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = fake.key_file(tmp_path) if kind == "key" else fake.federation_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    assert ServiceCredentials("default", AUDIENCE).id_token == fake.minted[0]
    path.unlink()
    failure = refused(ServiceCredentials("default", AUDIENCE))
    assert failure.code == "credentials_file_missing"
    assert f"{path} (named by GOOGLE_APPLICATION_CREDENTIALS)" in str(failure)


def test_in_a_process_of_its_own(fake: FakeGoogle, service: FakeProvider) -> None:
    """A new process with only environment variables set calls the service."""
    code = f"import tokentoss; print(tokentoss.IAPClient({service.issuer!r}).get_json('/api'))"
    place = fake.issuer.removeprefix("http://")
    named = {
        "TOKENTOSS_SERVICE_CREDENTIALS": "default",
        "TOKENTOSS_SERVICE_AUDIENCE": AUDIENCE,
        "GCE_METADATA_HOST": place,
        "GCE_METADATA_IP": place,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | named,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.returncode) == ("{'ok': True}\n", 0), done.stderr


# Caching, threads and renewal


def test_many_threads_make_one_request(fake: FakeGoogle, key: Path) -> None:
    credentials = ServiceCredentials(key, AUDIENCE)
    start = threading.Barrier(16)

    def use(_: int) -> str:
        start.wait(20)
        return credentials.id_token

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(use, range(16))) == {fake.minted[0]}
    assert fake.calls("/token") == 1


def test_many_threads_share_a_failure(fake: FakeGoogle, key: Path) -> None:
    """Threads that wait for a failing attempt share its failure."""
    go, waiting = threading.Event(), threading.Barrier(9)
    fake.answers["/token"] = Answer(400, b'{"error": "invalid_grant"}', before=lambda: go.wait(20))
    credentials = ServiceCredentials(key, AUDIENCE)

    def use(_: int) -> str:
        waiting.wait(20)
        return refused(credentials).code

    with ThreadPoolExecutor(8) as pool:
        codes = pool.map(use, range(8))
        waiting.wait(20)
        go.set()
        assert set(codes) == {"minting_key_refused"}
    assert fake.calls("/token") < 8


@pytest.mark.parametrize(("lifetime", "asked"), [(3600, 1), (200, 2)])
def test_renewal_before_the_end(
    fake: FakeGoogle, key: Path, monkeypatch: pytest.MonkeyPatch, lifetime: int, asked: int
) -> None:
    fake.lifetime = lifetime
    credentials = ServiceCredentials(key, AUDIENCE)
    first = credentials.id_token
    later(monkeypatch, 110, wall=110)
    assert (credentials.id_token == first) == (asked == 1)
    assert fake.calls("/token") == asked


def test_a_clock_that_is_set_back_keeps_no_old_token(
    fake: FakeGoogle, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = ServiceCredentials(key, AUDIENCE)
    first = credentials.id_token
    later(monkeypatch, 3400, wall=-86_400)
    assert credentials.id_token != first


def test_a_valid_token_is_used_while_google_is_down(
    fake: FakeGoogle, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = ServiceCredentials(key, AUDIENCE)
    first = credentials.id_token
    fake.answers["/token"] = Answer(503)
    now = service_credentials.time.time()
    clocks = SimpleNamespace(time=lambda: now + 3500, monotonic=service_credentials.time.monotonic)
    monkeypatch.setattr(service_credentials, "time", clocks)
    asked = fake.calls("/token")
    assert credentials.id_token == first
    tried = fake.calls("/token")
    assert tried > asked
    assert credentials.id_token == first
    assert fake.calls("/token") == tried, "it does not ask at every call"
    clocks.time = lambda: now + 3700
    assert refused(credentials).code == "minting_unavailable"


def test_a_401_renews_once(
    fake: FakeGoogle, key: Path, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = ServiceCredentials(key, AUDIENCE)
    client = IAPClient(service.issuer, credentials=credentials)
    answering_401_to(service, credentials.id_token)
    assert client.get("/api").status_code == 401, "a token that was just asked for is not renewed"
    later(monkeypatch, 60)
    assert client.get_json("/api") == {"ok": True}
    assert fake.calls("/token") == 2
    service.answers["/api"] = Answer(401)
    assert client.get("/api").status_code == 401
    assert fake.calls("/token") == 2


def test_many_threads_share_what_follows_a_401(
    fake: FakeGoogle, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = ServiceCredentials(key, AUDIENCE)
    first = credentials.id_token
    later(monkeypatch, 60)
    start = threading.Barrier(8)

    def renew(_: int) -> str | None:
        start.wait(20)
        return credentials.id_token_after(first)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(renew, range(8))) == {fake.minted[1]}
    assert fake.calls("/token") == 2


def test_the_metadata_server_keeps_its_token(
    machine: FakeGoogle, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the metadata server returns the same token, the call is not repeated."""
    credentials = ServiceCredentials("default", AUDIENCE)
    client = IAPClient(service.issuer, credentials=credentials)
    kept = credentials.id_token
    machine.answers[METADATA + "identity"] = Answer(200, kept.encode())
    later(monkeypatch, 60)
    service.answers["/api"] = Answer(401)
    assert client.get("/api").status_code == 401
    assert len(service.requests) == 1


def test_a_file_that_is_replaced(fake: FakeGoogle, key: Path, signing_key: SigningKey) -> None:
    credentials = ServiceCredentials(key, AUDIENCE)
    content = key.read_text()
    key.unlink()
    assert refused(credentials).code == "credentials_file_missing"
    key.write_text(content)
    assert credentials.id_token == fake.minted[0]
