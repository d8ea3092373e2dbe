"""What the provider does badly on request, and what it then remembers."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import jwt
import pytest
import requests

from servers.scripted_login import sign_in, token_request

ADA = "ada@corp.example"


def refresh(provider, token):
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return token_request(provider, provider.public, form)


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_an_answer_is_lost_after_the_rotation(provider):
    """If the answer is lost, the refresh token is spent all the same (C65)."""
    before = sign_in(provider, provider.public, ADA)["refresh_token"]
    provider.change(token_answer_lost=True)
    with pytest.raises(requests.RequestException):
        refresh(provider, before)
    provider.change(token_answer_lost=False)
    assert refresh(provider, before).json()["error"] == "invalid_grant"


def test_without_rotation_a_refresh_token_stays(provider):
    provider.change(rotate=False)
    token = sign_in(provider, provider.public, ADA)["refresh_token"]
    for _ in range(2):
        answer = refresh(provider, token)
        assert answer.status_code == 200
        assert answer.json().get("refresh_token", token) == token


def test_an_answer_that_drips_is_whole(provider):
    token = sign_in(provider, provider.public, ADA)["refresh_token"]
    provider.change(token_drip_ms=1)
    assert refresh(provider, token).json()["access_token"]


def test_a_waiting_request_ends_with_its_client(provider):
    """A refresh request whose client gave up does not spend the token."""
    token = sign_in(provider, provider.public, ADA)["refresh_token"]
    provider.change(token_hold=True)
    form = {"client_id": provider.public.client_id, "grant_type": "refresh_token", "refresh_token": token}
    with pytest.raises(requests.Timeout):
        requests.post(provider.metadata()["token_endpoint"], data=form, timeout=0.2)
    provider.change(token_hold=False)
    assert refresh(provider, token).status_code == 200


def test_any_path_can_answer_otherwise(provider):
    keys = provider.metadata()["jwks_uri"]
    busy = {"status": 429, "content_type": "text/html", "body": "<h1>", "headers": {"Retry-After": "7"}}
    provider.change(answers={"/jwks": busy})
    answer = requests.get(keys, timeout=60)
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (429, "<h1>", "7")
    provider.change(answers={})
    assert requests.get(keys, timeout=60).json()["keys"]


@pytest.mark.parametrize("hours", [-5, 5])
def test_the_clock_of_the_provider(provider, hours):
    token = sign_in(provider, provider.public, ADA)["refresh_token"]
    provider.change(clock_offset_seconds=hours * 3600, token_lifetime_seconds=90)
    tokens = refresh(provider, token).json()
    claims = claims_of(tokens["id_token"])
    assert abs(claims["iat"] - time.time() - hours * 3600) < 60
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 90
    date = parsedate_to_datetime(requests.get(provider.discovery_url, timeout=60).headers["Date"])
    assert abs(date.timestamp() - time.time() - hours * 3600) < 60


def test_any_claims_are_signed(provider):
    token = provider.sign({"iss": "https://other.example", "exp": 1})
    key = jwt.PyJWKClient(provider.metadata()["jwks_uri"]).get_signing_key_from_jwt(token).key
    claims = jwt.decode(token, key, algorithms=["RS256"], options={"verify_exp": False})
    assert claims == {"iss": "https://other.example", "exp": 1}
