"""Whatever is printed, logged, pickled or raised holds no secret (C72)."""

from __future__ import annotations

import copy
import logging
import pickle
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import tokentoss
from fake_provider import Answer, FakeProvider
from hypothesis import given
from hypothesis import strategies as st
from page import Page
from test_auth_manager import signed_in
from tokentoss import (
    GOOGLE,
    AuthManager,
    AuthWidget,
    ClientConfig,
    FileStorage,
    HTTPXAuth,
    IAPClient,
    MemoryStorage,
    RequestsAuth,
    TokenData,
    TokenTossError,
    disable_debug,
    enable_debug,
)
from tokentoss.logs import redact
from tokentoss.oauth.token_endpoint import Form
from tokentoss.oauth.token_response import TokenResponse
from tokentoss.session.session import Session
from tokentoss.storage.token_data import iso_time
from tokentoss.util.http import Answer as HttpAnswer

Make = Callable[..., AuthManager]
# The first character is in no text of ours: Hypothesis likes to take its strings from the code under test.
SECRET = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=60).map(
    lambda text: f"¤{text}"
)


def shown(thing: Any) -> str:
    return f"{thing!r} {thing!s} {[thing]!r} {{{thing!r}: 1}}" if not isinstance(thing, str) else thing


@given(SECRET)
def test_objects_show_no_secret(secret: str) -> None:
    tokens = TokenData(secret, secret, secret, "2030-01-01T00:00:00+00:00", ["openid"])
    objects: list[Any] = [
        tokens,
        Session(tokens, 0.0),
        ClientConfig("id", secret),
        TokenResponse(secret, secret, secret, None, None),
        HttpAnswer(200, {}, secret.encode()),
    ]
    for thing in objects:
        assert secret not in shown(thing)


