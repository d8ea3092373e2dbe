"""Sign-ins without ID tokens: the provider's identity endpoint tells who signed in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import tokentoss
from fake_provider import CLIENT_ID, Answer, FakeProvider
from tokentoss import (
    AuthManager,
    AuthWidget,
    BoxAuthWidget,
    ClientConfig,
    ConfigurationError,
    IAPClient,
    MemoryStorage,
    NoCredentialsError,
    Provider,
    TokenData,
    TokenExchangeError,
    TokenRefreshError,
    TokenTossError,
)
from tokentoss.oauth.token_response import TokenResponse

Make = Callable[..., AuthManager]
ME = {"id": 583231, "login": "octocat", "name": "The Octocat", "email": None}


def oauth(fake: FakeProvider, **members: Any) -> Provider:
    named = {
        "openid_connect": False,
        "jwks_uri": "",
        "scopes": ("read:user",),
        "identity_endpoint": fake.issuer + "/user",
    }
    return fake.provider(**(named | members))


@pytest.fixture
def make_oauth(fake: FakeProvider, config: ClientConfig) -> Make:
    fake.answers["/user"] = Answer.json(ME)

    def make(**arguments: Any) -> AuthManager:
        members = arguments.pop("members", {})
        named: dict[str, Any] = {"provider": oauth(fake, **members), "storage": MemoryStorage()}
        return AuthManager(config, **(named | arguments))

    return make


def response(**members: Any) -> TokenResponse:
    named: dict[str, Any] = {
        "access_token": "access-1",
        "id_token": None,
        "refresh_token": None,
        "expires_in": None,
        "scopes": ["read:user"],
    }
    return TokenResponse(**(named | members))


def test_the_identity_is_kept(make_oauth: Make, fake: FakeProvider) -> None:
    manager = make_oauth()
    tokens = manager.accept(response(), nonce="whatever the page sent")
    assert (tokens.issuer, tokens.subject, tokens.login) == (fake.issuer, "583231", "octocat")
    assert (tokens.name, tokens.user_email, tokens.id_token) == ("The Octocat", None, "")
    assert TokenData.from_dict(json.loads(json.dumps(tokens.to_dict()))) == tokens
    assert manager.user_name == "octocat"
    (_, target, headers, _) = fake.requests[-1]
    assert (target, headers["Authorization"]) == ("/user", "Bearer access-1")
    assert manager.access_token == "access-1"


def test_what_another_token_endpoint_adds_is_not_believed(make_oauth: Make) -> None:
    tokens = make_oauth().accept(response(id_token="e30.e30.e30"), nonce=None)
    assert (tokens.id_token, tokens.subject) == ("", "583231")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer.json({"login": "octocat"}), "identity_invalid"),
        (Answer.json({"id": ""}), "identity_invalid"),
        (Answer.json({"id": True}), "identity_invalid"),
        (Answer.json({"id": ["1"]}), "identity_invalid"),
        (Answer.json({"id": "x" * 256}), "identity_invalid"),
        (Answer.json([ME]), "identity_invalid"),
        (Answer(200, b"<html>"), "identity_invalid"),
        (Answer.json({"message": "Bad credentials"}, 401), "identity_invalid"),
        (Answer(302, b"", {"Location": "/elsewhere"}), "identity_invalid"),
        (Answer(503), "identity_unreachable"),
    ],
)
def test_without_an_identity_nothing_is_kept(
    make_oauth: Make, fake: FakeProvider, answer: Answer, code: str
) -> None:
    manager = make_oauth()
    fake.answers["/user"] = answer
    with pytest.raises(TokenExchangeError) as refusal:
        manager.accept(response(), nonce=None)
    assert refusal.value.code == code
    assert "access-1" not in str(refusal.value)
    assert not manager.is_authenticated
    assert not manager.storage.exists()
    assert fake.calls("/elsewhere") == 0


def test_a_passing_failure_is_tried_again(make_oauth: Make, fake: FakeProvider) -> None:
    answers = [Answer(502), Answer.json(ME)]
    fake.answers["/user"] = lambda _form: answers.pop(0)
    assert make_oauth().accept(response(), nonce=None).subject == "583231"


@pytest.mark.parametrize("value", ["a\nb", "\u202eevil", "x" * 400, 7, {"a": 1}, ""])
def test_names_that_cannot_be_shown_are_left_out(make_oauth: Make, fake: FakeProvider, value: Any) -> None:
    fake.answers["/user"] = Answer.json(ME | {"login": value, "name": value, "email": value})
    tokens = make_oauth().accept(response(), nonce=None)
    assert (tokens.login, tokens.name, tokens.user_email) == (None, None, None)


def test_a_token_without_an_expiry(make_oauth: Make) -> None:
    tokens = make_oauth(members={"access_token_lifetime": 86_400.0}).accept(response(), nonce=None)
    lifetime = tokens.expiry_datetime.timestamp() - time.time()
    assert 86_000 < lifetime <= 86_400


def test_an_expired_token_without_a_refresh_token(make_oauth: Make) -> None:
    manager = make_oauth()
    manager.accept(response(expires_in=0.0), nonce=None)
    assert not manager.is_authenticated
    with pytest.raises(TokenRefreshError) as refusal:
        _ = manager.access_token
    assert refusal.value.code == "refresh_token_missing"


def test_no_id_token_and_no_hosted_domain(make_oauth: Make) -> None:
    """A provider without ID tokens refuses id_token and hosted_domain (C58)."""
    manager = make_oauth()
    manager.accept(response(), nonce=None)
    for wrong in (lambda: manager.id_token, lambda: make_oauth(hosted_domain="corp.example")):
        with pytest.raises(ConfigurationError) as refusal:
            wrong()
        assert refusal.value.code == "provider_without_id_tokens"


def test_it_takes_nothing_from_those_who_want_id_tokens(
    make_oauth: Make, make_manager: Make, fake: FakeProvider
) -> None:
    """IAPClient ignores a sign-in without ID token and uses the OpenID one."""
    make_oauth(storage=tokentoss.FileStorage()).accept(response(), nonce=None)
    with pytest.raises(NoCredentialsError):
        IAPClient(fake.issuer, provider=fake.issuer).get("/x")
    openid = make_manager(storage=tokentoss.FileStorage())
    openid.accept(response(id_token=fake.id_token(nonce="n")), nonce="n")
    make_oauth(storage=tokentoss.FileStorage()).accept(response(access_token="access-2"), nonce=None)
    fake.answers["/x"] = Answer.json({})
    IAPClient(fake.issuer, provider=fake.issuer).get_json("/x")
    assert fake.requests[-1][2]["Authorization"] == f"Bearer {openid.id_token}"


def test_scopes_between_commas(make_oauth: Make) -> None:
    manager = make_oauth(members={"scope_separator": ","}, scopes=["read:user", "gist", "repo"])
    manager.accept(response(scopes=["read:user,gist"]), nonce=None)
    assert manager.granted_scopes == ["read:user", "gist"]
    assert manager.missing_scopes == ["repo"]


def test_the_authorization_request_asks_for_no_id_token(make_oauth: Make) -> None:
    url = make_oauth().get_authorization_url("c" * 43, "http://127.0.0.1:1/")
    assert "nonce=" not in url
    assert "code_challenge=" in url, "C2: PKCE always"
    assert "scope=read%3Auser" in url


@pytest.mark.usefixtures("recorded")
def test_the_widget_shows_the_login(make_oauth: Make) -> None:
    manager = make_oauth()
    widget = AuthWidget(auth_manager=manager)
    assert not widget.is_connected
    manager.accept(response(), nonce=None)
    assert widget.status == "Signed in as octocat"
    assert widget.is_connected
    assert (widget.granted_scopes, widget.missing_scopes) == (["read:user"], [])


@pytest.mark.usefixtures("recorded")
def test_the_box_widget_is_boxs(make_oauth: Make) -> None:
    widget = BoxAuthWidget(client_id=CLIENT_ID, client_secret="secret-1", storage=MemoryStorage())
    assert widget.auth_manager.provider == tokentoss.BOX
    assert widget.branding["name"] == "Box"
    assert widget.branding["background"] == "#0061d5"
    with pytest.raises(ConfigurationError, match="isn't for Box"):
        BoxAuthWidget(auth_manager=make_oauth())
    with pytest.raises(ConfigurationError, match="belongs to another provider"):
        BoxAuthWidget(client_config=ClientConfig(CLIENT_ID))
    with pytest.raises(TokenTossError):
        BoxAuthWidget(scopes=[])
