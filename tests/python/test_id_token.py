from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from fake_provider import CLIENT_ID, Answer, FakeProvider, SigningKey
from hypothesis import given
from hypothesis import strategies as st
from tokentoss import GOOGLE, IdTokenError, TokenTossError
from tokentoss.oauth import jwks
from tokentoss.oauth.id_token import access_token_hash, validate_id_token
from tokentoss.util.base64url import b64url, from_b64url


def validate(fake: FakeProvider, token: str, **arguments: Any) -> Any:
    return validate_id_token(token, provider=fake.provider(), client_id=CLIENT_ID, **arguments)


def refusal_of(fake: FakeProvider, token: str, **arguments: Any) -> str:
    with pytest.raises(TokenTossError) as refusal:
        validate(fake, token, **arguments)
    assert len(token) < 40 or token[20:40] not in str(refusal.value)
    return refusal.value.code


def test_a_valid_token(fake: FakeProvider) -> None:
    claims = validate(
        fake,
        fake.id_token(nonce="n", aud=[CLIENT_ID], azp=CLIENT_ID, hd="example.com"),
        nonce="n",
        hosted_domain="example.com",
    )
    assert (claims.subject, claims.email, claims.nonce) == ("user-1", "ada@example.com", "n")
    assert claims.signature_checked
    assert claims.display_name == "ada@example.com"


