"""Addresses with a user name and a password are refused and never shown whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_provider import FakeProvider
from tokentoss import BOX, APIClient, Broker, ConfigurationError, IAPClient, RequestsAuth, texts
from tokentoss.broker import BrokerClient, FakeBroker
from tokentoss.doctor.broker import broker_findings
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.util.urls import without_user

PASSWORD = "hunter2"
WITH_PASSWORD = [
    f"https://ada:{PASSWORD}@broker.example",
    f"http://ada:{PASSWORD}@broker.example/path",
    f"https://{PASSWORD}@broker.example",
    f"https://ada:{PASSWORD}/x@broker.example",
    f"https://ada:{PASSWORD}#x@broker.example",
    f"https://ada:{PASSWORD}@x@broker.example",
    f"https://ada:{PASSWORD} x@broker.example",
    f"https:\\\\ada:{PASSWORD}@broker.example",
    f"ada:{PASSWORD}@broker.example",
    f"//ada:{PASSWORD}@broker.example",
    f"ftp://ada:{PASSWORD}@broker.example",
]
Take = Callable[[str], object]


@pytest.mark.parametrize("address", WITH_PASSWORD)
def test_what_is_shown_of_it(address: str) -> None:
    assert PASSWORD not in without_user(address)
    assert "broker.example" in without_user(address)
    assert without_user(without_user(address)) == without_user(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://b.example/@me",
        "http://b.example/?to=ada@b.example",
        "",
        "b.example",
        "https://b.example:443/#x",
    ],
)
def test_others_are_shown_whole(address: str) -> None:
    assert without_user(address) == address


@pytest.mark.parametrize("address", WITH_PASSWORD)
@pytest.mark.parametrize(
    "take",
    [
        Broker,
        BrokerClient,
        BrokerManager,
        IAPClient,
        lambda url: IAPClient("https://service.example", broker=url),
        lambda url: APIClient(url, provider=BOX),
        lambda url: RequestsAuth(broker=url),
        lambda url: RequestsAuth(BrokerManager("https://b.example"), [url]),
        lambda url: RequestsAuth(BrokerManager("https://b.example"))._binding.check(url, None),
    ],
)
def test_no_error_shows_the_password(take: Take, address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        take(address)
    for said in (str(caught.value), caught.value.subject or "", caught.value.said_in("de")):
        assert PASSWORD not in said
    assert caught.value.code == "address_insecure"
    assert str(caught.value).startswith("A user name and a password don't belong in this address: ")
    assert caught.value.said_in("de").startswith("Benutzername und Passwort gehören nicht in diese Adresse: ")


def test_nor_that_of_an_endpoint(fake: FakeProvider) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fake.provider(token_endpoint=WITH_PASSWORD[0])
    assert caught.value.code == "endpoint_insecure"
    assert PASSWORD not in str(caught.value)
    assert "don't belong in this address" in str(caught.value)


@pytest.mark.parametrize("language", ["en", "de"])
def test_nor_does_doctor(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER", WITH_PASSWORD[0])
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, language)
    (finding,) = broker_findings()
    assert PASSWORD not in repr(finding)
    assert "broker.example" in finding.text


def test_an_address_that_is_only_unsafe_is_said_to_be_so(broker: FakeBroker) -> None:
    del broker
    with pytest.raises(ConfigurationError) as caught:
        Broker("http://broker.example/@x")
    assert str(caught.value).startswith("broker 'http://broker.example/@x' must start with https://")
