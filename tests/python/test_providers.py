from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from tokentoss import BOX, GOOGLE, ClientConfig, ConfigurationError, DiscoveryError, Provider
from tokentoss.oauth import catalogue
from tokentoss.oauth import discovery as metadata
from tokentoss.oauth.constants import PROTECTED_PARAMETERS

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
    assert provider.consent_for(list(provider.scopes)) == {"prompt": "consent"}
    assert provider.iss_parameter_supported
    assert provider.id_token_signing_algs == ("RS256", "ES256")
    assert Provider.discover(fake.issuer).name == "127.0.0.1"


@pytest.mark.parametrize("change", ["/", "x", "", None, 7, "HTTP"])
def test_metadata_of_another_issuer(fake: FakeProvider, change: Any) -> None:
    """Metadata is refused unless its issuer is exactly the one asked for (C50)."""
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
    """Metadata in which a required endpoint is missing or insecure is refused (C10, C51)."""
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
    """A provider with an insecure issuer or required endpoint is refused (C10, C51)."""
    with pytest.raises(ConfigurationError, match=member) as refusal:
        fake.provider(**{member: url})
    assert refusal.value.code == "endpoint_insecure"


@pytest.mark.parametrize("parameter", sorted(PROTECTED_PARAMETERS))
@pytest.mark.parametrize("where", ["authorization_params", "consent_params"])
def test_protected_parameters(fake: FakeProvider, parameter: str, where: str) -> None:
    """A protected parameter in authorization_params or consent_params is refused (C11)."""
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(**{where: {parameter: "x"}})
    assert refusal.value.code == "parameter_protected"


def test_openid_is_needed(fake: FakeProvider) -> None:
    """An OpenID Connect provider whose scopes lack openid is refused (C8)."""
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(scopes=("email",))
    assert refusal.value.code == "scope_openid_missing"


@pytest.mark.parametrize("algorithms", [("none",), ("HS256",), ("RS256", "HS512"), ("ROT13",), ()])
def test_algorithms_without_a_public_key(fake: FakeProvider, algorithms: tuple[str, ...]) -> None:
    """An empty list of ID token algorithms, or one with none, HS* or an unknown name, is refused (C54)."""
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(id_token_signing_algs=algorithms)
    assert refusal.value.code == "id_token_algorithm_refused"


def test_metadata_without_an_acceptable_algorithm(fake: FakeProvider) -> None:
    """Metadata without a supported algorithm is refused with advice (C54, F19)."""
    fake.answers[METADATA] = Answer.json(
        fake.metadata(id_token_signing_alg_values_supported=["HS256", "none"])
    )
    with pytest.raises(DiscoveryError) as refusal:
        Provider.discover(fake.issuer)
    assert refusal.value.code == "discovery_algorithms_refused"
    assert str(refusal.value).startswith(
        f"{fake.issuer} signs ID tokens with HS256, none, which can't be checked with a public key. "
        "Ask its administrator for a signing key of type RS256 or ES256"
    )


@pytest.mark.parametrize("path", ["", "callback", "/a?b", "/a#b"])
def test_a_redirect_path_is_a_path(fake: FakeProvider, path: str) -> None:
    with pytest.raises(ConfigurationError, match="path"):
        fake.provider(redirect_path=path)


OAUTH_METADATA = "/.well-known/oauth-authorization-server"
DATA = json.loads(Path(catalogue.__file__).with_name("providers.json").read_text())["providers"]
PROVIDERS_PAGE = Path(__file__).parents[2] / "docs" / "providers.md"


def example(name: str) -> Provider:
    values = {key: described["example"] for key, described in catalogue.parameters_of(name).items()}
    return Provider.named(name, **values)


