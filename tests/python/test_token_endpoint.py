from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from hypothesis import given
from hypothesis import strategies as st
from tokentoss import ConfigurationError, TokenRefreshError
from tokentoss.oauth.token_endpoint import request_tokens
from tokentoss.oauth.token_response import lifetime
from tokentoss.util.http import TransportError, call

FORM = {
    "client_id": "c",
    "client_secret": "secret-7",
    "refresh_token": "refresh-7",
    "grant_type": "refresh_token",
}


def refusal_of(fake: FakeProvider, answer: Answer) -> TokenRefreshError:
    fake.answers["/token"] = answer
    with pytest.raises(TokenRefreshError) as refusal:
        request_tokens(fake.issuer + "/token", FORM, TokenRefreshError)
    shown = f"{refusal.value} {refusal.value!r} {refusal.value.__cause__} "
    assert "secret-7" not in shown
    assert "refresh-7" not in shown
    return refusal.value


def test_the_request(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The request is a form-encoded POST that uses no password of netrc (C41)."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    fake.answers["/token"] = Answer.json(fake.token_response(extra={"ignored": 1}, refresh_token="r2"))
    response = request_tokens(fake.issuer + "/token", FORM, TokenRefreshError)
    assert (response.access_token, response.refresh_token) == ("access-2", "r2")
    ((method, target, headers, form),) = fake.requests
    assert (method, target, form) == ("POST", "/token", FORM)
    assert "Authorization" not in headers
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "access-2" not in repr(response)


@pytest.mark.parametrize(
    "code",
    [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 200])
def test_oauth_errors(fake: FakeProvider, code: str, status: int) -> None:
    """An OAuth error in an answer of any status gives its code (C44, C45)."""
    answer = Answer.json({"error": code, "error_description": "<b>secret-7</b>"}, status)
    failure = refusal_of(fake, answer)
    assert failure.code == code
    assert failure.culprit == "provider_refused"


@pytest.mark.parametrize(
    "value", ["use_dpop_nonce", "grant_revoked", "<script>", "", None, 5, "x" * 500, "a b", "state_mismatch"]
)
def test_other_error_codes(fake: FakeProvider, value: Any) -> None:
    """An unknown error code is shown only if it is a plain word (C44)."""
    failure = refusal_of(fake, Answer.json({"error": value}, 400))
    assert failure.code == "provider_error"
    assert ("use_dpop_nonce" in str(failure)) == (value == "slow_down")
    assert "<script>" not in str(failure)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(500, b"<html>oops</html>"), "token_endpoint_failed"),
        (Answer(503, b""), "token_endpoint_failed"),
        (Answer(429, b"{}"), "token_endpoint_failed"),
        (Answer(404, b"not here"), "token_endpoint_failed"),
        (Answer(200, b"<html>captive portal</html>"), "token_response_not_json"),
        (Answer(200, b""), "token_response_not_json"),
        (Answer(200, b'{"access_token": "a"'), "token_response_not_json"),
        (Answer(200, b"[]"), "token_response_not_json"),
        (Answer(200, b'{"expires_in": Infinity}'), "token_response_not_json"),
        (Answer(200, b"\xff{}"), "token_response_not_json"),
        (Answer(200, b" " * 70_000), "token_response_too_large"),
        (Answer(301, b"", {"Location": "/elsewhere"}), "token_endpoint_redirected"),
        (Answer(307, b"", {"Location": "/elsewhere"}), "token_endpoint_redirected"),
        (Answer.json({}), "token_response_invalid"),
        (Answer.json({"access_token": 5, "token_type": "Bearer"}), "token_response_invalid"),
        (Answer.json({"access_token": "", "token_type": "Bearer"}), "token_response_invalid"),
        (Answer.json({"access_token": "a", "token_type": "Bearer", "id_token": 1}), "token_response_invalid"),
        (
            Answer.json({"access_token": "a", "token_type": "Bearer", "refresh_token": []}),
            "token_response_invalid",
        ),
        (
            Answer.json({"access_token": "a", "token_type": "Bearer", "scope": ["x", 7]}),
            "token_response_invalid",
        ),
        (
            Answer(200, b'{"access_token": "a", "token_type": "Bearer", "access_token": "b"}'),
            "token_response_invalid",
        ),
        (
            Answer(
                200, b'{"access_token": "a", "token_type": "Bearer", "expires_in": 1, "expires_in": 3600}'
            ),
            "token_response_invalid",
        ),
        (Answer.json({"access_token": "a"}), "token_type_unsupported"),
        (Answer.json({"access_token": "a", "token_type": "mac"}), "token_type_unsupported"),
        (Answer.json({"access_token": "a", "token_type": ["Bearer"]}), "token_type_unsupported"),
    ],
)
def test_answers_that_are_no_tokens(fake: FakeProvider, answer: Answer, code: str) -> None:
    """Each unusable token response gets its error code; no redirect is followed (C42, C45, C46)."""
    assert refusal_of(fake, answer).code == code
    assert fake.calls("/elsewhere") == 0, "what was sent goes nowhere else"


def test_nobody_there(fake: FakeProvider) -> None:
    fake.close()
    with pytest.raises(TokenRefreshError) as refusal:
        request_tokens(fake.issuer + "/token", FORM, TokenRefreshError)
    assert refusal.value.code == "token_endpoint_unreachable"


def test_an_answer_that_drips_ends() -> None:
    """An answer that arrives byte by byte ends at the deadline (C45)."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
                try:
                    while not ended.wait(0.02):
                        connection.sendall(b" ")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(TransportError) as failure:
            call("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", deadline=0.3)
        ended.set()
        thread.join()
    assert failure.value.reason == "answer_incomplete"


@pytest.mark.parametrize("url", ["http://token.example/", "javascript:1", "ftp://x"])
def test_an_insecure_endpoint_gets_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token request to an insecure address raises ConfigurationError and looks up no host (C51)."""
    looked_up: list[object] = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *arguments, **_: looked_up.append(arguments))
    with pytest.raises(ConfigurationError):
        request_tokens(url, FORM, TokenRefreshError)
    assert looked_up == []


@pytest.mark.parametrize("name", ["bearer", "Bearer", "BEARER"])
def test_the_token_type_has_no_case(fake: FakeProvider, name: str) -> None:
    """The token type Bearer is accepted in any letter case (C46)."""
    fake.answers["/token"] = Answer.json(fake.token_response(token_type=name))
    assert request_tokens(fake.issuer + "/token", FORM, TokenRefreshError).access_token


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3600, 3600.0),
        ("3600", 3600.0),
        (0, 0.0),
        (12.5, 12.5),
        (None, None),
        (-1, None),
        ("soon", None),
        ("-5", None),
        (True, None),
        ([], None),
        ({}, None),
        (10**400, 315_360_000.0),
        ("9" * 400, None),
        ("٣", None),
    ],
)
def test_lifetimes(value: Any, seconds: float | None) -> None:
    """The value of expires_in becomes a bounded number of seconds, or None if it is unusable (C47)."""
    assert lifetime(value) == seconds


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_no_lifetime_breaks_anything(value: Any) -> None:
    """Any JSON-like expires_in gives None or a number from 0 to 315,360,000 (C47)."""
    seconds = lifetime(value)
    assert seconds is None or 0 <= seconds <= 315_360_000
    json.dumps(seconds)
