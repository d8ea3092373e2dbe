"""Trust 11: whose ID tokens a client sends where several providers have signed somebody in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import tokentoss
from fake_provider import Answer, FakeProvider
from test_adapters import authorizations
from test_auth_manager import response, stored
from tokentoss import (
    AuthManager,
    ClientConfig,
    ConfigurationError,
    FileStorage,
    IAPClient,
    MemoryStorage,
    NoCredentialsError,
)
from tokentoss.clients import token_file, token_source
from tokentoss.storage.token_data import TokenData


@pytest.fixture
def google(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The provider that stands for Google."""
    for module in (token_source, token_file):
        monkeypatch.setattr(module, "GOOGLE", fake.provider())
    return fake


def sign_in(at: FakeProvider, **claims: Any) -> AuthManager:
    provider = at.provider()
    config = ClientConfig(
        "client.example",
        "secret-1",
        auth_uri=provider.authorization_endpoint,
        token_uri=provider.token_endpoint,
    )
    manager = AuthManager(config, provider=provider, storage=MemoryStorage())
    manager.accept(response(at, id_token=at.id_token(**({"nonce": "n"} | claims))), nonce="n")
    return manager


def used(service: FakeProvider, client: IAPClient) -> str:
    client.get("/api")
    return str(authorizations(service)[-1]).removeprefix("Bearer ")


@pytest.mark.parametrize("google_first", [True, False])
def test_googles_sign_in_comes_first(
    google: FakeProvider, other: FakeProvider, service: FakeProvider, google_first: bool
) -> None:
    """Whichever was the latest; any other's only where there is none of Google's."""
    order: list[Callable[[], AuthManager]] = [lambda: sign_in(google), lambda: sign_in(other)]
    made = [make() for make in (order if google_first else order[::-1])]
    of_google, of_other = made if google_first else made[::-1]
    assert used(service, IAPClient(service.issuer)) == of_google.id_token
    assert used(service, IAPClient(service.issuer, provider=other.provider())) == of_other.id_token
    client = IAPClient(service.issuer)
    client.get("/api")
    of_google.sign_out()
    before = len(service.requests)
    with pytest.raises(NoCredentialsError):
        client.get("/api")
    with pytest.raises(NoCredentialsError):
        IAPClient(service.issuer, provider=google.provider()).get("/api")
    assert len(service.requests) == before


def test_another_provider_serves_who_has_no_google(
    google: FakeProvider, other: FakeProvider, service: FakeProvider
) -> None:
    manager = sign_in(other)
    assert used(service, IAPClient(service.issuer)) == manager.id_token


def test_a_refused_token_is_renewed_at_its_own_provider(
    google: FakeProvider, other: FakeProvider, service: FakeProvider
) -> None:
    of_google, of_other = sign_in(google), sign_in(other)
    newer = other.id_token(jti="newer")
    other.answers["/token"] = Answer.json(other.token_response(id_token=newer))
    service.answers["/api"] = lambda _: Answer(
        200 if authorizations(service)[-1] == f"Bearer {newer}" else 401
    )
    client = IAPClient(service.issuer, provider=other.provider())
    assert client.get("/api").status_code == 200
    assert of_other.id_token == newer
    assert google.calls("/token") == 0
    assert f"Bearer {of_google.id_token}" not in authorizations(service)


def in_file(at: FakeProvider) -> TokenData:
    tokens = stored(at)
    return dataclasses.replace(
        tokens, issuer=at.issuer, subject="user-1", token_endpoint=f"{at.issuer}/token"
    )


def test_the_token_file(google: FakeProvider, other: FakeProvider, service: FakeProvider) -> None:
    of_google, of_other = in_file(google), in_file(other)
    for tokens in (of_google, of_other):
        FileStorage().save(tokens)
    assert used(service, IAPClient(service.issuer)) == of_google.id_token
    assert used(service, IAPClient(service.issuer, provider=other.provider())) == of_other.id_token
    FileStorage().remove(of_other)
    with pytest.raises(NoCredentialsError):
        IAPClient(service.issuer, provider=other.provider()).get("/api")


def test_credentials_set_by_hand(google: FakeProvider, other: FakeProvider, service: FakeProvider) -> None:
    """They are the user's choice, except where a provider is named that they are not of."""
    sign_in(google)
    manager = sign_in(other)
    tokentoss.CREDENTIALS = manager.credentials
    assert used(service, IAPClient(service.issuer)) == manager.id_token
    with pytest.raises(NoCredentialsError):
        IAPClient(service.issuer, provider=google.provider()).get("/api")


def test_a_manager_of_another_provider(google: FakeProvider, other: FakeProvider) -> None:
    manager = sign_in(other)
    with pytest.raises(ConfigurationError, match="another provider"):
        IAPClient("https://service.example", manager, provider=google.provider())
    assert IAPClient("https://service.example", manager, provider=other.provider()) is not None
