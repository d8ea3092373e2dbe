"""A sign-in by link, which the kernel runs, at the real provider, with a scripted user."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from servers.scripted_login import follow_to_callback
from tokentoss import AuthWidget, FileStorage, MemoryStorage

from kernel.people import ADA, GRACE, config_of, manager_at

TIMEOUT = 30


class Telling(AuthWidget):
    """A widget that keeps what it says to its page."""

    def send(self, content, buffers=None):
        self.__dict__.setdefault("told", []).append(content)


class Desk:
    """A widget, and what it tells its page."""

    def __init__(self, provider, client=None, **options):
        config = config_of(client or provider.confidential)
        named = {"client_config": config, "storage": MemoryStorage()} | options
        self.manager = manager_at(provider, **named)
        self.widget = Telling(auth_manager=self.manager)

    @property
    def told(self) -> list[dict[str, Any]]:
        return self.widget.__dict__["told"]

    def say(self, **content):
        self.widget._handle_msg(
            {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
        )

    def link(self):
        self.say(type="ask_for_link")
        return self.told[-1]["link"]

    def paste(self, address):
        self.say(type="paste", ticket=self.widget.ticket.get("id"), address=address)


@pytest.fixture
def desk(provider):
    desk = Desk(provider)
    yield desk
    desk.widget.close()


def visit(callback):
    """Do what the browser does with the provider's redirect."""
    return requests.get(
        callback, headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, timeout=TIMEOUT
    )


def changed(callback, **parameters):
    """The same answer with other parameters; None leaves one out."""
    parts = urlsplit(callback)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None})).geturl()


@pytest.mark.parametrize("kind", ["public", "confidential"])
@pytest.mark.parametrize("pasted", [False, True])
def test_signs_in_and_out(provider, kind, pasted, tmp_path):
    storage = FileStorage(tmp_path / "tokens.json")
    desk = Desk(provider, getattr(provider, kind), storage=storage)
    for login in (ADA, GRACE):
        callback = follow_to_callback(desk.link(), login)
        if pasted:
            desk.paste(callback)
        else:
            assert visit(callback).status_code == 200
        assert desk.widget.user_email == login
        assert desk.manager.token_data.signature_checked
        assert storage.exists()
        refreshed = desk.manager.refresh_tokens()
        assert refreshed.refresh_token
        desk.say(type="sign_out")
        assert not desk.widget.is_authenticated
        assert not storage.exists()
    desk.widget.close()


def test_the_answer_is_checked_before_anything_is_asked(desk, provider):
    """A bad iss, code or state causes no token request (C6, RFC 9207)."""
    assert desk.manager.provider.iss_parameter_supported
    for change in (
        {"iss": "https://evil.example"},
        {"iss": None},
        {"code": None},
        {"state": "x" * 43},
    ):
        callback = follow_to_callback(desk.link(), ADA)
        assert visit(changed(callback, **change)).status_code == 400
        assert desk.widget.error_code == "", "the provider's own answer still counts"
    assert provider.exchanges() == []
    assert visit(callback).status_code == 200
    assert desk.widget.user_email == ADA


def test_declining(desk, provider):
    answer = visit(follow_to_callback(desk.link(), ADA, approve=False))
    assert (answer.status_code, desk.widget.error_code) == (400, "access_denied")
    assert "Access wasn't granted" in html.unescape(answer.text)
    desk.paste(follow_to_callback(desk.link(), ADA, approve=False))
    assert desk.widget.error_code == "access_denied"
    assert provider.exchanges() == []


def test_the_token_endpoint_fails(desk, provider):
    provider.change(token_answer={"status": 500, "content_type": "text/html", "body": "<h1>no</h1>"})
    answer = visit(follow_to_callback(desk.link(), ADA))
    assert (answer.status_code, desk.widget.error_code) == (400, "token_endpoint_failed")
    assert "You can close this window" not in answer.text
    assert len(provider.exchanges()) == 1
    provider.change(token_answer=None)
    assert visit(follow_to_callback(desk.link(), ADA)).status_code == 200
    assert desk.widget.user_email == ADA


def test_the_answer_to_another_widget(desk, provider):
    """The answer to one widget's sign-in is refused by another widget of the process (C6)."""
    other = Desk(provider)
    theirs, ours = follow_to_callback(other.link(), GRACE), follow_to_callback(desk.link(), ADA)
    assert urlsplit(theirs).netloc == urlsplit(ours).netloc
    desk.paste(theirs)
    assert "belongs to another sign-in" in desk.told[-1]["problem"]
    assert not desk.widget.is_authenticated
    assert [visit(one).status_code for one in (theirs, ours)] == [200, 200]
    assert (desk.widget.user_email, other.widget.user_email) == (ADA, GRACE)
    other.widget.close()


def test_a_code_of_another_request_is_worth_nothing(desk, provider):
    """A code of another request is refused, even with the right state (C2)."""
    stolen = parse_qs(urlsplit(follow_to_callback(desk.link(), GRACE)).query)["code"][0]
    callback = follow_to_callback(desk.link(), ADA)
    answer = visit(changed(callback, code=stolen))
    assert (answer.status_code, desk.widget.error_code) == (400, "invalid_grant")
    assert not desk.widget.is_authenticated
