"""A client's identifier and secret are sent to its own provider only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_provider import FakeProvider
from tokentoss import (
    AuthManager,
    AuthWidget,
    ClientConfig,
    ConfigurationError,
    MemoryStorage,
    Provider,
    configure,
)
from tokentoss.config.client_provider import require_client_of

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "client_provider.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_shared_rule(vector: dict[str, Any]) -> None:
    """A client file is accepted or refused for a provider as the shared vectors say (rule 8)."""

    def check() -> None:
        named = {name: value for name, value in vector["client"].items() if value is not None}
        members = dict(vector["provider"])
        provider = Provider("a provider", **members, jwks_uri=members["issuer"] + "/keys")
        require_client_of(ClientConfig(**named), provider)

    if vector["error"] is None:
        check()
        return
    with pytest.raises(ConfigurationError) as refusal:
        check()
    assert refusal.value.code == vector["error"]


def test_a_configured_client_goes_to_no_other_provider(fake: FakeProvider) -> None:
    """Google's configured client is refused for another provider, without a request."""
    configure("id-1", "GOCSPX-very-secret")
    for use in (AuthManager, AuthWidget):
        with pytest.raises(ConfigurationError) as refusal:
            use(provider=fake.provider())
        assert refusal.value.code == "client_of_another_provider"
        assert f"client_secrets.json ({fake.issuer})" in str(refusal.value)
    assert fake.requests == []


def test_a_file_without_endpoints_is_googles(tmp_path: Path, fake: FakeProvider) -> None:
    """A client file without endpoints is used for Google only."""
    path = tmp_path / "client.json"
    path.write_text('{"installed": {"client_id": "id-1"}}')
    with pytest.raises(ConfigurationError) as refusal:
        AuthManager(client_secrets_path=path, provider=fake.provider(), storage=MemoryStorage())
    assert refusal.value.code == "client_of_another_provider"
    assert AuthManager(client_secrets_path=path, storage=MemoryStorage()).provider.name == "Google"


def test_metadata_on_this_computer_of_an_issuer_elsewhere(fake: FakeProvider) -> None:
    """A remote issuer with any endpoint on loopback is refused."""
    with pytest.raises(ConfigurationError) as refusal:
        Provider(
            "x",
            "https://sso.example",
            "https://sso.example/a",
            "https://sso.example/t",
            jwks_uri="https://sso.example/k",
            revocation_endpoint=fake.issuer + "/revoke",
        )
    assert refusal.value.code == "endpoint_on_loopback"
