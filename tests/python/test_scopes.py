"""Granted scopes, missing scopes, and requests for more (granular and incremental consent)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fake_provider import FakeProvider
from page import Page
from test_auth_manager import response
from tokentoss import GOOGLE, AuthManager, AuthWidget, ClientConfig, MemoryStorage

Make = Callable[..., AuthManager]
DRIVE = "https://www.googleapis.com/auth/drive.readonly"
ASKED = {"consent_params": {"prompt": "consent"}, "incremental_params": {"include_granted_scopes": "true"}}


def parameters(manager: AuthManager) -> dict[str, str]:
    url = manager.get_authorization_url("c" * 43)
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_nobody_signed_in_misses_nothing(make_manager: Make) -> None:
    manager = make_manager(scopes=["openid", DRIVE])
    assert (manager.granted_scopes, manager.missing_scopes) == ([], [])


def test_a_scope_that_was_not_ticked_is_named(make_manager: Make, fake: FakeProvider) -> None:
    """A requested scope that was not granted is listed in missing_scopes (C13)."""
    manager = make_manager(scopes=["openid", "email", DRIVE])
    manager.accept(response(fake, scopes=["openid", "email"]), nonce="n")
    assert manager.granted_scopes == ["openid", "email"]
    assert manager.missing_scopes == [DRIVE]


def test_scopes_under_other_names(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(provider=fake.provider(scope_aliases=GOOGLE.scope_aliases))
    granted = ["openid", *GOOGLE.scope_aliases.values()]
    manager.accept(response(fake, scopes=granted), nonce="n")
    assert manager.missing_scopes == []
    manager.accept(response(fake, scopes=["openid", GOOGLE.scope_aliases["email"]]), nonce="n")
    assert manager.missing_scopes == ["profile"]


def test_scopes_that_show_in_what_they_bring(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(scopes=["openid", "offline_access"])
    manager.accept(response(fake, scopes=[]), nonce="n")
    assert manager.missing_scopes == []
    other = make_manager(scopes=["openid", "offline_access"])
    other.accept(response(fake, scopes=["openid"], refresh_token=None), nonce="n")
    assert other.missing_scopes == ["offline_access"]


def test_asking_for_more(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(provider=fake.provider(**ASKED), scopes=["openid"])
    assert "include_granted_scopes" not in parameters(manager), "there is nothing to include yet"
    manager.accept(response(fake, scopes=["openid"]), nonce="n")
    assert "prompt" not in parameters(manager), "a refresh token is stored"
    assert manager.request_scopes(DRIVE, "openid") == [DRIVE]
    asked = parameters(manager)
    assert asked["scope"] == f"openid {DRIVE}"
    assert asked["include_granted_scopes"] == "true"
    assert asked["prompt"] == "consent", "the refresh token of before does not carry the new scope"
    manager.accept(response(fake, scopes=["openid", DRIVE], refresh_token="refresh-2"), nonce="n")
    assert manager.missing_scopes == []
    assert manager.token_data.refresh_token == "refresh-2"  # type: ignore[union-attr]
    assert "include_granted_scopes" not in parameters(manager)


def test_google_includes_what_was_granted() -> None:
    assert GOOGLE.incremental_params == {"include_granted_scopes": "true"}
    manager = AuthManager(ClientConfig("id", "s"), storage=MemoryStorage())
    assert "include_granted_scopes" not in parameters(manager)


@pytest.mark.usefixtures("recorded")
def test_the_button_comes_back_for_more(
    make_manager: Make, fake: FakeProvider, eventually: Callable[[Callable[[], Any]], Any]
) -> None:
    manager = make_manager(provider=fake.provider(**ASKED), scopes=["openid"])
    widget = AuthWidget(auth_manager=manager)
    manager.accept(response(fake, scopes=["openid"]), nonce="n")
    assert widget.ticket == {}
    assert widget.request_scopes("openid") == []
    assert widget.ticket == {}, "there is nothing to ask for"
    assert widget.request_scopes(DRIVE) == [DRIVE]
    assert widget.is_authenticated, "what was granted stays usable"
    assert widget.user_email == "ada@example.com"
    assert widget.status == "Click to allow more"
    assert widget.ticket["scopes"] == ["openid", DRIVE]
    assert widget.ticket["login_hint"] == "ada@example.com", "it is asked of the same account"
    assert widget.ticket["provider"]["authorization_params"]["include_granted_scopes"] == "true"
    page = Page(widget.ticket)
    widget.sealed_tokens = page.envelope(fake, scopes=["openid"])
    assert widget.acknowledged == page.ticket["id"]
    assert widget.status == f"Signed in as ada@example.com (not granted: {DRIVE})"
    assert widget.ticket == {}, "the user has decided"
    widget.request_scopes(DRIVE)
    page = Page(widget.ticket)
    widget.sealed_tokens = page.envelope(fake, scopes=["openid", DRIVE])
    eventually(lambda: widget.status == "Signed in as ada@example.com")
    assert widget.missing_scopes == []
    widget.request_scopes("https://www.googleapis.com/auth/calendar")
    assert widget.status == "Click to allow more"
    elsewhere = [*manager.scopes]
    manager.accept(response(fake, scopes=elsewhere), nonce="n")
    assert widget.status == "Signed in as ada@example.com", "granted in another widget"
    assert widget.ticket == {}
    widget.sign_out()
    assert widget.status == "Click to sign in"