@pytest.mark.parametrize("name", catalogue.names())
def test_every_provider_of_the_file_can_be_made(name: str) -> None:
    provider = example(name)
    members = {
        member: value
        for member, value in DATA[name].items()
        if member not in {"forgets_after_days", "issuer_patterns", "parameters", "sources"}
    }
    for member, value in members.items():
        made = getattr(provider, member)
        shown = list(made) if isinstance(made, tuple) else made
        text = json.dumps(value)
        for key, described in catalogue.parameters_of(name).items():
            text = text.replace(f"{{{key}}}", described["example"])
        assert shown == json.loads(text), member


@pytest.mark.parametrize("name", catalogue.names())
def test_the_page_about_providers_cites_every_source(name: str) -> None:
    page = PROVIDERS_PAGE.read_text()
    assert f"`{name}`" in page
    for source in DATA[name]["sources"]:
        assert source in page


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("nobody", {}, "provider_unknown"),
        ("microsoft", {}, "provider_parameter_invalid"),
        ("microsoft", {"tenant": "common"}, "provider_parameter_invalid"),
        ("microsoft", {"tenant": "../x"}, "provider_parameter_invalid"),
        ("okta", {"domain": "evil.example/path?"}, "provider_parameter_invalid"),
        ("okta", {"domain": "user@evil.example"}, "provider_parameter_invalid"),
        ("keycloak", {"domain": "sso.example", "realm": "a/b"}, "provider_parameter_invalid"),
        ("google", {"tenant": "x"}, "provider_parameter_invalid"),
    ],
)
def test_names_and_parameters_that_are_refused(name: str, values: dict[str, str], code: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Provider.named(name, **values)
    assert refusal.value.code == code


def test_a_default_and_a_domain_of_ones_own() -> None:
    assert Provider.named("gitlab").issuer == "https://gitlab.com"
    own = Provider.named("gitlab", domain="git.example:8443")
    assert own.token_endpoint == "https://git.example:8443/oauth/token"
    assert Provider.of("https://gitlab.com") == Provider.named("gitlab")
    assert Provider.of("https://accounts.google.com") == GOOGLE


def test_a_client_file_tells_its_provider() -> None:
    box = ClientConfig("id", "s", auth_uri=BOX.authorization_endpoint, token_uri=BOX.token_endpoint)
    assert box.provider() == BOX
    mixed = ClientConfig("id", "s", auth_uri="https://evil.example/a", token_uri=BOX.token_endpoint)
    assert mixed.known_provider is None


@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"identity_members": {"login": "login"}},
        {"identity_members": {"subject": "id", "shoe_size": "size"}},
        {"scope_separator": ";"},
        {"access_token_lifetime": 0},
        {"branding": {"background": "red;} body {display: none"}},
        {"branding": {"icon": "https://tracker.example/x.png"}},
        {"branding": {"font": "x"}},
    ],
)
def test_values_that_are_refused(fake: FakeProvider, members: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(**members)
    assert refusal.value.code == "provider_value_invalid"


def test_without_id_tokens_somebody_must_say_who_signed_in(fake: FakeProvider) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(openid_connect=False, jwks_uri="", scopes=())
    assert refusal.value.code == "provider_identity_missing"
    made = fake.provider(openid_connect=False, jwks_uri="", scopes=(), identity_endpoint=fake.issuer + "/me")
    assert made.scopes == ()


@pytest.mark.parametrize(
    "member", ["userinfo_endpoint", "identity_endpoint", "device_authorization_endpoint"]
)
def test_optional_endpoints_are_checked_too(fake: FakeProvider, member: str) -> None:
    """A provider with an insecure optional endpoint is refused (C51)."""
    with pytest.raises(ConfigurationError, match=member) as refusal:
        fake.provider(**{member: "http://provider.example/x"})
    assert refusal.value.code == "endpoint_insecure"


def test_discovery_reads_what_else_there_is(fake: FakeProvider) -> None:
    fake.answers[METADATA] = Answer.json(
        fake.metadata(
            userinfo_endpoint=fake.issuer + "/me",
            revocation_endpoint=fake.issuer + "/revoke",
            device_authorization_endpoint=fake.issuer + "/device",
            token_endpoint_auth_methods_supported=["client_secret_basic", "private_key_jwt"],
            code_challenge_methods_supported=["S256"],
        )
    )
    provider = Provider.discover(fake.issuer)
    assert provider.userinfo_endpoint == fake.issuer + "/me"
    assert provider.revocation_endpoint == fake.issuer + "/revoke"
    assert provider.device_authorization_endpoint == fake.issuer + "/device"
    assert provider.token_endpoint_auth_method == "client_secret_basic"
    assert provider.token_endpoint_cors is None, "nobody has tried yet"


@pytest.mark.parametrize("path", ["", "/tenant/one"])
def test_oauth_metadata(fake: FakeProvider, path: str) -> None:
    """OAuth metadata is found with the well-known part before the path (RFC 8414 section 3.1)."""
    issuer = fake.issuer + path
    fake.answers[path + METADATA] = Answer(404)
    members = fake.metadata(issuer=issuer, userinfo_endpoint=fake.issuer + "/me", scopes_supported=["files"])
    for name in ("jwks_uri", "id_token_signing_alg_values_supported"):
        del members[name]
    fake.answers[OAUTH_METADATA + path] = Answer.json(members)
    provider = Provider.discover(issuer)
    assert (provider.issuer, provider.openid_connect, provider.scopes) == (issuer, False, ())
    assert provider.identity_endpoint == fake.issuer + "/me"
    assert provider.identity_members["subject"] == "sub"


def test_oauth_metadata_of_another_issuer(fake: FakeProvider) -> None:
    """OAuth server metadata that names another issuer is refused (C50)."""
    fake.answers[METADATA] = Answer(404)
    fake.answers[OAUTH_METADATA] = Answer.json(fake.metadata(issuer="https://other.example"))
    with pytest.raises(DiscoveryError) as refusal:
        Provider.discover(fake.issuer)
    assert refusal.value.code == "discovery_issuer_mismatch"


@pytest.mark.parametrize(
    ("cache_control", "fetches"),
    [
        ("", 1),
        ("public, max-age=600", 1),
        ("max-age=0", 3),
        ("no-store", 3),
        ("no-cache, max-age=600", 3),
        ("private; s-maxage=9", 1),
    ],
)
def test_metadata_is_kept_as_long_as_it_says(fake: FakeProvider, cache_control: str, fetches: int) -> None:
    fake.answers[METADATA] = Answer.json(fake.metadata(), Cache_Control=cache_control)
    named = [Provider.discover(fake.issuer, name=name).name for name in ("a", "b", "c")]
    assert named == ["a", "b", "c"]
    assert fake.calls(METADATA) == fetches


def test_kept_metadata_expires(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.answers[METADATA] = Answer.json(fake.metadata(), Cache_Control="max-age=600")
    Provider.discover(fake.issuer)
    fake.answers[METADATA] = Answer.json(fake.metadata(token_endpoint=fake.issuer + "/moved"))
    assert Provider.discover(fake.issuer).token_endpoint == fake.issuer + "/token"
    now = time.monotonic()
    monkeypatch.setattr(metadata.time, "monotonic", lambda: now + 601)
    assert Provider.discover(fake.issuer).token_endpoint == fake.issuer + "/moved"


def test_kept_metadata_can_be_fetched_afresh(fake: FakeProvider) -> None:
    Provider.discover(fake.issuer)
    fake.answers[METADATA] = Answer(503)
    assert Provider.discover(fake.issuer).issuer == fake.issuer
    with pytest.raises(DiscoveryError):
        Provider.discover(fake.issuer, fresh=True)


def test_metadata_that_is_refused_is_not_kept(fake: FakeProvider) -> None:
    fake.answers[METADATA] = Answer.json(fake.metadata(token_endpoint="http://provider.example/x"))
    for _ in range(2):
        with pytest.raises(DiscoveryError):
            Provider.discover(fake.issuer)
    assert fake.calls(METADATA) == 2
