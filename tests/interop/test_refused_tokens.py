"""Bad ID tokens, made with each provider's own key and header, are refused alike, whatever the provider."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from servers.signing_key import SigningKey
from tokentoss.exceptions import TokenTossError
from tokentoss.oauth.id_token import validate_id_token
from tokentoss.oauth.provider import Provider

NONCE = "n-0S6_WzA2Mj"
HOUR = 3600


def encode(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def reheaded(token, **members):
    """The token's signing input with members of its header replaced."""
    header, claims, _ = token.split(".")
    content = {**json.loads(base64.urlsafe_b64decode(f"{header}==")), **members}
    return f"{encode(json.dumps(content).encode())}.{claims}"


def published_key(party, token):
    keys = jwt.PyJWKClient(party.metadata()["jwks_uri"])
    return keys.get_signing_key_from_jwt(token).key


def unsigned(party, token):
    return f"{reheaded(token, alg='none')}."


def signed_with_the_public_key(party, token):
    """What a validator takes that lets the token choose HMAC, and uses the published key as the secret."""
    pem = published_key(party, token).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = reheaded(token, alg="HS256")
    return f"{signed}.{encode(hmac.new(pem, signed.encode(), hashlib.sha256).digest())}"


def signed_with_another_key(party, token):
    """Under the name of the provider's."""
    key_id = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(token, options={"verify_signature": False})
    return SigningKey().sign(claims, {"kid": key_id})


def signed_with_an_unknown_key(party, token):
    claims = jwt.decode(token, options={"verify_signature": False})
    return SigningKey().sign(claims)


def changed_afterwards(party, token):
    header, claims, signature = token.split(".")
    content = {**json.loads(base64.urlsafe_b64decode(f"{claims}==")), "sub": "somebody-else"}
    return f"{header}.{encode(json.dumps(content).encode())}.{signature}"


@pytest.fixture(scope="module")
def claims(party):
    now = int(time.time())
    return {
        "iss": party.issuer,
        "sub": "248289761001",
        "aud": party.client_id,
        "iat": now,
        "exp": now + HOUR,
        "nonce": NONCE,
    }


@pytest.fixture(scope="module")
def validate(party):
    provider = Provider.discover(party.issuer)

    def validate(token, **expected):
        arguments = {"provider": provider, "client_id": party.client_id, "nonce": NONCE, **expected}
        return validate_id_token(token, **arguments)

    return validate


def code_of(validate, token, **expected):
    with pytest.raises(TokenTossError) as refused:
        validate(token, **expected)
    return refused.value.code


def test_the_good_one_is_accepted(party, claims, validate):
    accepted = validate(party.sign(claims))
    assert accepted.signature_checked
    assert accepted.subject == claims["sub"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exp": -HOUR, "iat": -2 * HOUR}, "id_token_expired"),
        ({"iat": HOUR, "exp": 2 * HOUR}, "clock_skew"),
        ({"iat": HOUR, "exp": 0}, "id_token_issued_at_invalid"),
        ({"aud": "somebody-else"}, "id_token_audience_mismatch"),
        ({"aud": []}, "id_token_audience_mismatch"),
        ({"azp": "somebody-else"}, "id_token_authorized_party_mismatch"),
        ({"iss": "https://accounts.example.com"}, "id_token_issuer_mismatch"),
        ({"nonce": "another"}, "id_token_nonce_mismatch"),
        ({"nonce": None}, "id_token_nonce_mismatch"),
        ({"sub": ""}, "id_token_subject_missing"),
    ],
)
def test_wrong_claims_are_refused(party, claims, validate, changes, code):
    times = {name: claims["iat"] + change for name, change in changes.items() if name in {"iat", "exp"}}
    assert code_of(validate, party.sign({**claims, **changes, **times})) == code


def test_an_issuer_with_a_slash_more_is_another(party, claims, validate):
    token = party.sign({**claims, "iss": f"{party.issuer}/"})
    assert code_of(validate, token) == "id_token_issuer_mismatch"


def test_one_more_audience(party, claims, validate):
    token = party.sign({**claims, "aud": [party.client_id, "somebody-else"], "azp": party.client_id})
    assert code_of(validate, token) == "id_token_audience_mismatch"


def test_the_hash_of_another_access_token(party, claims, validate):
    good = encode(hashlib.sha256(b"an-access-token").digest()[:16])
    token = party.sign({**claims, "at_hash": good})
    assert validate(token, access_token="an-access-token").subject == claims["sub"]
    assert code_of(validate, token, access_token="another") == "id_token_access_token_hash_mismatch"


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (unsigned, "id_token_algorithm_refused"),
        (signed_with_the_public_key, "id_token_algorithm_refused"),
        (signed_with_another_key, "id_token_signature_invalid"),
        (signed_with_an_unknown_key, "id_token_key_unknown"),
        (changed_afterwards, "id_token_signature_invalid"),
    ],
)
def test_signatures(party, claims, validate, forge, code):
    assert code_of(validate, forge(party, party.sign(claims))) == code


def test_the_forgeries_are_made_of_what_the_provider_publishes(party, claims):
    """The key that signs the bad tokens is published by the provider."""
    token = party.sign(claims)
    keys = requests.get(party.metadata()["jwks_uri"], timeout=60).json()["keys"]
    assert jwt.get_unverified_header(token)["kid"] in {key["kid"] for key in keys}
    decoded = jwt.decode(token, published_key(party, token), ["RS256"], audience=party.client_id)
    assert decoded["sub"] == claims["sub"]
