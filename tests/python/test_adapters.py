"""Adapters that send the ID token with requests, with httpx and with a plain function."""

from __future__ import annotations

import asyncio
import io
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
import requests
from fake_provider import Answer, FakeProvider, SigningKey
from test_auth_manager import signed_in
from tokentoss import (
    AuthManager,
    ConfigurationError,
    HTTPXAuth,
    NoCredentialsError,
    RequestsAuth,
    TokenRefreshError,
)

Make = Callable[..., AuthManager]


@pytest.fixture
def elsewhere(signing_key: SigningKey) -> Iterator[FakeProvider]:
    server = FakeProvider(signing_key)
    server.answers["/api"] = Answer(401)
    yield server
    server.close()


@pytest.fixture
def manager(make_manager: Make, fake: FakeProvider) -> AuthManager:
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token(jti="newer")))
    return signed_in(make_manager, fake)


def requests_call(manager: AuthManager, url: str, **named: Any) -> int:
    origins = named.pop("allowed_origins", None)
    return requests.post(url, auth=RequestsAuth(manager, origins), timeout=20, **named).status_code


def httpx_call(manager: AuthManager, url: str, **named: Any) -> int:
    origins = named.pop("allowed_origins", None)
    if "data" in named and not isinstance(named["data"], dict):
        named["content"] = named.pop("data")
    with httpx.Client(auth=HTTPXAuth(manager, origins), follow_redirects=True, trust_env=False) as client:
        return client.post(url, **named).status_code


def async_call(manager: AuthManager, url: str, **named: Any) -> int:
    origins = named.pop("allowed_origins", None)
    if "data" in named and not isinstance(named["data"], dict):
        data = named.pop("data")

        async def stream() -> AsyncIterator[bytes]:
            for part in data:
                yield part

        named["content"] = data if isinstance(data, bytes) else stream()

    async def call() -> int:
        auth = HTTPXAuth(manager, origins)
        async with httpx.AsyncClient(auth=auth, follow_redirects=True, trust_env=False) as client:
            return (await client.post(url, **named)).status_code

    return asyncio.run(call())


ways = pytest.mark.parametrize("call", [requests_call, httpx_call, async_call])


def authorizations(server: FakeProvider) -> list[str | None]:
    return [
        {name.lower(): value for name, value in headers.items()}.get("authorization")
        for _, _, headers, _ in server.requests
    ]


@ways
def test_the_token_is_sent(manager: AuthManager, service: FakeProvider, call: Callable[..., int]) -> None:
    """Every adapter sends the ID token in the Authorization header (C49)."""
    assert call(manager, service.issuer + "/api") == 200
    assert authorizations(service) == [f"Bearer {manager.id_token}"]


@ways
def test_an_expired_one_is_renewed_first(
    make_manager: Make, fake: FakeProvider, service: FakeProvider, call: Callable[..., int]
) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json(fake.token_response())
    assert call(manager, service.issuer + "/api") == 200
    assert authorizations(service) == [f"Bearer {manager.id_token}"]
    assert fake.calls("/token") == 1


@ways
def test_a_401_renews_once_and_repeats(
    manager: AuthManager, fake: FakeProvider, service: FakeProvider, call: Callable[..., int]
) -> None:
    first = manager.id_token
    service.answers["/api"] = lambda form: (
        Answer(401) if authorizations(service)[-1] == f"Bearer {first}" else Answer.json(form)
    )
    assert call(manager, service.issuer + "/api", data={"a": "1"}) == 200
    assert [form for _, _, _, form in service.requests] == [{"a": "1"}] * 2
    assert fake.calls("/token") == 1
    service.answers["/api"] = Answer(401)
    service.requests.clear()
    assert call(manager, service.issuer + "/api") == 401
    assert len(service.requests) == 1, "P5: a token that was just renewed is not renewed again"


@ways
def test_a_stream_is_not_sent_again(
    manager: AuthManager, fake: FakeProvider, service: FakeProvider, call: Callable[..., int]
) -> None:
    service.answers["/api"] = Answer(401)
    assert call(manager, service.issuer + "/api", data=iter([b"x"])) == 401
    assert (len(service.requests), fake.calls("/token")) == (1, 0)


def test_a_file_is_not_sent_again(manager: AuthManager, fake: FakeProvider, service: FakeProvider) -> None:
    service.answers["/api"] = Answer(401)
    assert requests_call(manager, service.issuer + "/api", data=io.BytesIO(b"x")) == 401
    assert (len(service.requests), fake.calls("/token")) == (1, 0)


