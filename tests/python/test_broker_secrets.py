"""Tracebacks, reprs, logs and pickles show neither a broker's tokens nor its key."""

from __future__ import annotations

import copy
import logging
import pickle
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from tokentoss import ConfigurationError, IAPClient, TokenTossError, enable_debug
from tokentoss.broker import Broker, BrokerClient, FakeBroker
from tokentoss.session.broker_manager import BrokerManager

TOKEN = "the-access-token-itself"
ID_TOKEN = "the-id-token-itself"
KEY = "the-callers-key-itself"


def shown(failure: BaseException) -> str:
    """What an error reporter shows that prints the variables of every frame."""
    return "".join(traceback.TracebackException.from_exception(failure, capture_locals=True).format())


def locals_of(failure: BaseException) -> list[str]:
    """Return the variables of the package's frames, as an error reporter shows them."""
    frames = traceback.StackSummary.extract(traceback.walk_tb(failure.__traceback__), capture_locals=True)
    own = [str(frame.locals) for frame in frames if "/tokentoss/" in frame.filename]
    assert own
    return own


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
    """The error for a broker's unusable answer shows no token or key."""
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
def test_malformed_account_lists_are_refused(service: FakeProvider, body: bytes) -> None:
    service.answers["/v1/accounts"] = Answer(200, body)
    with pytest.raises(TokenTossError) as caught:
        BrokerClient(Broker(service.issuer, KEY)).accounts()
    assert caught.value.code == "broker_answer_invalid"


LONG = "secret-key-" * 900  # longer than any key


@pytest.mark.parametrize("how", ["broker", "client", "address", "tenant", "variable", "file", "bytes", "hub"])
def test_a_key_that_is_refused_stands_in_no_frame(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_bytes(LONG.encode() if how == "file" else b"secret-key-\xff")
    named = {"variable": "TOKENTOSS_BROKER_KEY", "hub": "JUPYTERHUB_API_TOKEN"}.get(how)
    if named is not None:
        monkeypatch.setenv(named, LONG)
    if how in {"file", "bytes"}:
        monkeypatch.setenv("TOKENTOSS_BROKER_KEY_FILE", str(tmp_path / "key"))
    url, good = "https://broker.example", "secret-key-1"
    acts = {
        "broker": lambda: Broker(url, LONG),
        "client": lambda: BrokerClient(url, LONG),
        "address": lambda: Broker("http://broker.example", good),
        "tenant": lambda: Broker(url, good, tenant="two\nlines"),
    }
    with pytest.raises(ConfigurationError) as caught:
        acts.get(how, Broker(url).key)()
    links, failure = [caught.value], caught.value.__context__
    while failure is not None:
        links.append(failure)
        failure = failure.__context__
    for link in links:
        assert not isinstance(link, UnicodeError), "it holds what it could not decode"
        for text in locals_of(link):
            assert "secret-key" not in text


def test_what_is_sent_stands_in_no_frame(broker: FakeBroker) -> None:
    client = BrokerClient(broker.broker())
    broker.failures = [{"code": "confirmation_wrong"}, {"code": "reauth_required"}]
    with pytest.raises(TokenTossError) as wrong:
        client.confirm("a", "CONFIRM2")
    with pytest.raises(TokenTossError) as rejected:
        client.get_valid_provider_access_token("box", rejected=TOKEN)
    for failure in (wrong.value, rejected.value):
        frames = traceback.StackSummary.extract(traceback.walk_tb(failure.__traceback__), capture_locals=True)
        own = [str(frame.locals) for frame in frames if "/tokentoss/" in frame.filename]
        assert own
        for text in own:
            for secret in ("CONFIRM2", TOKEN, broker.key):
                assert secret not in text


def test_nothing_with_a_key_is_pickled(broker: FakeBroker) -> None:
    keyed = broker.broker()
    for thing in (keyed, BrokerClient(keyed), keyed.for_user(None, None)):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    # A key that was read is worth nothing in a pickle either.
    assert broker.key.encode() not in pickle.dumps(keyed.key())
    assert broker.key not in repr(keyed._members)
    assert broker.key not in repr(Broker(broker.url, "another")._members)
