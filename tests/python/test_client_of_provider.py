"""The ID token that a client sends if people are signed in at several providers (Trust 11)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import tokentoss
from fake_provider import Answer, FakeProvider
from test_adapters import authorizations
from test_auth_manager import response, stored
from tokentoss import (
    BOX,
    GOOGLE,
    APIClient,
    AuthManager,
    ClientConfig,
    ConfigurationError,
    FileStorage,
    IAPClient,
    MemoryStorage,
    NoCredentialsError,
)
from tokentoss.clients import wanted_provider
from tokentoss.storage.token_data import TokenData


@pytest.fixture
def google(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The provider that stands for Google."""
    monkeypatch.setattr(wanted_provider, "GOOGLE", fake.provider())
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
def test_googles_sign_in_is_the_one(
    google: FakeProvider, other: FakeProvider, service: FakeProvider, google_first: bool
) -> None:
    """Without ``provider=``, Google's sign-in is used, whichever was the latest."""
    order: list[Callable[[], AuthManager]] = [lambda: sign_in(google), lambda: sign_in(other)]
    made = [make() for make in (order if google_first else order[::-1])]
    of_google, of_other = made if google_first else made[::-1]
    assert used(service, IAPClient(service.issuer)) == of_google.id_token
    assert used(service, IAPClient(service.issuer, provider=other.provider())) == of_other.id_token
    client = IAPClient(service.issuer)
    client.get("/api")
    of_google.sign_out()
    before = len(service.requests)
    with pytest.raises(NoCredentialsError) as ended:
        client.get("/api")
    assert ended.value.code == "client_session_ended"
    with pytest.raises(NoCredentialsError):
        IAPClient(service.issuer, provider=google.provider()).get("/api")
    assert len(service.requests) == before


@pytest.mark.parametrize("where", ["process", "by hand", "file"])
def test_another_provider_is_named_or_not_used(
    google: FakeProvider, other: FakeProvider, service: FakeProvider, where: str
) -> None:
    """Without Google's sign-in, the error lists the others and names ``provider=``."""
    manager = sign_in(other)
    who = "ada@example.com"
    if where == "by hand":
        tokentoss.CREDENTIALS, who = SimpleNamespace(id_token=manager.id_token), "tokentoss.CREDENTIALS"
    token = manager.id_token
    if where == "file":
        kept = in_file(other)
        FileStorage().save(kept)
        token = kept.id_token
    if where != "process":
        manager.sign_out()
    for client in (IAPClient(service.issuer), IAPClient(service.issuer, provider=google.issuer)):
        with pytest.raises(NoCredentialsError) as refusal:
            client.get("/api")
        assert refusal.value.code == "signed_in_elsewhere"
        sentence = str(refusal.value)
        assert f"{who} at {other.issuer}" in sentence
        assert "provider=" in sentence
        assert str(token) not in sentence
    assert service.requests == []
    for said in (other.provider(), other.issuer):
        assert used(service, IAPClient(service.issuer, provider=said)) == token


def test_many_sign_ins_of_others_are_counted(google: FakeProvider, other: FakeProvider) -> None:
    for number in range(7):
        FileStorage().save(dataclasses.replace(in_file(other), subject=f"user-{number}", user_email=None))
    with pytest.raises(NoCredentialsError, match=", 2 more; looked at: "):
        IAPClient("http://127.0.0.1:9").get("/api")


def test_an_api_client_says_who_is_signed_in_elsewhere(
    google: FakeProvider, other: FakeProvider, service: FakeProvider
) -> None:
    manager = sign_in(other)
    with pytest.raises(NoCredentialsError) as refusal:
        APIClient(service.issuer, provider=google.issuer).get("/api")
    assert refusal.value.code == "signed_in_elsewhere"
    assert f"ada@example.com at {other.issuer}" in str(refusal.value)
    APIClient(service.issuer, provider=other.issuer).get("/api")
    assert authorizations(service) == [f"Bearer {manager.access_token}"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("no-such-provider", "provider_unknown"),
        ("keycloak", "provider_parameter_invalid"),
        ("http://login.example.com", "endpoint_insecure"),
        ("https://login.example.com/#x", "endpoint_insecure"),
        ("", "provider_unknown"),
    ],
)
@pytest.mark.parametrize("client", [IAPClient, APIClient])
def test_a_provider_that_cannot_be_meant(client: Callable[..., Any], said: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        client("https://service.example", provider=said)
    assert refusal.value.code == code


def test_a_provider_without_id_tokens() -> None:
    for said in ("box", BOX, BOX.issuer):
        with pytest.raises(ConfigurationError) as refusal:
            IAPClient("https://service.example", provider=said)
        assert refusal.value.code == "provider_without_id_tokens"


def test_names_and_issuers_of_the_package() -> None:
    """Known names and issuers are resolved to their providers without a request."""
    for said in (None, "google", "https://accounts.google.com", GOOGLE):
        assert wanted_provider.WantedProvider.of(said).resolved() == GOOGLE
    assert wanted_provider.WantedProvider.of("box").resolved() == BOX
    unknown = wanted_provider.WantedProvider.of("https://login.example.com/realms/one")
    assert (unknown.issuer, unknown.known) == ("https://login.example.com/realms/one", None)


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
    """CREDENTIALS set by hand are used only by clients of their provider."""
    sign_in(google)
    manager = sign_in(other)
    tokentoss.CREDENTIALS = manager.credentials
    assert used(service, IAPClient(service.issuer, provider=other.issuer)) == manager.id_token
    for said in (None, google.provider()):
        with pytest.raises(NoCredentialsError) as refusal:
            IAPClient(service.issuer, provider=said).get("/api")
        assert refusal.value.code == "signed_in_elsewhere"


def test_a_manager_of_another_provider(google: FakeProvider, other: FakeProvider) -> None:
    manager = sign_in(other)
    with pytest.raises(ConfigurationError, match="isn't for"):
        IAPClient("https://service.example", manager, provider=google.provider())
    assert IAPClient("https://service.example", manager, provider=other.provider()) is not None