@ways
def test_a_401_that_cannot_be_renewed_is_the_answer(
    manager: AuthManager, fake: FakeProvider, service: FakeProvider, call: Callable[..., int]
) -> None:
    fake.answers["/token"] = Answer(503)
    service.answers["/api"] = Answer(401)
    assert call(manager, service.issuer + "/api") == 401


@ways
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_elsewhere_carries_no_token(
    manager: AuthManager,
    fake: FakeProvider,
    service: FakeProvider,
    elsewhere: FakeProvider,
    call: Callable[..., int],
    status: int,
) -> None:
    """A redirect to another origin carries no token, and a 401 there renews none (C73)."""
    service.answers["/api"] = Answer(status, b"", {"Location": elsewhere.issuer + "/api"})
    assert call(manager, service.issuer + "/api") == 401
    assert authorizations(elsewhere) == [None]
    assert fake.calls("/token") == 0


@ways
def test_insecure_addresses_get_nothing(
    manager: AuthManager, service: FakeProvider, call: Callable[..., int]
) -> None:
    """Adapters refuse plain http and any origin that is not in allowed_origins (C73)."""
    with pytest.raises(ConfigurationError) as insecure:
        call(manager, "http://service.example/api")
    assert insecure.value.code == "address_insecure"
    with pytest.raises(ConfigurationError) as foreign:
        call(manager, service.issuer + "/api", allowed_origins=["https://service.example"])
    assert foreign.value.code == "origin_not_allowed"
    assert call(manager, service.issuer + "/api", allowed_origins=[service.issuer]) == 200
    assert len(service.requests) == 1


@pytest.mark.parametrize("adapter", [RequestsAuth, HTTPXAuth])
def test_allowed_origins_are_secure(manager: AuthManager, adapter: Any) -> None:
    with pytest.raises(ConfigurationError):
        adapter(manager, ["http://service.example"])
    with pytest.raises(ConfigurationError):
        adapter(manager, ["service.example"])


@ways
def test_nobody_is_signed_in(manager: AuthManager, service: FakeProvider, call: Callable[..., int]) -> None:
    manager.clear()
    with pytest.raises(NoCredentialsError, match="auth manager"):
        call(manager, service.issuer + "/api")
    assert service.requests == []


def test_a_renewal_does_not_hold_up_the_event_loop(
    make_manager: Make, fake: FakeProvider, service: FakeProvider
) -> None:
    """Other tasks go on during a renewal, and ten calls cause one request."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    asked, may_answer = threading.Event(), threading.Event()
    answer = Answer.json(fake.token_response())

    def hold() -> None:
        asked.set()
        may_answer.wait(20)

    answer.before = hold
    fake.answers["/token"] = answer

    async def calls() -> list[int]:
        async with httpx.AsyncClient(auth=HTTPXAuth(manager), trust_env=False) as client:
            pending = [asyncio.ensure_future(client.get(service.issuer + "/api")) for _ in range(10)]
            assert await asyncio.to_thread(asked.wait, 20)
            may_answer.set()
            return [(await one).status_code for one in pending]

    assert asyncio.run(calls()) == [200] * 10
    assert fake.calls("/token") == 1


def test_a_function_that_returns_the_token(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    current = manager.token_provider()
    fake.answers["/token"] = Answer(503)
    with pytest.raises(TokenRefreshError):
        current()
    fake.answers["/token"] = Answer.json(fake.token_response())
    manager._renewal.reset()
    assert current() == manager.id_token
    manager.clear()
    with pytest.raises(NoCredentialsError, match="signed out"):
        current()


def test_adapters_show_and_pickle_no_secret(manager: AuthManager) -> None:
    """Adapters show no token or secret and cannot be pickled (C72)."""
    tokens = manager.token_data
    assert tokens is not None
    for adapter in (
        RequestsAuth(manager, ["https://a.example"]),
        HTTPXAuth(manager),
        manager.token_provider(),
    ):
        for secret in (tokens.id_token, tokens.access_token, tokens.refresh_token, "secret-1"):
            assert secret not in f"{adapter!r} {adapter} {getattr(adapter, '__dict__', '')}"
        with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
            pickle.dumps(adapter)
    assert "https://a.example" in repr(RequestsAuth(manager, ["https://a.example"]))
