"""How the client sends its secret (RFC 6749 section 2.3.1), in every request that Python makes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from fake_provider import CLIENT_ID, Answer, FakeProvider
from tokentoss import AuthManager, ClientConfig, ConfigurationError, Provider, TokenRefreshError
from tokentoss.oauth.authorization_code import nonce_of
from tokentoss.oauth.pkce import code_challenge
from tokentoss.oauth.token_response import TokenResponse

Make = Callable[..., AuthManager]

SECRET = "s3:cr t+/%é"
VERIFIER = "v" * 43


@pytest.fixture
def make(make_manager: Make, fake: FakeProvider) -> Make:
    def signed_in(method: str) -> AuthManager:
        provider = fake.provider(
            token_endpoint_auth_method=method, revocation_endpoint=fake.issuer + "/revoke"
        )
        manager = make_manager(provider=provider, client_config=ClientConfig(CLIENT_ID, SECRET))
        id_token = fake.id_token(nonce="n")
        manager.accept(TokenResponse("access-1", id_token, "refresh-1", 3600.0, None), nonce="n")
        return manager

    return signed_in


def everything(manager: AuthManager, fake: FakeProvider) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Exchange, renew and revoke; return header and form of each request."""
    nonce = nonce_of(code_challenge(VERIFIER))
    fake.answers["/token"] = lambda form: Answer.json(
        fake.token_response(id_token=fake.id_token(nonce=nonce), refresh_token="refresh-2")
    )
    fake.answers["/revoke"] = Answer(200)
    manager.exchange_code("the-code", VERIFIER)
    manager.refresh_tokens()
    assert manager.sign_out(revoke=True).revoked
    sent = [(headers, form) for method, _, headers, form in fake.requests if method == "POST"]
    assert len(sent) == 3
    return sent


def test_client_secret_basic(make: Make, fake: FakeProvider) -> None:
    for headers, form in everything(make("client_secret_basic"), fake):
        scheme, _, pair = headers["Authorization"].partition(" ")
        assert scheme == "Basic"
        assert base64.b64decode(pair).decode() == f"{CLIENT_ID}:s3%3Acr+t%2B%2F%25%C3%A9"
        assert not {"client_id", "client_secret"} & set(form), "never in two ways at once"


def test_client_secret_post(make: Make, fake: FakeProvider) -> None:
    for headers, form in everything(make("client_secret_post"), fake):
        assert "Authorization" not in headers
        assert (form["client_id"], form["client_secret"]) == (CLIENT_ID, SECRET)


def test_none(make: Make, fake: FakeProvider) -> None:
    for headers, form in everything(make("none"), fake):
        assert "Authorization" not in headers
        assert form["client_id"] == CLIENT_ID
        assert "client_secret" not in form


def test_a_client_without_a_secret(make_manager: Make, fake: FakeProvider) -> None:
    provider = fake.provider(token_endpoint_auth_method="client_secret_basic")
    manager = make_manager(provider=provider, client_config=ClientConfig(CLIENT_ID, ""))
    manager.accept(TokenResponse("a", fake.id_token(nonce="n"), "r", 3600.0, None), nonce="n")
    fake.answers["/token"] = Answer.json(fake.token_response())
    manager.refresh_tokens()
    _, _, headers, form = fake.requests[-1]
    assert "Authorization" not in headers
    assert form["client_id"] == CLIENT_ID


def test_an_echoed_secret_is_not_repeated(make: Make, fake: FakeProvider) -> None:
    """A client secret that the provider echoes is not in the error's message (C72)."""
    manager = make("client_secret_basic")
    manager._renewal._client.basic = (CLIENT_ID, "hunter2-secret")
    fake.answers["/token"] = Answer.json({"error": "hunter2-secret"}, 400)
    with pytest.raises(TokenRefreshError) as refusal:
        manager.refresh_tokens()
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("supported", "method"),
    [
        (None, "client_secret_post"),
        (["client_secret_basic", "client_secret_post"], "client_secret_post"),
        (["client_secret_basic", "private_key_jwt"], "client_secret_basic"),
    ],
)
def test_the_method_comes_from_discovery(fake: FakeProvider, supported: Any, method: str) -> None:
    metadata = fake.metadata(token_endpoint_auth_methods_supported=supported)
    fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
    assert Provider.discover(fake.issuer).token_endpoint_auth_method == method


def test_unknown_methods_are_refused(fake: FakeProvider) -> None:
    with pytest.raises(ConfigurationError, match="token_endpoint_auth_method"):
        fake.provider(token_endpoint_auth_method="private_key_jwt")


def test_the_ticket_says_how(make_manager: Make, fake: FakeProvider) -> None:
    from tokentoss import AuthWidget  # noqa: PLC0415

    manager = make_manager(provider=fake.provider(token_endpoint_auth_method="client_secret_basic"))
    widget = AuthWidget(auth_manager=manager)
    assert widget.ticket["provider"]["token_endpoint_auth_method"] == "client_secret_basic"
    widget.close()
