"""The local provider keeps the rules that the sign-in is tested against."""

from __future__ import annotations

import jwt
import pytest
import requests

from servers.scripted_login import LoginFailedError, authorize, follow_to_callback, sign_in, token_request

ADA = "ada@corp.example"
PAGE_ORIGIN = "http://localhost:8888"


@pytest.fixture(params=["public", "confidential"])
def client(request, provider):
    return getattr(provider, request.param)


def test_tokens_carry_the_identity(provider, client):
    tokens = sign_in(provider, client, ADA)
    keys = jwt.PyJWKClient(provider.metadata()["jwks_uri"])
    claims = jwt.decode(
        tokens["id_token"],
        keys.get_signing_key_from_jwt(tokens["id_token"]).key,
        algorithms=["RS256"],
        audience=client.client_id,
        issuer=provider.issuer,
    )
    assert (claims["email"], claims["name"], claims["hd"]) == (ADA, "Ada", "corp.example")
    assert claims["sub"] != ADA
    assert tokens["token_type"] == "Bearer"
    assert tokens["refresh_token"]


def test_the_subject_is_one_for_all_clients_and_consumers_have_no_domain(provider):
    def claims(client, login):
        return jwt.decode(sign_in(provider, client, login)["id_token"], options={"verify_signature": False})

    assert claims(provider.public, ADA)["sub"] == claims(provider.confidential, ADA)["sub"]
    assert claims(provider.public, "eve")["sub"] != claims(provider.public, ADA)["sub"]
    assert "hd" not in claims(provider.public, "ada@mail.example")


def test_pkce_is_required(provider, client):
    """An authorization request without PKCE is refused (C2)."""
    url = (
        f"{provider.metadata()['authorization_endpoint']}?response_type=code&client_id={client.client_id}"
        "&redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fcallback&scope=openid&state=s"
    )
    callback = follow_to_callback(url, ADA)
    assert "error=invalid_request" in callback
    assert "code=" not in callback


@pytest.mark.parametrize(
    "redirect_uri", ["http://127.0.0.1:5000/callback", "http://127.0.0.1:61000/", "http://127.0.0.1:7"]
)
def test_any_loopback_port_is_a_redirect_uri(provider, redirect_uri):
    """A loopback redirect URI works with any port (C9, RFC 8252 section 7.3)."""
    assert sign_in(provider, provider.public, ADA, redirect_uri=redirect_uri)["id_token"]


@pytest.mark.parametrize(
    "redirect_uri",
    ["http://127.0.0.1:5000/other", "http://localhost:5000/callback", "https://127.0.0.1:5000/callback"],
)
def test_other_redirect_uris_are_refused(provider, redirect_uri):
    """A redirect URI with another path, host or scheme is refused (C9)."""
    with pytest.raises(LoginFailedError):
        authorize(provider, provider.public, ADA, redirect_uri=redirect_uri)


def test_a_callback_page_can_be_registered_while_it_runs(provider):
    page = "http://localhost:5000/tokentoss/callback"
    provider.change(callback_pages=[page])
    assert sign_in(provider, provider.confidential, ADA, redirect_uri=page)["id_token"]
    with pytest.raises(LoginFailedError):
        authorize(provider, provider.public, ADA, redirect_uri=f"{page}/other")


def test_a_used_refresh_token_ends_the_family(provider, client):
    """Using an old refresh token again revokes the new one, too (C63)."""
    first = sign_in(provider, client, ADA)["refresh_token"]

    def refresh(token):
        return token_request(provider, client, {"grant_type": "refresh_token", "refresh_token": token})

    second = refresh(first).json()["refresh_token"]
    assert second != first
    assert refresh(first).json()["error"] == "invalid_grant"
    assert refresh(second).json()["error"] == "invalid_grant"


def test_the_client_secret_is_checked(provider):
    callback, verifier = authorize(provider, provider.confidential, ADA)
    form = {
        "grant_type": "authorization_code",
        "code": callback["code"],
        "redirect_uri": "http://127.0.0.1:49152/callback",
        "code_verifier": verifier,
        "client_secret": "guess",
    }
    wrong = type(provider.confidential)(provider.confidential.client_id)
    assert token_request(provider, wrong, form).json()["error"] == "invalid_client"


def test_declined_consent_by_the_user_or_by_the_switch(provider):
    assert authorize(provider, provider.public, ADA, approve=False)[0]["error"] == "access_denied"
    provider.change(deny_consent=True)
    callback, _ = authorize(provider, provider.public, ADA)
    assert callback["error"] == "access_denied"
    assert callback["iss"] == provider.issuer


def test_cors_is_refused_on_the_answer(provider):
    """The token endpoint's answer names only allowed origins in its CORS header."""
    form = {"grant_type": "authorization_code", "code": "x"}
    headers = {"Origin": PAGE_ORIGIN}
    readable = token_request(provider, provider.public, form, headers=headers)
    assert readable.headers["Access-Control-Allow-Origin"] == PAGE_ORIGIN
    provider.change(cors_origins=["https://hub.example"])
    hidden = token_request(provider, provider.public, form, headers=headers)
    assert "Access-Control-Allow-Origin" not in hidden.headers


def test_token_endpoint_faults(provider):
    form = {"grant_type": "authorization_code", "code": "x"}
    provider.change(token_answer={"status": 503, "content_type": "text/html", "body": "<h1>Down</h1>"})
    answer = token_request(provider, provider.public, form, headers={"Origin": PAGE_ORIGIN})
    assert (answer.status_code, answer.text) == (503, "<h1>Down</h1>")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE_ORIGIN
    provider.change(token_answer=None, token_drop=True)
    with pytest.raises(requests.ConnectionError):
        token_request(provider, provider.public, form)
    assert [entry["body"] for entry in provider.requests("/token")] == [
        ["client_id", "grant_type", "code"]
    ] * 2


@pytest.mark.parametrize("coop", ["same-origin", "same-origin-allow-popups", "noopener-allow-popups"])
def test_opener_policy(provider, coop):
    header = "Cross-Origin-Opener-Policy"
    request = f"{provider.metadata()['authorization_endpoint']}?client_id=unknown"
    assert header not in requests.get(request, timeout=60).headers
    provider.change(coop=coop)
    assert requests.get(request, timeout=60).headers[header] == coop
    provider.change(coop_on_redirects_only=True)
    assert header not in requests.get(request, timeout=60).headers


def test_unknown_switches_are_refused(provider):
    for switches in ({"colour": "blue"}, {"coop": "unsafe-none"}, {"token_answer": "oops"}):
        with pytest.raises(requests.HTTPError):
            provider.change(**switches)


def test_the_log_names_parameters_and_holds_no_values(provider):
    tokens = sign_in(provider, provider.confidential, ADA)
    (entry,) = provider.requests("/token", "POST")
    assert set(entry["body"]) >= {"code", "code_verifier", "client_secret", "redirect_uri"}
    log = str(provider.requests())
    for secret in (provider.confidential.client_secret, tokens["access_token"], tokens["id_token"]):
        assert secret not in log


def test_the_pages_ask_for_nothing_from_outside(provider):
    request = {
        "client_id": provider.public.client_id,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": "http://127.0.0.1:5000/",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
        "state": "s",
    }
    page = requests.Session().get(provider.metadata()["authorization_endpoint"], params=request, timeout=60)
    assert 'name="login"' in page.text
    assert "https://" not in page.text
