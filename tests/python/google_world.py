"""Fixtures of service accounts, with Google's servers on loopback."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_google import (
    AUDIENCE,
    FakeGoogle,
    iam_path,
)
from fake_provider import Answer, FakeProvider, SigningKey
from google.auth import _exponential_backoff, iam
from google.auth.compute_engine import _metadata
from servers import ports
from tokentoss import (
    ServiceCredentials,
    TokenTossError,
)
from tokentoss.workload import service_credentials

HTML = Answer(200, b"<html>Welcome to the hotel</html>", {"Content-Type": "text/html"})


@pytest.fixture(name="fake")
def fake_fixture(signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    server = FakeGoogle(signing_key)
    monkeypatch.setattr(iam, "_IAM_IDTOKEN_ENDPOINT", server.issuer + iam_path("{}"))
    monkeypatch.setattr(_exponential_backoff, "time", SimpleNamespace(sleep=lambda _: None))
    yield server
    server.close()


@pytest.fixture(name="machine")
def machine_fixture(fake: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    """A machine with a metadata server; google-auth reads its variables when it is imported."""
    place = fake.issuer.removeprefix("http://")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
            patch.setenv(name, place)
        patch.setenv("GCE_METADATA_DETECT_RETRIES", "1")
        importlib.reload(_metadata)
        yield fake
    importlib.reload(_metadata)


@pytest.fixture(name="no_machine")
def no_machine_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
            patch.setenv(name, f"127.0.0.1:{ports.free_port()}")
        patch.setenv("GCE_METADATA_DETECT_RETRIES", "1")
        importlib.reload(_metadata)
        yield
    importlib.reload(_metadata)


@pytest.fixture(name="key")
def key_fixture(fake: FakeGoogle, tmp_path: Path) -> Path:
    return fake.key_file(tmp_path)


def refused(credentials: ServiceCredentials) -> TokenTossError:
    with pytest.raises(TokenTossError) as refusal:
        _ = credentials.id_token
    assert "very-secret" not in str(refusal.value)
    assert str(refusal.value).isprintable()
    return refusal.value


def code_of(*arguments: Any, **named: Any) -> str:
    return refused(ServiceCredentials(*arguments, **named)).code


def answering_401_to(service: FakeProvider, token: str) -> None:
    def answer(form: dict[str, str]) -> Answer:
        headers = {name.lower(): value for name, value in service.requests[-1][2].items()}
        return Answer(401) if headers["authorization"] == f"Bearer {token}" else Answer.json({"ok": True})

    service.answers["/api"] = answer


@pytest.fixture(name="variable")
def variable_fixture(key: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOKENTOSS_SERVICE_CREDENTIALS", str(key))
    monkeypatch.setenv("TOKENTOSS_SERVICE_AUDIENCE", AUDIENCE)
    return key


def later(monkeypatch: pytest.MonkeyPatch, seconds: float, wall: float = 0.0) -> None:
    """Move the monotonic clock of service credentials on, and the other one by ``wall`` seconds."""
    ticks, now = service_credentials.time.monotonic(), service_credentials.time.time()
    clocks = SimpleNamespace(time=lambda: now + wall, monotonic=lambda: ticks + seconds)
    monkeypatch.setattr(service_credentials, "time", clocks)
