"""Apache with mod_auth_openidc in place of IAP: an independent proxy that verifies ID tokens."""

from __future__ import annotations

import time
from typing import ClassVar

import pytest
from servers.apache import ApacheOpenIdc
from tokentoss import AuthManager, IAPClient, MemoryStorage, Provider
from tokentoss.clients.errors import ServiceAudienceMismatchError, ServiceUnauthenticatedError

from kernel.people import ADA, DUE, aged, config_of, manager_at, refreshes, sign_in


@pytest.fixture(scope="module")
def apache(running_provider, authority):
    """The proxy, which lets in who has a token of the public client."""
    jwks_uri = running_provider.metadata()["jwks_uri"]
    audience = running_provider.public.client_id
    with ApacheOpenIdc(
        authority, issuer=running_provider.issuer, jwks_uri=jwks_uri, audience=audience
    ) as apache:
        yield apache


@pytest.fixture
def let_through(apache):
    """Requests that have come through the proxy in this test."""
    before = len(apache.application.requests)
    return lambda: apache.application.requests[before:]


def claims_of(provider, **changes):
    now = int(time.time())
    claims = {
        "iss": provider.issuer,
        "aud": provider.public.client_id,
        "sub": "somebody",
        "email": ADA,
        "iat": now - 60,
        "exp": now + 3600,
    }
    return claims | changes


def with_broken_signature(token):
    head, signature = token.rsplit(".", 1)
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


BAD_TOKENS = {
    "expired": lambda provider: provider.sign(claims_of(provider, exp=int(time.time()) - 30)),
    "wrong audience": lambda provider: provider.sign(claims_of(provider, aud="another-client")),
    "wrong issuer": lambda provider: provider.sign(claims_of(provider, iss="https://other.example")),
    "bad signature": lambda provider: with_broken_signature(provider.sign(claims_of(provider))),
}
# Whether the proxy says of the 401 that it is about the token (RFC 6750 section 3).
CODES = {
    "expired": "service_unauthenticated",
    "wrong audience": "service_refused_call",
    "wrong issuer": "service_refused_call",
    "bad signature": "service_unauthenticated",
}


class Holding(AuthManager):
    """Hands out tokens that it was given, one after the other, whatever they are worth."""

    tokens: ClassVar[list[str]] = []

    @property
    def id_token(self):
        return self.tokens[0]

    def id_token_after(self, refused):
        if refused == self.tokens[0] and len(self.tokens) > 1:
            self.tokens = self.tokens[1:]
            return self.tokens[0]
        return None


@pytest.fixture
def holding(provider):
    """A manager that hands out these tokens."""

    def make(*tokens):
        manager = Holding(
            config_of(provider.public), storage=MemoryStorage(), provider=Provider.discover(provider.issuer)
        )
        manager.tokens = list(tokens)
        return manager

    return make


def test_a_valid_token_is_let_through(provider, apache, let_through):
    manager = sign_in(manager_at(provider, storage=MemoryStorage()))
    with IAPClient(apache.base_url, auth_manager=manager) as client:
        assert client.get_json("/api/data?x=1") == {"path": "/api/data?x=1", "email": ADA}
        assert client.post_json("/api/data", {"y": 2})["email"] == ADA
    assert [request.body for request in let_through()] == [b"", b'{"y": 2}']


def test_a_renewed_token_is_let_through(provider, apache):
    storage = MemoryStorage()
    storage.save(aged(provider, sign_in(manager_at(provider)).token_data, DUE))
    provider.forget_requests()
    with IAPClient(apache.base_url, auth_manager=manager_at(provider, storage=storage)) as client:
        assert client.get_json("/a")["email"] == ADA
        assert client.get_json("/b")["email"] == ADA
    assert refreshes(provider) == 1


@pytest.mark.parametrize("fault", BAD_TOKENS)
def test_a_bad_token_is_refused_in_words(provider, apache, holding, let_through, fault):
    bad = BAD_TOKENS[fault](provider)
    with IAPClient(apache.base_url, auth_manager=holding(bad)) as client:
        assert client.get("/a").status_code == 401
        with pytest.raises(ServiceUnauthenticatedError) as refusal:
            client.get_json("/a")
    assert refusal.value.code == CODES[fault]
    assert apache.base_url in str(refusal.value)
    assert bad not in str(refusal.value)
    assert let_through() == []


@pytest.mark.parametrize("fault", BAD_TOKENS)
def test_after_a_refusal_the_call_is_repeated_once_with_a_newer_token(
    provider, apache, holding, let_through, fault
):
    good = provider.sign(claims_of(provider))
    with IAPClient(apache.base_url, auth_manager=holding(BAD_TOKENS[fault](provider), good)) as client:
        assert client.post_json("/a", {"z": 3})["email"] == ADA
    (request,) = let_through()
    assert (request.method, request.body) == ("POST", b'{"z": 3}')


def test_a_body_that_cannot_be_sent_again_is_sent_once(provider, apache, holding, let_through):
    tokens = [BAD_TOKENS["expired"](provider), provider.sign(claims_of(provider))]
    with IAPClient(apache.base_url, auth_manager=holding(*tokens)) as client:
        assert client.post("/a", data=iter([b"once"])).status_code == 401
    assert let_through() == []


def test_a_session_that_the_service_refuses_asks_the_provider_once(provider, apache, let_through):
    """Five refused calls cause one renewal."""
    manager = sign_in(
        manager_at(provider, client_config=config_of(provider.confidential), storage=MemoryStorage())
    )
    provider.forget_requests()
    with IAPClient(apache.base_url, auth_manager=manager) as client:
        for _ in range(5):
            with pytest.raises(ServiceUnauthenticatedError):
                client.get_json("/a")
    assert refreshes(provider) == 1
    assert manager.is_authenticated
    assert let_through() == []


def test_the_expected_audience_is_checked_before_anything_is_sent(provider, apache, let_through):
    manager = sign_in(manager_at(provider, storage=MemoryStorage()))
    with (
        IAPClient(apache.base_url, auth_manager=manager, expected_audience="another") as client,
        pytest.raises(ServiceAudienceMismatchError),
    ):
        client.get("/a")
    assert let_through() == []
    audience = provider.public.client_id
    with IAPClient(apache.base_url, auth_manager=manager, expected_audience=audience) as client:
        assert client.get_json("/a")["email"] == ADA
