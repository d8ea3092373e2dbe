"""No object, local variable or pickle of the package shows a token or client secret (Trust 12)."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable

import pytest
from fake_provider import Answer, FakeProvider
from test_auth_manager import response, signed_in
from tokentoss import AuthManager, ClientConfig, TokenData, TokenRefreshError, TokenTossError
from tokentoss.oauth.client_authentication import Form, client_form
from tokentoss.oauth.token_response import TokenRequestError, TokenResponse

Make = Callable[..., AuthManager]
SECRETS = ("access-1", "refresh-1", "refresh-9", "access-9", "secret-1", "code-1", "verifier-1")


def locals_of(failure: BaseException) -> str:
    """Return the package's frames with their variables, as ``%xmode Verbose`` shows them."""
    shown = traceback.TracebackException.from_exception(failure, capture_locals=True)
    frames = [frame for frame in shown.stack if "/tokentoss/" in frame.filename and frame.locals]
    assert frames
    return "\n".join(f"{name} = {value}" for frame in frames for name, value in (frame.locals or {}).items())


def tokens() -> TokenData:
    return TokenData("access-1", "header.claims.signature-1", "refresh-1", "2030-01-01T00:00:00Z", ["openid"])


@pytest.mark.parametrize(
    "thing",
    [
        tokens(),
        ClientConfig("client-1", "secret-1"),
        TokenResponse("access-1", "header.claims.signature-1", "refresh-1", 3600.0, None),
        TokenRequestError("token_type_unsupported", rotated="refresh-1"),
        client_form("client_secret_basic", "client-1", "secret-1"),
        Form({"code": "code-1", "code_verifier": "verifier-1", "refresh_token": "refresh-1"}),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_attributes_and_items_are_redacted(thing: object) -> None:
    members = dict(vars(thing))
    members |= dict(thing) if isinstance(thing, dict) else {}
    for shown in (repr(thing), str(members), repr(list(members.values()))):
        for secret in (*SECRETS, "signature-1"):
            assert secret not in shown


def test_users_read_plain_text() -> None:
    """Tokens and secrets that users read are of type str."""
    ours, config = tokens(), ClientConfig("client-1", "secret-1")
    texts = [ours.access_token, ours.id_token, ours.refresh_token, config.client_secret]
    assert [type(text) for text in texts] == [str] * 4
    assert pickle.loads(pickle.dumps(texts)) == texts
    assert ours.to_dict()["refresh_token"] == "refresh-1"
    assert type(ours.to_dict()["refresh_token"]) is str


@pytest.mark.parametrize("thing", [tokens(), ClientConfig("client-1", "secret-1", redirect_uris=["x"])])
def test_copies_are_equal_and_apart(thing: TokenData | ClientConfig) -> None:
    """A copy is equal to the original and shares nothing with it (E12)."""
    for make in (copy.copy, copy.deepcopy):
        other = make(thing)
        assert other == thing
        assert other is not thing
    deep = copy.deepcopy(thing)
    if isinstance(deep, TokenData):
        assert isinstance(thing, TokenData)
        assert deep.scopes is not thing.scopes


@pytest.mark.parametrize(
    "answer",
    [
        Answer.json({"error": "invalid_client"}, 401),
        Answer.json({"access_token": "access-9", "refresh_token": "refresh-9", "token_type": "mac"}),
        Answer.json(
            {
                "access_token": "access-9",
                "refresh_token": "refresh-9",
                "token_type": "Bearer",
                "id_token": "a.b.c",
            }
        ),
    ],
)
def test_a_refused_renewal_shows_nothing(make_manager: Make, fake: FakeProvider, answer: Answer) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    id_token = manager.token_data.id_token if manager.token_data else ""
    fake.answers["/token"] = answer
    with pytest.raises(TokenRefreshError) as refusal:
        manager.refresh_tokens()
    shown = locals_of(refusal.value) + repr(pickle.dumps(refusal.value))
    for secret in (*SECRETS, id_token):
        assert secret not in shown


@pytest.mark.parametrize("claims", [{"nonce": "other"}, {"exp": 1}, {"aud": "x"}, {"sub": None}])
def test_a_refused_sign_in_shows_nothing(
    make_manager: Make, fake: FakeProvider, claims: dict[str, object]
) -> None:
    token = fake.id_token(**({"nonce": "nonce-of-the-request"} | claims))
    answer = fake.token_response(access_token="access-9", refresh_token="refresh-9", id_token=token)
    fake.answers["/token"] = Answer.json(answer)
    with pytest.raises(TokenTossError) as refusal:
        make_manager().accept_code("code-1", "verifier-1", "http://localhost", nonce="nonce-of-the-request")
    shown = locals_of(refusal.value) + repr(pickle.dumps(refusal.value))
    for secret in (*SECRETS, token, token.rpartition(".")[2]):
        assert secret not in shown


def test_a_manager_in_use_shows_nothing(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    kept = manager.accept(response(fake), nonce="n")
    session = manager._store.session
    assert session is not None
    shown = repr(vars(manager)) + repr(session) + repr(vars(session)) + repr(vars(kept))
    for secret in (*SECRETS, kept.id_token):
        assert secret not in shown
