"""ID tokens, their keys and their metadata: edge cases of real providers."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fake_provider import CLIENT_ID, Answer, FakeProvider, SigningKey
from test_auth_manager import response, signed_in
from tokentoss import (
    AuthManager,
    ConfigurationError,
    DiscoveryError,
    IdTokenError,
    Provider,
    SignInError,
    TokenExchangeError,
    TokenRefreshError,
)
from tokentoss.logs import redact
from tokentoss.oauth import discovery
from tokentoss.oauth.id_token import access_token_hash, validate_id_token
from tokentoss.util.http import Answer as HttpAnswer

Make = Callable[..., AuthManager]


def test_further_audiences_are_trusted_by_name(fake: FakeProvider) -> None:
    """An additional audience is refused unless trusted_audiences names it (F11)."""
    token = fake.id_token(aud=[CLIENT_ID, "2000@proj"], azp=CLIENT_ID)
    with pytest.raises(IdTokenError) as refusal:
        validate_id_token(token, provider=fake.provider(), client_id=CLIENT_ID)
    assert refusal.value.code == "id_token_audience_mismatch"
    assert str(refusal.value) == (
        "The ID token was made for 2000@proj. Check the client ID; "
        "if you want that audience, name it in Provider(trusted_audiences=…)."
    )
    trusting = fake.provider(trusted_audiences=("2000@proj",))
    assert validate_id_token(token, provider=trusting, client_id=CLIENT_ID).subject == "user-1"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": ["2000@proj"], "azp": CLIENT_ID}, "id_token_audience_mismatch"),
        ({"aud": "2000@proj"}, "id_token_audience_mismatch"),
        ({"aud": [CLIENT_ID, "2000@proj", "x"], "azp": CLIENT_ID}, "id_token_audience_mismatch"),
        ({"aud": [CLIENT_ID, "2000@proj"]}, "id_token_authorized_party_mismatch"),
        ({"aud": [CLIENT_ID, "2000@proj"], "azp": "2000@proj"}, "id_token_authorized_party_mismatch"),
    ],
)
def test_a_trusted_audience_does_not_stand_for_the_client(
    fake: FakeProvider, claims: dict[str, object], code: str
) -> None:
    """A trusted audience replaces the client neither in aud nor in azp (F11)."""
    trusting = fake.provider(trusted_audiences=("2000@proj",))
    with pytest.raises(IdTokenError) as refusal:
        validate_id_token(fake.id_token(**claims), provider=trusting, client_id=CLIENT_ID)
    assert refusal.value.code == code


def test_trusted_audiences_are_a_list(fake: FakeProvider) -> None:
    with pytest.raises(ConfigurationError, match="trusted_audiences"):
        fake.provider(trusted_audiences="2000@proj")


def test_an_expiry_as_text_sends_nobody_in_a_circle(make_manager: Make, fake: FakeProvider) -> None:
    """A text as exp gives id_token_expiry_invalid, without advice to sign in again (F33)."""
    token = fake.id_token(nonce="n", exp=str(int(time.time()) + 3600))
    with pytest.raises(IdTokenError) as refusal:
        make_manager().accept(response(fake, id_token=token), nonce="n")
    assert refusal.value.code == "id_token_expiry_invalid"
    assert "ign in again" not in str(refusal.value)
    assert str(refusal.value).endswith("to check its OpenID settings.")


@pytest.mark.parametrize(("seconds", "code"), [(1, ""), (59, ""), (120, "id_token_older")])
def test_a_renewed_id_token_may_be_a_little_older(
    make_manager: Make, fake: FakeProvider, seconds: int, code: str
) -> None:
    """A renewed ID token may be slightly older than the one before, but not much (E8)."""
    now = int(time.time())
    manager = signed_in(make_manager, fake, expires_in=-10, claims={"iat": now - 30, "exp": now + 1})
    token = fake.id_token(iat=now - 30 - seconds, at_hash=access_token_hash("access-2", "RS256"))
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=token))
    if not code:
        assert manager.refresh_tokens().id_token == token
        return
    with pytest.raises(TokenRefreshError) as refusal:
        manager.refresh_tokens()
    assert refusal.value.code == code
    assert "older than the one before" in str(refusal.value)


def test_an_unknown_key_is_refused_though_the_network_is_cut(
    fake: FakeProvider, other_key: SigningKey
) -> None:
    """With cached keys, an unknown key is refused even without network (S8)."""
    provider = fake.provider()
    assert validate_id_token(fake.id_token(), provider=provider, client_id=CLIENT_ID).signature_checked
    fake.answers["/keys"] = Answer(503)
    with pytest.raises(IdTokenError) as refusal:
        validate_id_token(other_key.sign(fake.claims()), provider=provider, client_id=CLIENT_ID)
    assert refusal.value.code == "id_token_key_unknown"


def test_without_any_keys_the_signature_is_checked_later(fake: FakeProvider, other_key: SigningKey) -> None:
    """Without any keys, the token is accepted with signature_checked False (S8)."""
    fake.answers["/keys"] = Answer(503)
    token = other_key.sign(fake.claims())
    assert not validate_id_token(token, provider=fake.provider(), client_id=CLIENT_ID).signature_checked


def test_a_short_rsa_key_signs_nothing(fake: FakeProvider) -> None:
    """A token signed with a 1024-bit RSA key is refused (S17, RFC 7518 section 3.3)."""
    short = SigningKey("short")
    short.private = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    fake.keys = [fake.key.jwk(), short.jwk()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyJWT's own, which newer versions have
        token = short.sign(fake.claims())
    with pytest.raises(IdTokenError) as refusal:
        validate_id_token(token, provider=fake.provider(), client_id=CLIENT_ID)
    assert refusal.value.code == "id_token_key_unknown"


def test_a_nonce_that_has_no_utf_8_form_is_a_wrong_nonce(fake: FakeProvider) -> None:
    """A lone surrogate in nonce or hd is reported as a mismatch (S17)."""
    token = fake.id_token(nonce="\ud800")
    with pytest.raises(IdTokenError) as refusal:
        validate_id_token(token, provider=fake.provider(), client_id=CLIENT_ID, nonce="n")
    assert refusal.value.code == "id_token_nonce_mismatch"
    with pytest.raises(SignInError) as domain:
        validate_id_token(
            fake.id_token(hd="\ud800"), provider=fake.provider(), client_id=CLIENT_ID, hosted_domain="x"
        )
    assert domain.value.code == "hosted_domain_mismatch"


@pytest.mark.parametrize("part", ["eyJ", "eyJaaaaaaaa", "Bearer ", "code=", "1//", "_token="])
def test_redaction_takes_time_in_proportion(part: str) -> None:
    """Redaction takes time roughly in proportion to the length of the text (S17)."""

    def seconds(length: int) -> float:
        text = (part * (length // len(part) + 1))[:length]
        began = time.process_time()
        redact(text)
        return time.process_time() - began

    small = max(min(seconds(20_000) for _ in range(3)), 0.001)
    assert min(seconds(200_000) for _ in range(3)) < 40 * small


def test_metadata_with_shared_secrets_only_says_what_is_wrong(fake: FakeProvider) -> None:
    """Metadata that lists only HS256 is refused, and the error names HS256 (F19)."""
    metadata = fake.metadata(id_token_signing_alg_values_supported=["HS256"])
    fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
    with pytest.raises(DiscoveryError) as refusal:
        Provider.discover(fake.issuer)
    assert refusal.value.code == "discovery_algorithms_refused"
    assert str(refusal.value).startswith(
        f"{fake.issuer} signs ID tokens with HS256, which can't be checked with a public key."
    )


def test_scopes_as_a_list_are_taken(make_manager: Make, fake: FakeProvider) -> None:
    """A list of strings as scope, as Twitch sends it, is accepted; a list with a number is not (F20)."""
    manager = make_manager()
    fake.answers["/token"] = Answer.json(
        fake.token_response(scope=["openid", "chat:read"], id_token=fake.id_token(nonce="n"))
    )
    assert manager.accept_code("c", "v", "http://localhost", nonce="n").scopes == ["openid", "chat:read"]
    fake.answers["/token"] = Answer.json(fake.token_response(scope=["openid", 7]))
    with pytest.raises(TokenExchangeError) as refusal:
        manager.accept_code("c", "v", "http://localhost", nonce="n")
    assert refusal.value.code == "token_response_invalid"


@pytest.mark.parametrize(
    ("needs", "supported", "asked", "prompt"),
    [
        (True, ["openid", "offline_access"], None, "consent"),
        (True, ["openid"], ["openid", "offline_access"], "consent"),
        (True, ["openid"], None, None),
        (True, ["openid", "offline_access"], ["openid"], None),
        (False, ["openid", "offline_access"], None, None),
        (False, ["openid"], ["openid", "offline_access"], None),
    ],
)
def test_consent_is_asked_for_where_it_brings_a_refresh_token(
    make_manager: Make,
    fake: FakeProvider,
    needs: bool,
    supported: list[str],
    asked: list[str] | None,
    prompt: str | None,
) -> None:
    """prompt=consent is sent only if offline_access needs it (F9, H3)."""
    metadata = fake.metadata(scopes_supported=supported)
    fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
    provider = replace(Provider.discover(fake.issuer), offline_access_needs_consent=needs)
    manager = make_manager(provider=provider, scopes=asked)
    assert manager.authorization_params().get("prompt") == prompt


@pytest.mark.parametrize(
    ("issuer", "needs"),
    [
        ("https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0", False),
        ("https://login.microsoftonline.com/organizations/v2.0", False),
        ("https://login.microsoftonline.us/11111111-2222-3333-4444-555555555555/v2.0", False),
        ("https://contoso.ciamlogin.com/11111111-2222-3333-4444-555555555555/v2.0", False),
        ("https://example.okta.com", False),
        ("https://example.okta.com/oauth2/default", False),
        ("https://example.eu.auth0.com/", False),
        ("https://login.microsoftonline.com.evil.example/x/v2.0", True),
        ("https://sso.example.com", True),
    ],
)
def test_discovery_knows_who_needs_no_consent(
    monkeypatch: pytest.MonkeyPatch, issuer: str, needs: bool
) -> None:
    """Discovery tells by the issuer whether offline_access needs consent (F9)."""
    metadata = {
        "issuer": issuer,
        "authorization_endpoint": "https://idp.example/auth",
        "token_endpoint": "https://idp.example/token",
        "jwks_uri": "https://idp.example/keys",
        "scopes_supported": ["openid", "offline_access"],
    }
    answer = HttpAnswer(200, {}, b"")
    monkeypatch.setattr(discovery, "_fetched", lambda *_: (metadata, answer))
    provider = Provider.discover(issuer)
    assert provider.scopes == ("openid", "offline_access")
    assert provider.offline_access_needs_consent is needs
