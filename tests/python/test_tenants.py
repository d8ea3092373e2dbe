"""Providers of many tenants, and metadata at another address than the issuer's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fake_provider import CLIENT_ID, Answer, FakeProvider
from test_auth_manager import response
from tokentoss import (
    AuthManager,
    AuthWidget,
    ClientConfig,
    ConfigurationError,
    DiscoveryError,
    IdTokenError,
    MemoryStorage,
    Provider,
    SignInError,
)
from tokentoss.oauth.id_token import validate_id_token

OURS, THEIRS = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"


def issuer_at(fake: FakeProvider, tenant: str) -> str:
    return f"{fake.issuer}/{tenant}/v2.0"


@pytest.fixture(params=["common", "organizations"])
def shared(fake: FakeProvider, request: pytest.FixtureRequest) -> str:
    """The issuer that is asked: what stands for all tenants."""
    issuer = issuer_at(fake, request.param)
    metadata = fake.metadata(issuer=issuer_at(fake, "{tenantid}"))
    fake.answers[f"/{request.param}/v2.0/.well-known/openid-configuration"] = Answer.json(metadata)
    return issuer


def token(fake: FakeProvider, tenant: object = OURS, **claims: Any) -> str:
    return fake.id_token(**{"iss": issuer_at(fake, str(tenant)), "tid": tenant, **claims})


def refusal(provider: Provider, id_token: str) -> str:
    with pytest.raises((IdTokenError, SignInError)) as refused:
        validate_id_token(id_token, provider=provider, client_id=CLIENT_ID)
    return refused.value.code


def test_every_tenant_signs_its_own_tokens(fake: FakeProvider, shared: str) -> None:
    provider = Provider.discover(shared)
    assert (provider.issuer, provider.token_issuer) == (shared, issuer_at(fake, "{tenantid}"))
    for tenant in (OURS, THEIRS):
        claims = validate_id_token(token(fake, tenant), provider=provider, client_id=CLIENT_ID)
        assert (claims.issuer, claims.subject) == (shared, "user-1")


@pytest.mark.parametrize(
    "claims",
    [
        {"tid": THEIRS},
        {"tid": None},
        {"tid": 7},
        {"tid": OURS.upper().replace("1", "A")},
        {"tid": "common"},
        {"tid": OURS + "\n"},
        {"iss": None},
        {"iss": "https://evil.example/" + OURS + "/v2.0"},
    ],
)
def test_an_issuer_that_is_not_that_of_the_tenant(
    fake: FakeProvider, shared: str, claims: dict[str, Any]
) -> None:
    changed = token(fake, **claims)
    assert refusal(Provider.discover(shared), changed) == "id_token_issuer_mismatch"


def test_what_names_the_shared_address_itself_is_nobodys(fake: FakeProvider, shared: str) -> None:
    for tenant in ("common", "organizations", "{tenantid}"):
        assert refusal(Provider.discover(shared), token(fake, tenant)) == "id_token_issuer_mismatch"


def test_only_some_tenants_may_sign_in(fake: FakeProvider, shared: str) -> None:
    provider = replace(Provider.discover(shared), allowed_tenants=(OURS,))
    assert validate_id_token(token(fake), provider=provider, client_id=CLIENT_ID).subject == "user-1"
    assert refusal(provider, token(fake, THEIRS)) == "hosted_domain_mismatch"


@pytest.mark.parametrize(
    "members",
    [
        {"token_issuer": "https://evil.example/{tenantid}/v2.0"},
        {"token_issuer": "{issuer}/common/v2.0"},
        {"token_issuer": "{issuer}/{tenantid}/{tenantid}"},
        {"token_issuer": "{issuer}/{tenantid}/{other}"},
        {"token_issuer": "{issuer}/{tenantid}/v2.0", "allowed_tenants": ("common",)},
        {"token_issuer": "{issuer}/{tenantid}/v2.0", "allowed_tenants": OURS},
        {"allowed_tenants": (OURS,)},
    ],
)
def test_values_that_are_refused(fake: FakeProvider, members: dict[str, Any]) -> None:
    if "token_issuer" in members:
        members = members | {"token_issuer": members["token_issuer"].replace("{issuer}", fake.issuer)}
    with pytest.raises(ConfigurationError) as refused:
        fake.provider(**members)
    assert refused.value.code == "provider_value_invalid"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("common", "https://evil.example/{tenantid}/v2.0"),
        (OURS, "{issuer}/{tenantid}/v2.0"),
        ("common", "{issuer}/organizations/v2.0"),
        ("common", "{issuer}/{tenantid}/other"),
    ],
)
def test_metadata_of_another_issuer(fake: FakeProvider, asked: str, said: str) -> None:
    metadata = fake.metadata(issuer=said.replace("{issuer}", fake.issuer))
    fake.answers[f"/{asked}/v2.0/.well-known/openid-configuration"] = Answer.json(metadata)
    with pytest.raises(DiscoveryError) as refused:
        Provider.discover(issuer_at(fake, asked))
    assert refused.value.code == "discovery_issuer_mismatch"


@pytest.fixture
def manager(fake: FakeProvider, shared: str) -> Callable[..., AuthManager]:
    storage = MemoryStorage()

    def make(**members: Any) -> AuthManager:
        provider = replace(Provider.discover(shared), **members)
        client = ClientConfig(
            CLIENT_ID, auth_uri=provider.authorization_endpoint, token_uri=provider.token_endpoint
        )
        return AuthManager(client, storage=storage, provider=provider)

    return make


def test_a_session_is_found_again(fake: FakeProvider, manager: Callable[..., AuthManager]) -> None:
    signed_in = manager()
    signed_in.accept(response(fake, id_token=token(fake, nonce="n")), nonce="n")
    assert manager().is_authenticated
    assert manager(allowed_tenants=(OURS,)).is_authenticated
    assert not manager(allowed_tenants=(THEIRS,)).is_authenticated
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=token(fake)))
    assert signed_in.refresh_tokens()
    assert signed_in.is_authenticated


@pytest.mark.usefixtures("recorded")
def test_only_the_kernel_judges_them(manager: Callable[..., AuthManager]) -> None:
    """A provider of many tenants needs the exchange in the kernel."""
    widget = AuthWidget(auth_manager=manager())
    assert widget.ticket["exchange"] == "kernel"
    with pytest.raises(ConfigurationError, match="tenants"):
        AuthWidget(auth_manager=manager(), exchange="browser")
    widget.close()


# Metadata at another address


def test_metadata_elsewhere(fake: FakeProvider) -> None:
    fake.answers["/.well-known/openid-configuration"] = Answer(404)
    fake.answers["/elsewhere"] = Answer.json(fake.metadata())
    place = fake.issuer + "/elsewhere"
    provider = Provider.discover(fake.issuer, metadata_url=place)
    assert (provider.issuer, provider.token_endpoint) == (fake.issuer, fake.issuer + "/token")
    assert Provider.discover(fake.issuer, metadata_url=place) == provider
    assert fake.calls("/elsewhere") == 1
    with pytest.raises(DiscoveryError):
        Provider.discover(fake.issuer)


def test_it_names_the_issuer_all_the_same(fake: FakeProvider) -> None:
    fake.answers["/elsewhere"] = Answer.json(fake.metadata(issuer=fake.issuer + "/other"))
    with pytest.raises(DiscoveryError) as refused:
        Provider.discover(fake.issuer, metadata_url=fake.issuer + "/elsewhere")
    assert refused.value.code == "discovery_issuer_mismatch"
    fake.answers["/missing"] = Answer(404)
    with pytest.raises(DiscoveryError) as refused:
        Provider.discover(fake.issuer, metadata_url=fake.issuer + "/missing")
    assert refused.value.code == "discovery_invalid"
    assert fake.calls("/.well-known/oauth-authorization-server") == 0


@pytest.mark.parametrize(
    ("issuer", "place", "code"),
    [
        ("https://login.example", "http://login.example/metadata", "endpoint_insecure"),
        ("https://login.example", "http://127.0.0.1:9/metadata", "endpoint_on_loopback"),
    ],
)
def test_addresses_that_are_not_asked(issuer: str, place: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Provider.discover(issuer, metadata_url=place)
    assert refused.value.code == code
