"""The exchange in the kernel, to which the page hands a code instead of tokens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from conftest import RecordingComm
from fake_provider import Answer, FakeProvider
from page import Page
from test_widget import from_page
from tokentoss import GOOGLE, AuthManager, AuthWidget, ClientConfig, ConfigurationError, MemoryStorage
from tokentoss.oauth.id_token import access_token_hash

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")


@pytest.fixture
def widget(make_manager: Make) -> AuthWidget:
    return AuthWidget(auth_manager=make_manager(), exchange="kernel")


def grant(fake: FakeProvider, page: Page, **claims: Any) -> None:
    """Let the token endpoint answer with an ID token of this page's attempt."""
    named = {"nonce": page.nonce, "at_hash": access_token_hash("access-2", "RS256")}
    token = fake.id_token(**(named | claims))
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=token, refresh_token="refresh-2"))


def forms(fake: FakeProvider) -> list[dict[str, str]]:
    return [form for method, path, _, form in fake.requests if (method, path) == ("POST", "/token")]


def test_the_ticket_says_who_redeems(make_manager: Make, fake: FakeProvider) -> None:
    assert AuthWidget(auth_manager=make_manager()).ticket["exchange"] == "auto"
    cors = AuthWidget(
        auth_manager=make_manager(provider=fake.provider(token_endpoint_cors=False)), exchange="browser"
    )
    assert cors.ticket["exchange"] == "browser"
    assert cors.ticket["provider"]["token_endpoint_cors"] is False
    assert GOOGLE.token_endpoint_cors is True


def test_a_code_by_the_trait(widget: AuthWidget, fake: FakeProvider) -> None:
    page = Page(widget.ticket)
    grant(fake, page)
    from_page(widget, sealed_tokens=page.code_envelope())
    assert widget.status == "Signed in as ada@example.com"
    assert forms(fake) == [
        {
            "grant_type": "authorization_code",
            "code": "the-code",
            "code_verifier": page.verifier,
            "redirect_uri": page.ticket["redirect_uri"],
            "client_id": "client.example",
            "client_secret": "secret-1",
        }
    ]
    assert widget.auth_manager.access_token == "access-2"
    assert widget.acknowledged == page.ticket["id"]


def test_a_code_by_the_callback_page(widget: AuthWidget, fake: FakeProvider) -> None:
    page = Page(widget.ticket)
    token = page.reach_callback()
    grant(fake, page)
    assert page.post("/tokentoss/deliver", page_token=token, sealed=page.code_envelope()).json() == {
        "code": ""
    }
    assert widget.is_authenticated


def test_a_code_is_redeemed_once(widget: AuthWidget, fake: FakeProvider) -> None:
    """A code that arrives several times, by two ways at once, is redeemed once (C43)."""
    page = Page(widget.ticket)
    token = page.reach_callback()
    grant(fake, page)
    sealed = page.code_envelope()
    start = threading.Barrier(6)

    def by_trait() -> None:
        start.wait()
        from_page(widget, sealed_tokens=sealed)

    def by_page() -> None:
        start.wait()
        page.post("/tokentoss/deliver", page_token=token, sealed=sealed)

    threads = [threading.Thread(target=work) for work in (by_trait, by_page) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert widget.is_authenticated
    assert len(forms(fake)) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer.json({"error": "invalid_grant"}, 400), "invalid_grant"),
        (Answer.json({"error": "invalid_client"}, 401), "invalid_client"),
        (Answer(503), "token_endpoint_failed"),
        (Answer(200, b"<html>"), "token_response_not_json"),
        (Answer.json({"access_token": "a", "token_type": "Bearer"}), "id_token_missing"),
    ],
)
def test_a_refusal_has_a_code_and_a_new_ticket(
    widget: AuthWidget, fake: FakeProvider, answer: Answer, code: str
) -> None:
    """A refused exchange gives an error code and a new ticket, after one request (C44, C45)."""
    page = Page(widget.ticket)
    fake.answers["/token"] = answer
    from_page(widget, sealed_tokens=page.code_envelope())
    assert widget.error_code == code
    assert widget.ticket["id"] != page.ticket["id"]
    assert widget.acknowledged == page.ticket["id"]
    assert len(forms(fake)) == 1
    assert "the-code" not in widget.error + repr(widget.auth_manager.last_error)


@pytest.mark.parametrize(
    ("claims", "code"),
    [({"nonce": "other"}, "id_token_nonce_mismatch"), ({"aud": "x"}, "id_token_audience_mismatch")],
)
def test_the_id_token_is_checked(
    widget: AuthWidget, fake: FakeProvider, claims: dict[str, Any], code: str
) -> None:
    """An ID token with wrong claims, or another nonce, is refused after the exchange (C7)."""
    page = Page(widget.ticket)
    grant(fake, page, **claims)
    from_page(widget, sealed_tokens=page.code_envelope())
    assert widget.error_code == code
    assert not widget.is_authenticated


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"ticket": "other"},
        {"salt": "short"},
        {"received_at": None},
        {"code": ""},
        {"code": "x" * 9000},
        {"code": 5},
        {"code_verifier": "short"},
        {"code_verifier": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": None},
    ],
)
def test_an_envelope_of_the_wrong_form_asks_nobody(
    widget: AuthWidget, fake: FakeProvider, change: dict[str, Any]
) -> None:
    """A malformed code envelope is refused without a token request (C9)."""
    from_page(widget, sealed_tokens=Page(widget.ticket).code_envelope(**change))
    assert widget.error_code == "envelope_unreadable"
    assert forms(fake) == []


def test_purposes_are_told_apart(widget: AuthWidget, fake: FakeProvider) -> None:
    page = Page(widget.ticket)
    from_page(widget, sealed_tokens=page.seal(page.code(), "callback"))
    assert widget.error_code == "", "that opens nothing"
    from_page(widget, sealed_tokens=page.seal(page.code(), "tokens"))
    assert widget.error_code == "envelope_unreadable"
    assert forms(fake) == []


def test_nothing_secret_is_shown(widget: AuthWidget, fake: FakeProvider) -> None:
    """After a code exchange, comm, state and repr hold no code, verifier, token or secret (C70)."""
    page = Page(widget.ticket)
    grant(fake, page)
    from_page(widget, sealed_tokens=page.code_envelope())
    comm = widget.comm
    assert isinstance(comm, RecordingComm)
    everything = str(comm.__dict__) + str(widget.get_state()) + repr(widget)
    for secret in ("the-code", page.verifier, "access-2", "refresh-2", "secret-1"):
        assert secret not in everything


@pytest.mark.parametrize("exchange", ["", "page", None, True])
def test_an_exchange_that_is_none(make_manager: Make, exchange: Any) -> None:
    with pytest.raises(ConfigurationError, match="exchange"):
        AuthWidget(auth_manager=make_manager(), exchange=exchange)


def test_a_provider_without_openid_connect(fake: FakeProvider) -> None:
    """A provider without OpenID Connect needs the exchange in the kernel."""
    provider = fake.provider(openid_connect=False, scopes=("repo",), identity_endpoint=fake.issuer + "/user")
    named: dict[str, Any] = {
        "provider": provider,
        "client_config": ClientConfig("c", "s"),
        "storage": MemoryStorage(),
    }
    assert AuthWidget(**named).ticket["provider"]["openid_connect"] is False
    with pytest.raises(ConfigurationError, match="kernel"):
        AuthWidget(**named, exchange="browser")
