"""What tests of commands start from: stored accounts, a configured client, a terminal."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_provider import CLIENT_ID, FakeProvider
from tokentoss import FileStorage, TokenData
from tokentoss.storage.token_data import iso_time

SECRET = "GOCSPX-very-secret"
Store = Callable[..., TokenData]


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def store(fake: FakeProvider) -> Store:
    def store(email: str = "ada@example.com", subject: str = "user-1", **members: Any) -> TokenData:
        named: dict[str, Any] = {
            "expiry": iso_time(time.time() + 3600),
            "created_at": iso_time(time.time()),
            "issuer": fake.issuer,
            "subject": subject,
            "client_id": CLIENT_ID,
            "token_endpoint": fake.issuer + "/token",
            "user_email": email,
            "scopes": ["openid"],
            "refresh_token": f"refresh-{subject}",
            "access_token": f"access-{subject}",
        }
        expires_at = int(time.time() + members.pop("id_token_lifetime", 3600))
        id_token = fake.id_token(sub=subject, email=email, exp=expires_at)
        tokens = TokenData(**(named | {"id_token": id_token} | members))
        FileStorage().save(tokens)
        return tokens

    return store


@pytest.fixture
def configured(fake: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "client.json"
    section = {
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "auth_uri": fake.issuer + "/auth",
        "token_uri": fake.issuer + "/token",
    }
    path.write_text(json.dumps({"installed": section}))
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    return path
