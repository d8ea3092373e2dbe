"""The address of a broker, and the key that is sent there."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_provider import Answer, FakeProvider
from tokentoss import ConfigurationError
from tokentoss.broker import Broker, BrokerClient, FakeBroker

KEY = "k-" + "s" * 40


@pytest.mark.parametrize(
    "url",
    ["http://broker.example", "broker.example", "https://u:p@broker.example", "https://b.example/?a=b", ""],
)
def test_an_address_that_is_not_safe(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Broker(url)
    assert caught.value.code == "address_insecure"


@pytest.mark.parametrize("url", ["https://broker.example/", "http://127.0.0.1:8765", "http://localhost:1/b/"])
def test_https_or_this_machine(url: str) -> None:
    assert Broker(url, KEY).url == url.rstrip("/")


def test_the_key_is_in_no_repr_no_traceback_and_no_pickle() -> None:
    broker = Broker("https://broker.example", KEY)
    assert KEY not in repr(broker)
    assert KEY not in repr(vars(broker))
    assert KEY not in repr(BrokerClient(broker))
    with pytest.raises(TypeError):
        pickle.dumps(broker)
    unkeyed = pickle.loads(pickle.dumps(Broker("https://broker.example", user="ada")))
    assert unkeyed == Broker("https://broker.example", user="ada")


def test_frames_of_a_failure_hold_no_key(broker: FakeBroker) -> None:
    broker.close()
    with pytest.raises(Exception, match=r"Couldn't reach|incomplete") as caught:
        BrokerClient(broker.broker()).accounts()
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert broker.key not in shown


@pytest.mark.parametrize("key", ["", "two words", "new\nline", "ä", "x" * 9000])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Broker("https://broker.example", key)
    assert caught.value.code == "broker_key_invalid"
    assert not key or key not in str(caught.value)


def test_the_keys_of_the_environment_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker("https://broker.example")
    with pytest.raises(ConfigurationError) as caught:
        broker.key()
    assert caught.value.code == "broker_key_missing"
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    assert broker.key() == "hub"
    file = tmp_path / "key"
    file.write_text("from-file\n")
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY_FILE", str(file))
    assert broker.key() == "from-file"
    file.write_text("rotated\n")
    assert broker.key() == "rotated"
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", "from-variable")
    assert broker.key() == "from-variable"
    assert Broker("https://broker.example", "given").key() == "given"


def test_a_file_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError) as caught:
        Broker("https://broker.example").key()
    assert caught.value.code == "broker_key_invalid"
    assert "TOKENTOSS_BROKER_KEY_FILE" in str(caught.value)


def test_the_environments_key_goes_to_the_environments_broker_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER", "https://broker.example")
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", "the-key")
    assert Broker("https://broker.example/").key() == "the-key"
    with pytest.raises(ConfigurationError) as caught:
        Broker("https://other.example").key()
    assert caught.value.code == "broker_key_missing"
    assert Broker("https://other.example", "own").key() == "own"


@pytest.mark.parametrize("user", ["", "a\nb", " a", "ä"])
def test_a_user_that_no_header_can_hold(user: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Broker("https://broker.example", user=user)
    assert caught.value.code == "argument_invalid"


def test_a_hub_is_named_with_its_token_alone(
    service: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(broker: Broker) -> str | None:
        service.answers["/v1/accounts"] = Answer.json([])  # type: ignore[arg-type]
        BrokerClient(broker).accounts()
        headers = {name.lower(): value for name, value in service.requests[-1][2].items()}
        return headers.get("x-tokentoss-hub")

    broker = Broker(service.issuer)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-token")
    assert named(broker) is None
    monkeypatch.setenv("TOKENTOSS_BROKER_HUB", "lab")
    assert named(broker) == "lab"
    assert named(Broker(service.issuer, KEY)) is None
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", KEY)
    assert named(broker) is None
    monkeypatch.delenv("TOKENTOSS_BROKER_KEY")
    (tmp_path / "key").write_text(KEY)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY_FILE", str(tmp_path / "key"))
    assert named(broker) is None
    monkeypatch.delenv("TOKENTOSS_BROKER_KEY_FILE")
    monkeypatch.setenv("TOKENTOSS_BROKER_HUB", "two\nlines")
    with pytest.raises(ConfigurationError) as caught:
        named(broker)
    assert caught.value.code == "argument_invalid"
    assert "TOKENTOSS_BROKER_HUB" in str(caught.value)


@pytest.mark.parametrize("who", [{"user": ""}, {"tenant": ""}, {"tenant": "acme", "user": ""}, {"user": " "}])
@pytest.mark.parametrize("named", [{}, {"tenant": "acme", "user": "ada"}])
def test_an_empty_name_stands_for_nobody(
    broker: FakeBroker, named: dict[str, str], who: dict[str, str]
) -> None:
    """An empty tenant or user is refused instead of standing for another one."""
    for user in ("default", "ada"):
        broker.connect("google", tenant="acme" if user == "ada" else "default", user=user)
    client = BrokerClient(broker.broker(**named))
    calls: list[Callable[[], object]] = [
        lambda: client.get_valid_provider_access_token("google", **who),
        lambda: client.accounts(**who),
        lambda: client.account("x", **who),
        lambda: client.disconnect("x", **who),
        lambda: client.broker.for_user(who.get("tenant"), who.get("user")),
        lambda: Broker(broker.url, **who),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert caught.value.code == "argument_invalid"
    assert broker.requests == []


def test_who_is_not_named_stays() -> None:
    broker = Broker("https://broker.example", tenant="acme", user="ada")
    assert broker.for_user(None, "eve") == Broker("https://broker.example", tenant="acme", user="eve")
    assert broker.for_user("other", None) == Broker("https://broker.example", tenant="other", user="ada")


def test_an_empty_name_of_a_provider() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Broker("https://broker.example", provider="")
    assert caught.value.code == "argument_invalid"