@given(SECRET)
def test_what_surrounds_tokens_shows_none(secret: str) -> None:
    """No public object around tokens shows one."""
    tokens = TokenData(
        secret,
        "",
        secret,
        "2030-01-01T00:00:00+00:00",
        ["openid"],
        created_at=iso_time(time.time()),
        issuer=GOOGLE.issuer,
        subject="user-1",
        client_id="client-1",
    )
    storage = MemoryStorage()
    storage.save(tokens)
    manager = AuthManager(ClientConfig("client-1", secret), storage=storage, provider=GOOGLE)
    try:
        assert manager.is_authenticated
        objects: list[Any] = [
            manager,
            manager.credentials,
            manager.account,
            manager.accounts(),
            manager.token_provider(),
            manager._store,
            manager._renewal,
            manager._store.session,
            storage,
            Form(refresh_token=secret),
            IAPClient("https://service.example", manager),
            RequestsAuth(manager),
            HTTPXAuth(manager),
            tokentoss.CREDENTIALS,
        ]
        for thing in objects:
            assert secret not in shown(thing), type(thing)
        result = manager.sign_out()
        assert result.account is not None
        assert secret not in shown(result)
    finally:
        tokentoss.CREDENTIALS = None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503),
        Answer(200, b"access-9 refresh-9"),
        Answer.json({"error": "invalid_grant", "error_description": "refresh-1 access-9 expired"}, 400),
        Answer.json({"access_token": "access-9", "refresh_token": "refresh-9", "token_type": "mac"}),
        Answer.json({"access_token": "access-9", "refresh_token": 9, "token_type": "Bearer"}),
    ],
)
def test_a_traceback_with_local_variables_shows_no_secret(
    make_manager: Make, fake: FakeProvider, answer: Answer
) -> None:
    """A traceback with local variables shows no secret."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    tokens = manager.token_data
    assert tokens is not None
    fake.answers["/token"] = answer
    with pytest.raises(TokenTossError) as refusal:
        IAPClient(fake.issuer, manager).get("/api")
    shown_by = traceback.TracebackException.from_exception(refusal.value, capture_locals=True)
    # The test's own frame is not the package's.
    text = "".join(line for line in shown_by.format() if "test_redaction" not in line)
    assert "_renewed" in text
    for secret in (tokens.id_token, "access-1", "refresh-1", "access-9", "refresh-9", "secret-1"):
        assert secret not in text


@given(SECRET)
def test_what_holds_tokens_cannot_be_pickled(secret: str) -> None:
    tokens = TokenData(secret, secret, secret, "2030-01-01T00:00:00+00:00", [])
    for thing in (tokens, ClientConfig("id", secret)):
        with pytest.raises(TypeError) as refusal:
            pickle.dumps(thing)
        assert secret not in str(refusal.value)
        assert copy.copy(thing) == copy.deepcopy(thing) == thing, "E12: a copy stays in the process"


def test_a_session_from_end_to_end_shows_nothing(
    make_manager: Make,
    fake: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Logs, tracebacks and objects of a whole session show no secret."""
    caplog.set_level(logging.DEBUG)
    enable_debug()
    storage = FileStorage()
    widget = AuthWidget(auth_manager=make_manager(storage=storage))
    manager = widget.auth_manager
    page = Page(widget.ticket)
    token = page.reach_callback()
    page.post("/tokentoss/relay", page_token=token)
    page.post("/tokentoss/deliver", page_token=token, sealed=page.envelope(fake))
    assert manager.is_authenticated
    tokens = manager.token_data
    assert tokens is not None
    client = IAPClient(fake.issuer, auth_manager=manager)
    client.get("/api")
    texts = [shown(one) for one in (manager, widget, widget.credentials, storage, client, page.listener)]
    for answer in (
        Answer(500),
        Answer.json({"error": "invalid_grant", "error_description": "refresh-1"}, 400),
    ):
        fake.answers["/token"] = answer
        manager._renewal._back_off.reset()
        try:
            manager.refresh_tokens()
        except TokenTossError as failure:
            texts += ["".join(traceback.format_exception(failure)), shown(failure)]
    out, err = capfd.readouterr()
    disable_debug()
    texts += [out, err, caplog.text]
    assert len(texts) == 13
    for secret in (
        tokens.access_token,
        tokens.id_token,
        "refresh-1",
        "secret-1",
        "the-code",
        page.state,
        token,
    ):
        for text in texts:
            assert secret not in text
    widget.close()


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "ya29.a0AfH6SMBx-y_z",
        "1//0gabcDEF_-123",
        "4/0AX4XfWh-code",
        "GOCSPX-abcdef_123",
    ],
)
def test_the_net_under_the_log(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    enable_debug()
    try:
        logger = logging.getLogger("tokentoss.some.module")
        logger.debug("value %s in %r", secret, {"x": secret})
        try:
            raise ValueError(secret)
        except ValueError:
            logger.exception("failed")
    finally:
        disable_debug()
    out = capsys.readouterr().out
    assert "[redacted]" in out
    assert secret not in out


def test_parameters_are_redacted_by_name() -> None:
    text = (
        "GET /?code=abc&state=def&iss=x refresh_token=r1&client_secret=s1&code_verifier=v1 "
        "Authorization: Bearer t1"
    )
    hidden = redact(text)
    for secret in ("abc", "def", "r1", "s1", "v1", "t1"):
        assert secret not in hidden
    assert "iss=x" in hidden


def test_debugging_is_switched_on_once_and_off(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("tokentoss")
    enable_debug()
    enable_debug(logging.INFO)
    logger.info("once")
    logger.debug("too detailed")
    disable_debug()
    disable_debug()
    logger.info("off")
    assert capsys.readouterr().out == "[tokentoss INFO] once\n"
    assert not any(
        isinstance(one, logging.StreamHandler) and one.name == "tokentoss" for one in logger.handlers
    )


def test_memory_storage_shows_nothing() -> None:
    storage = MemoryStorage()
    storage.save(TokenData("secret-abc", "", "", "2030-01-01T00:00:00+00:00", []))
    assert "secret-abc" not in repr(storage)