NOW = int(time.time())
BAD_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"iss": "https://accounts.example"}, "id_token_issuer_mismatch"),
    ({"iss": None}, "id_token_issuer_mismatch"),
    ({"iss": ["x"]}, "id_token_issuer_mismatch"),
    ({"aud": "other"}, "id_token_audience_mismatch"),
    ({"aud": None}, "id_token_audience_mismatch"),
    ({"aud": []}, "id_token_audience_mismatch"),
    ({"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}, "id_token_audience_mismatch"),
    ({"aud": {"client": CLIENT_ID}}, "id_token_audience_mismatch"),
    ({"aud": CLIENT_ID[:-1]}, "id_token_audience_mismatch"),
    ({"aud": [CLIENT_ID, CLIENT_ID]}, "id_token_authorized_party_mismatch"),
    ({"azp": "other"}, "id_token_authorized_party_mismatch"),
    ({"azp": 7}, "id_token_authorized_party_mismatch"),
    ({"nonce": "other"}, "id_token_nonce_mismatch"),
    ({"nonce": None}, "id_token_nonce_mismatch"),
    ({"nonce": 5}, "id_token_nonce_mismatch"),
    ({"exp": NOW - 120, "iat": NOW - 3720}, "id_token_expired"),
    ({"exp": None}, "id_token_expiry_invalid"),
    ({"exp": str(NOW + 3600)}, "id_token_expiry_invalid"),
    ({"exp": True}, "id_token_expiry_invalid"),
    ({"exp": 10**30}, "id_token_expiry_invalid"),
    ({"exp": -5}, "id_token_expired"),
    ({"iat": None}, "id_token_issued_at_invalid"),
    ({"iat": str(NOW)}, "id_token_issued_at_invalid"),
    ({"iat": 0}, "id_token_issued_at_invalid"),
    ({"iat": NOW + 7300, "exp": NOW + 7200}, "id_token_issued_at_invalid"),
    ({"iat": NOW + 7200, "exp": NOW + 10800}, "clock_skew"),
    ({"sub": None}, "id_token_subject_missing"),
    ({"sub": ""}, "id_token_subject_missing"),
    ({"sub": "x" * 256}, "id_token_subject_missing"),
    ({"sub": 17}, "id_token_subject_missing"),
    ({"at_hash": "wrong"}, "id_token_access_token_hash_mismatch"),
    ({"at_hash": None, "x": 1}, ""),
    ({"at_hash": 5}, "id_token_access_token_hash_mismatch"),
]


@pytest.mark.parametrize(("claims", "code"), BAD_CLAIMS)
@pytest.mark.parametrize("reachable", [True, False])
def test_wrong_claims_are_refused(
    fake: FakeProvider, claims: dict[str, Any], code: str, reachable: bool
) -> None:
    """Wrong claims are refused, with and without keys (C7, C52, C53, C56, C57, modules B2, B3)."""
    if not reachable:
        fake.answers["/keys"] = Answer(503)
    token = fake.id_token(**({"nonce": "n"} | claims))
    if code:
        assert refusal_of(fake, token, nonce="n", access_token="a") == code
    else:
        assert validate(fake, token, nonce="n", access_token="a").signature_checked is reachable


def test_leeway(fake: FakeProvider) -> None:
    """An exp may be 30 seconds over and an iat 30 seconds ahead, but neither 90 (C56)."""
    validate(fake, fake.id_token(iat=NOW - 3600, exp=int(time.time()) - 30))
    validate(fake, fake.id_token(iat=int(time.time()) + 30))
    assert refusal_of(fake, fake.id_token(iat=NOW - 3600, exp=int(time.time()) - 90)) == "id_token_expired"
    assert refusal_of(fake, fake.id_token(iat=int(time.time()) + 90)) == "clock_skew"


def test_a_token_that_is_not_valid_yet(fake: FakeProvider) -> None:
    """An nbf may be 30 seconds ahead, but not 90, and must be a number (C56, RFC 7519 section 4.1.5)."""
    validate(fake, fake.id_token(nbf=int(time.time()) + 30))
    assert refusal_of(fake, fake.id_token(nbf=int(time.time()) + 90)) == "clock_skew"
    assert refusal_of(fake, fake.id_token(nbf="soon")) == "id_token_malformed"


@pytest.mark.parametrize(
    ("claims", "passes"),
    [
        ({"hd": "example.com"}, True),
        ({"hd": "evil.example"}, False),
        ({"hd": None, "email": "eve@example.com"}, False),
        ({"hd": ["example.com"]}, False),
        ({"hd": "EXAMPLE.com"}, False),
    ],
)
def test_hosted_domain(fake: FakeProvider, claims: dict[str, Any], passes: bool) -> None:
    """Only the hd claim decides on the hosted domain, not the e-mail address (C58)."""
    token = fake.id_token(**claims)
    if passes:
        validate(fake, token, hosted_domain="example.com")
    else:
        assert refusal_of(fake, token, hosted_domain="example.com") == "hosted_domain_mismatch"


def test_at_hash(fake: FakeProvider) -> None:
    """The at_hash of OpenID Connect Core A.3 is reproduced, and a right one is accepted (C57)."""
    example = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert access_token_hash(example, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    validate(fake, fake.id_token(at_hash=access_token_hash("a", "RS256")), access_token="a")


def test_algorithms_that_anyone_can_use(fake: FakeProvider, signing_key: SigningKey) -> None:
    """none, HS256 and unlisted algorithms are refused (C54, modules B9, FAPI invalid-null-alg)."""
    claims = fake.claims()
    unsigned = jwt.encode(claims, None, algorithm="none", headers={"kid": "key-1"})
    assert refusal_of(fake, unsigned) == "id_token_algorithm_refused"
    body = unsigned.rsplit(".", 1)[0].split(".")[1]
    for header in (
        b'{"alg":"HS256","kid":"key-1"}',
        b'{"alg":"nOnE"}',
        b'{"alg":null}',
        b'{"alg":["RS256"]}',
        b"{}",
    ):
        forged = f"{b64url(header)}.{body}.{b64url(b'x' * 32)}"
        assert refusal_of(fake, forged) == "id_token_algorithm_refused"
    assert refusal_of(fake, signing_key.sign(claims, "PS256")) == "id_token_algorithm_refused"


def test_a_forged_signature(fake: FakeProvider, other_key: SigningKey) -> None:
    """Another key's signature, a changed claim and a missing signature are refused (C54, C60)."""
    claims = fake.claims()
    assert refusal_of(fake, other_key.sign(claims, kid="key-1")) == "id_token_signature_invalid"
    head, _, signature = fake.id_token().split(".")
    other = fake.id_token(sub="root").split(".")[1]
    assert refusal_of(fake, f"{head}.{other}.{signature}") == "id_token_signature_invalid"
    assert refusal_of(fake, f"{head}.{other}.") == "id_token_signature_invalid"


def test_a_key_in_the_header_is_not_trusted(fake: FakeProvider, other_key: SigningKey) -> None:
    """Keys in the header's jwk and jku are ignored (C54)."""
    token = other_key.sign(fake.claims(), kid="key-1", jwk=other_key.jwk(), jku=fake.issuer + "/evil")
    assert refusal_of(fake, token) == "id_token_signature_invalid"
    assert fake.calls("/evil") == 0


def test_other_algorithms_work_where_they_are_configured(fake: FakeProvider, signing_key: SigningKey) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    entry = jwt.algorithms.ECAlgorithm.to_jwk(curve.public_key(), as_dict=True)
    fake.keys = [signing_key.jwk(alg="PS256"), entry | {"kid": "curve", "use": "sig"}]
    provider = fake.provider(id_token_signing_algs=("PS256", "ES256"))
    for token in (
        signing_key.sign(fake.claims(), "PS256"),
        jwt.encode(fake.claims(), curve, algorithm="ES256", headers={"kid": "curve"}),
    ):
        assert validate_id_token(token, provider=provider, client_id=CLIENT_ID).signature_checked


def test_a_token_without_a_key_id(fake: FakeProvider, signing_key: SigningKey, other_key: SigningKey) -> None:
    """A token without kid is checked with every suitable key (C55, modules kid-absent-*)."""
    nameless = SigningKey.__new__(SigningKey)
    nameless.key_id, nameless.private = None, signing_key.private
    token = nameless.sign(fake.claims())
    fake.keys = [nameless.jwk()]
    assert validate(fake, token).signature_checked
    jwks._published.clear()
    fake.keys = [other_key.jwk(), signing_key.jwk()]
    assert validate(fake, token).signature_checked
    jwks._published.clear()
    fake.keys = [other_key.jwk()]
    assert refusal_of(fake, token) == "id_token_signature_invalid"


def test_rotation_fetches_again_once(
    fake: FakeProvider, signing_key: SigningKey, other_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown key id fetches the keys again, once within the cooldown (C55, F5, F6)."""
    validate(fake, fake.id_token())
    fake.keys = [other_key.jwk()]
    fake.key = other_key
    assert validate(fake, fake.id_token()).signature_checked
    assert fake.calls("/keys") == 2
    for number in range(20):
        made_up = signing_key.sign(fake.claims(), kid=f"made-up-{number}")
        assert refusal_of(fake, made_up) == "id_token_key_unknown"
    assert fake.calls("/keys") == 2
    monkeypatch.setattr(jwks, "COOLDOWN", 0)
    refusal_of(fake, signing_key.sign(fake.claims(), kid="made-up"))
    assert fake.calls("/keys") == 3


def test_keys_are_kept_as_long_as_the_provider_says(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.answers["/keys"] = Answer.json(
        {"keys": fake.keys}, Cache_Control="public, max-age=1000, no-transform"
    )
    clock = [1000.0]
    monkeypatch.setattr(jwks.time, "monotonic", lambda: clock[0])
    for moment, calls in ((1000.0, 1), (1999.0, 1), (2001.0, 2)):
        clock[0] = moment
        jwks.published_keys(fake.issuer + "/keys").prefetch()
        assert fake.calls("/keys") == calls
    fake.answers["/keys"] = Answer(500)
    clock[0] = 9000.0
    assert validate(fake, fake.id_token()).signature_checked, "keys past their lifetime still serve"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500),
        Answer(200, b"<html>"),
        Answer(200, b"[]"),
        Answer(200, b'{"keys": 5}'),
        Answer(200, b" " * 600_000),
        Answer(302, b"", {"Location": "/elsewhere"}),
    ],
)
def test_keys_that_cannot_be_fetched_leave_the_signature_unchecked(
    fake: FakeProvider, answer: Answer
) -> None:
    fake.answers["/keys"] = answer
    assert not validate(fake, fake.id_token()).signature_checked
    assert fake.calls("/elsewhere") == 0


def test_keys_of_other_kinds_are_passed_over(fake: FakeProvider, signing_key: SigningKey) -> None:
    """Symmetric, malformed and encryption keys in the key set are ignored (C54)."""
    shared = {"kty": "oct", "k": b64url(b"x" * 32), "kid": "key-1", "alg": "HS256"}
    fake.keys = [
        7,
        {},
        shared,
        {"kty": "RSA", "kid": "key-1", "n": "!"},
        {"kty": "XYZ"},
        signing_key.jwk(use="enc"),
        signing_key.jwk(),
    ]  # type: ignore[list-item]
    assert validate(fake, fake.id_token()).signature_checked


def test_keys_that_this_build_of_cryptography_lacks_are_passed_over(
    fake: FakeProvider, signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise UnsupportedAlgorithm("this curve is not supported")

    monkeypatch.setattr(jwt.algorithms.ECAlgorithm, "from_jwk", staticmethod(refuse))
    curve = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "curve"}
    fake.keys = [curve, signing_key.jwk()]
    assert validate(fake, fake.id_token()).signature_checked


def assembled(header: bytes, claims: bytes) -> str:
    return f"{b64url(header)}.{b64url(claims)}.{b64url(b'signature')}"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "..",
        "e30.e30.",
        "x" * 70_000,
        assembled(b'{"alg":"RS256"}', b"[]"),
        assembled(b'{"alg":"RS256","crit":["x"]}', b"{}"),
        assembled(b'{"alg":"RS256","kid":7}', b"{}"),
        assembled(b'{"alg":"RS256"}', b'{"exp": NaN}'),
        assembled(b'{"alg":"none","alg":"RS256"}', b"{}"),
        assembled(b'{"alg":"RS256"}', b'{"sub": "user-1", "sub": "user-2"}'),
        assembled(b'{"alg":"RS256"}', b"[" * 5000),
        assembled(b'{"alg":"RS256"}', b"\xff"),
    ],
)
def test_malformed(fake: FakeProvider, token: str) -> None:
    assert refusal_of(fake, token) in {"id_token_malformed", "id_token_algorithm_refused"}


@pytest.mark.parametrize("again", ['"sub":"user-2"', '"aud":"other"', '"exp":9999999999', '"nonce":"n"'])
def test_a_claim_that_decides_stands_there_once(fake: FakeProvider, again: str) -> None:
    """A token with a repeated claim is malformed (RFC 7519 section 4)."""
    header, claims, signature = fake.id_token(nonce="n").split(".")
    twice = f"{from_b64url(claims).decode()[:-1]},{again}}}"
    assert refusal_of(fake, f"{header}.{b64url(twice.encode())}.{signature}") == "id_token_malformed"


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: f"e30.{b64url(data)}.x"))
def test_no_text_breaks_the_parser(text: str) -> None:
    with pytest.raises(IdTokenError):
        validate_id_token(text, provider=GOOGLE, client_id="c")


@pytest.mark.parametrize("email", [5, "", "a\nb@example.com", "x" * 400, ["a@b"]])
def test_an_odd_email_is_not_shown(fake: FakeProvider, email: Any) -> None:
    claims = validate(fake, fake.id_token(email=email))
    assert claims.email is None
    assert claims.display_name == "user-1"
