"""The IAP-like API answers the way Google's proxy does."""

from __future__ import annotations

import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from servers.iap_api import IapLikeApi
from servers.scripted_login import sign_in

ADA = "ada@example.com"
BY_PROXY = "x-goog-iap-generated-response"


@pytest.fixture
def api(provider):
    with IapLikeApi(provider.issuer, audiences=[provider.public.client_id], allowed_users=[ADA]) as api:
        yield api


def get(api, token=None, *, header="Authorization", path="/api/data", **headers):
    if token is not None:
        headers[header] = f"Bearer {token}"
    return requests.get(f"{api.base_url}{path}", headers=headers, allow_redirects=False, timeout=60)


@pytest.mark.parametrize("header", ["Authorization", "Proxy-Authorization"])
def test_a_user_with_access_gets_the_data(api, provider, header):
    answer = get(api, sign_in(provider, provider.public, ADA)["id_token"], header=header)
    assert answer.json()["email"] == ADA
    assert answer.json()["data"]
    assert BY_PROXY not in answer.headers


def test_without_a_token(api):
    """Without a token, a browser is sent to the sign-in page, and a program gets 401 (C74)."""
    assert get(api).status_code == 401
    browser = get(api, Accept="text/html,*/*")
    assert browser.status_code == 302
    assert browser.headers["Location"] == api.sign_in_url
    assert browser.headers[BY_PROXY] == "true"


def test_a_user_without_access(api, provider):
    answer = get(api, sign_in(provider, provider.public, "mallory@example.com")["id_token"])
    assert answer.status_code == 403
    assert "<title>" in answer.text
    assert answer.headers[BY_PROXY] == "true"


def test_a_token_for_another_client(api, provider):
    answer = get(api, sign_in(provider, provider.confidential, ADA)["id_token"])
    assert answer.status_code == 401
    assert "audience" in answer.text


def test_an_access_token_and_nonsense(api, provider):
    for token in (sign_in(provider, provider.public, ADA)["access_token"], "nonsense", "a.b.c"):
        answer = get(api, token)
        assert (answer.status_code, answer.text) == (401, "Invalid IAP credentials: Unable to parse JWT")


@pytest.mark.parametrize("claim", ["iss", "exp", "email", "signature"])
def test_forged_claims(api, provider, claim, monkeypatch):
    """A token signed with another key, or with one wrong claim, is refused."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = int(time.time())
    claims = {
        "iss": provider.issuer,
        "aud": provider.public.client_id,
        "sub": "1",
        "email": ADA,
        "iat": now,
        "exp": now + 60,
    }
    wrong = {"iss": "http://127.0.0.1:1", "exp": now - 60, "email": None}
    if claim in wrong:
        claims[claim] = wrong[claim]
        jwk = jwt.PyJWK(
            {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "forged"}
        )
        monkeypatch.setattr(api._keys, "get_signing_key_from_jwt", lambda _token: jwk)
        sentence = {"iss": "issuer is invalid", "exp": "has expired", "email": "'email' claim"}[claim]
    else:
        real = api._keys.get_signing_keys()[0]
        monkeypatch.setattr(api._keys, "get_signing_key_from_jwt", lambda _token: real)
        sentence = "signature is invalid"

    answer = get(api, jwt.encode(claims, key, algorithm="RS256", headers={"kid": "forged"}))

    assert answer.status_code == 401
    assert sentence in answer.text


def test_an_unknown_path_is_the_application_s_answer(api, provider):
    answer = get(api, sign_in(provider, provider.public, ADA)["id_token"], path="/other")
    assert answer.status_code == 404
    assert BY_PROXY not in answer.headers
