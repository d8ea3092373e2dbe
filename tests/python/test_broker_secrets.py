"""What tracebacks, reprs, logs and pickles show of a broker's tokens and of its key: nothing."""

from __future__ import annotations

import copy
import logging
import pickle
import time
import traceback
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from tokentoss import IAPClient, TokenTossError, enable_debug
from tokentoss.broker import Broker, BrokerClient, FakeBroker
from tokentoss.session.broker_manager import BrokerManager

TOKEN = "the-access-token-itself"
ID_TOKEN = "the-id-token-itself"
KEY = "the-callers-key-itself"


def shown(failure: BaseException) -> str:
    """What an error reporter shows that prints the variables of every frame."""
    return "".join(traceback.TracebackException.from_exception(failure, capture_locals=True).format())


def given(**changes: Any) -> dict[str, Any]:
    return {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_at": int(time.time()) + 3600,
        "scopes": [],
        "account": {"id": "a", "subject": "s", "email": None},
        "version": 1,
        "id_token": ID_TOKEN,
        "id_token_expires_at": int(time.time()) + 3600,
    } | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"version": None},
        {"account": None},
        {"token_type": "DPoP"},
        {"access_token": ""},
        {"scopes": "openid"},
        {"id_token_expires_at": None},
        {"account": {"id": "a", "subject": "somebody else", "email": None}},
        {},
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_used(service: FakeProvider, changes: dict[str, Any]) -> None:
    """The ID token is no JWT, so that even a whole answer is not."""
    service.answers["/v1/token"] = Answer.json(given(**changes))
    client = IAPClient("https://service.example", broker=Broker(service.issuer, KEY))
    with pytest.raises(TokenTossError) as caught:
        client.get("/")
    text = shown(caught.value)
    for secret in (TOKEN, ID_TOKEN, KEY):
        assert secret not in text


def test_what_is_given_out_is_redacted(service: FakeProvider) -> None:
    service.answers["/v1/token"] = Answer.json(given())
    token = BrokerClient(Broker(service.issuer, KEY)).get_valid_provider_access_token("box", id_token=True)
    assert (token.access_token, token.id_token) == (TOKEN, ID_TOKEN)
    assert TOKEN not in repr(token)
    assert TOKEN not in repr(vars(token))
    assert not [name for name in vars(token) if "refresh" in name]
    for act in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            act(token)  # type: ignore[operator]


def test_a_manager_shows_nothing(broker: FakeBroker) -> None:
    broker.connect("google", email="ada@example.com")
    manager = BrokerManager(broker.broker())
    token, id_token = manager.access_token, manager.id_token
    assert token
    assert id_token
    for text in (repr(manager), repr(manager._tokens), repr(vars(manager)), repr(manager.token_data)):
        assert token not in text
        assert id_token not in text
        assert broker.key not in text


def test_logs(broker: FakeBroker, caplog: pytest.LogCaptureFixture) -> None:
    enable_debug()
    caplog.set_level(logging.DEBUG)
    broker.connect("google")
    manager = BrokerManager(broker.broker())
    token = manager.access_token
    assert token
    manager.access_token_after(token)
    manager.sign_out()
    assert token not in caplog.text
    assert broker.key not in caplog.text


def test_a_rejected_token_leaves_as_its_hash_alone(broker: FakeBroker) -> None:
    broker.connect("google")
    manager = BrokerManager(broker.broker())
    token = manager.access_token
    assert token
    manager.access_token_after(token)
    assert broker.requests[-1][2]["rejected"]
    assert token not in repr(broker.requests)


def test_a_redirect_of_a_broker_takes_the_key_nowhere(service: FakeProvider, fake: FakeProvider) -> None:
    service.answers["/v1/accounts"] = Answer(302, b"", {"Location": fake.issuer + "/v1/accounts"})
    with pytest.raises(TokenTossError) as caught:
        BrokerClient(Broker(service.issuer, KEY)).accounts()
    assert caught.value.code == "broker_answer_invalid"
    assert fake.requests == []


def test_words_of_something_else_are_cut_and_printable(service: FakeProvider) -> None:
    problem = {"code": "not_connected", "title": "<b>\x1b[31m" + "x" * 5000, "action": "rm"}
    kind = {"Content_Type": "application/problem+json"}
    service.answers["/v1/accounts"] = Answer.json(problem, 404, **kind)
    with pytest.raises(TokenTossError) as caught:
        BrokerClient(Broker(service.issuer, KEY)).accounts()
    assert caught.value.code == "not_connected"
    assert caught.value.action is None
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("body", [b"{", b"[1]", b"null", b'{"a": 1}', b"x" * 2_000_000])
def test_accounts_that_are_none(service: FakeProvider, body: bytes) -> None:
    service.answers["/v1/accounts"] = Answer(200, body)
    with pytest.raises(TokenTossError) as caught:
        BrokerClient(Broker(service.issuer, KEY)).accounts()
    assert caught.value.code == "broker_answer_invalid"
