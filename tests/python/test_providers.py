from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from tokentoss import GOOGLE, ConfigurationError, DiscoveryError, Provider
from tokentoss.providers import PROTECTED_PARAMETERS

METADATA = "/.well-known/openid-configuration"


def test_google_is_data() -> None:
    assert GOOGLE.issuer == "https://accounts.google.com"
    assert GOOGLE.authorization_endpoint == "https://accounts.google.com/o/oauth2/v2/auth"
    assert GOOGLE.scopes == ("openid", "email", "profile")
    assert GOOGLE.authorization_params == {"access_type": "offline"}
    assert GOOGLE.redirect_path == "/"


def test_discovery(fake: FakeProvider) -> None:
    fake.answers[METADATA] = Answer.json(
        fake.metadata(
            scopes_supported=["openid", "email", "offline_access"],
            authorization_response_iss_parameter_supported=True,
            id_token_signing_alg_values_supported=["none", "HS256", "RS256", "ES256"],
        )
    )
    provider = Provider.discover(fake.issuer, name="Local")
    assert provider.name == "Local"
    assert provider.token_endpoint == fake.issuer + "/token"
    assert provider.scopes == ("openid", "email", "offline_access")
    assert provider.consent_params == {"prompt": "consent"}
    assert provider.iss_parameter_supported
    assert provider.id_token_signing_algs == ("RS256", "ES256")
    assert Provider.discover(fake.issuer).name == "127.0.0.1"


@pytest.mark.parametrize("change", ["/", "x", "", None, 7, "HTTP"])
def test_metadata_of_another_issuer(fake: FakeProvider, change: Any) -> None:
    """C50: compared to the letter."""
    issuer = fake.issuer + change if isinstance(change, str) and change in {"/", "x"} else change
    if change == "HTTP":
        issuer = fake.issuer.replace("http", "HTTP")
    fake.answers[METADATA] = Answer.json(fake.metadata(issuer=issuer))
    with pytest.raises(DiscoveryError) as refusal:
        Provider.discover(fake.issuer)
    assert refusal.value.code == "discovery_issuer_mismatch"


@pytest.mark.parametrize("member", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("value", [None, 1, "", "http://provider.example/x", "javascript:alert(1)", "/x"])
def test_unsafe_or_missing_endpoints(fake: FakeProvider, member: str, value: Any) -> None:
    """C10, C51."""
    fake.answers[METADATA] = Answer.json(fake.metadata(**{member: value}))
    with pytest.raises(DiscoveryError, match=member) as refusal:
        Provider.discover(fake.issuer)
    assert refusal.value.code == "discovery_invalid"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(200, b"<html>down for maintenance</html>"), "discovery_invalid"),
        (Answer(200, b""), "discovery_invalid"),
        (Answer(200, b"[]"), "discovery_invalid"),
        (Answer(200, b"{" * 9000), "discovery_invalid"),
        (Answer(200, b" " * 300_000), "discovery_invalid"),
        (Answer(404, b"{}"), "discovery_invalid"),
        (Answer(503, b"{}"), "discovery_unreachable"),
        (Answer(302, b"", {"Location": "/elsewhere"}), "discovery_invalid"),
    ],
)
def test_answers_that_are_no_metadata(fake: FakeProvider, answer: Answer, code: str) -> None:
    fake.answers[METADATA] = answer
    with pytest.raises(DiscoveryError) as refusal:
        Provider.discover(fake.issuer)
    assert refusal.value.code == code
    assert fake.issuer in str(refusal.value)
    assert fake.calls("/elsewhere") == 0, "redirects are not followed"


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_provider_that_is_down(closed_port: int) -> None:
    with pytest.raises(DiscoveryError) as refusal:
        Provider.discover(f"http://127.0.0.1:{closed_port}")
    assert refusal.value.code == "discovery_unreachable"


@pytest.mark.parametrize("issuer", ["http://provider.example", "javascript:alert(1)", "provider.example", ""])
def test_an_insecure_issuer_is_not_asked(issuer: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Provider.discover(issuer)
    assert refusal.value.code == "endpoint_insecure"


@pytest.mark.parametrize("member", ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url", ["http://x.example", "javascript:1", " https://x.example", "https://x.example#f"]
)
def test_a_provider_with_an_insecure_endpoint_cannot_be_made(
    fake: FakeProvider, member: str, url: str
) -> None:
    """C10, C51."""
    with pytest.raises(ConfigurationError, match=member) as refusal:
        fake.provider(**{member: url})
    assert refusal.value.code == "endpoint_insecure"


@pytest.mark.parametrize("parameter", sorted(PROTECTED_PARAMETERS))
@pytest.mark.parametrize("where", ["authorization_params", "consent_params"])
def test_protected_parameters(fake: FakeProvider, parameter: str, where: str) -> None:
    """C11."""
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(**{where: {parameter: "x"}})
    assert refusal.value.code == "parameter_protected"


def test_openid_is_needed(fake: FakeProvider) -> None:
    """C8."""
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(scopes=("email",))
    assert refusal.value.code == "scope_openid_missing"


@pytest.mark.parametrize("algorithms", [("none",), ("HS256",), ("RS256", "HS512"), ("ROT13",), ()])
def test_algorithms_without_a_public_key(fake: FakeProvider, algorithms: tuple[str, ...]) -> None:
    """C54."""
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(id_token_signing_algs=algorithms)
    assert refusal.value.code == "id_token_algorithm_refused"


def test_metadata_without_an_acceptable_algorithm(fake: FakeProvider) -> None:
    """C54."""
    fake.answers[METADATA] = Answer.json(
        fake.metadata(id_token_signing_alg_values_supported=["HS256", "none"])
    )
    with pytest.raises(DiscoveryError) as refusal:
        Provider.discover(fake.issuer)
    assert refusal.value.code == "discovery_invalid"


@pytest.mark.parametrize("path", ["", "callback", "/a?b", "/a#b"])
def test_a_redirect_path_is_a_path(fake: FakeProvider, path: str) -> None:
    with pytest.raises(ConfigurationError, match="path"):
        fake.provider(redirect_path=path)
