"""A page of another origin that knows the ticket, and one click of the victim."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.attacks.hostile_page import HostilePage
from e2e.start_page import Question
from e2e.waiting import until
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"
POSTS = ("/tokentoss/register", "/tokentoss/where", "/tokentoss/relay", "/tokentoss/deliver")


@pytest.fixture
def notebook(open_notebook, provider):
    """The victim's notebook, whose ticket has become known."""
    notebook = open_notebook(cells.show_widget(provider, provider.confidential))
    notebook.run_cell(0)
    Widget(notebook.page).wait_ready()
    return notebook


@pytest.fixture(params=["another host", "another port"])
def hostile(request, notebook, context, elsewhere, provider):
    origin = elsewhere.other_origin if request.param == "another port" else elsewhere.origin
    page = HostilePage(context, origin, notebook.kernel.value("widget.ticket"))
    provider.forget_requests()
    return page


def nothing_happened(hostile, notebook, provider):
    """Neither secret nor code nor tokens; and the victim signs in as if there had been no attack."""
    assert {one["type"] for one in hostile.heard()} <= {"confirming", "refused"}
    assert not hostile.is_registered()
    assert not notebook.kernel.value("widget.is_authenticated")
    assert provider.exchanges() == []
    notebook.page.bring_to_front()
    Widget(notebook.page).sign_in(ADA)
    assert notebook.kernel.until("widget.user_email") == ADA


def test_the_victim_is_asked_and_does_not_answer(hostile, notebook, provider):
    window = hostile.lure()
    Question(window).wait(hostile.tab.evaluate("origin"))
    expect(window.get_by_text(provider.confidential.client_id)).to_be_visible()
    assert hostile.heard() == [{"type": "confirming"}]
    assert provider.requests("/auth") == []
    nothing_happened(hostile, notebook, provider)


def test_the_victim_closes_the_window(hostile, notebook, provider):
    window = hostile.lure()
    Question(window).wait(hostile.tab.evaluate("origin"))
    window.close()
    nothing_happened(hostile, notebook, provider)


def test_the_victim_says_no(hostile, notebook, provider):
    window = hostile.lure()
    Question(window).say_no(hostile.tab.evaluate("origin"))
    refused = {"type": "refused", "code": "page_refused"}
    until(lambda: hostile.heard()[-1] == refused, "the refusal")
    assert provider.requests("/auth") == []
    nothing_happened(hostile, notebook, provider)


def test_a_no_answers_one_question(hostile, notebook, provider):
    """After the user declined, the next window asks again, and nobody is signed in."""
    Question(hostile.lure()).say_no(hostile.tab.evaluate("origin"))
    hostile.tab.bring_to_front()
    Question(hostile.lure()).wait(hostile.tab.evaluate("origin"))
    nothing_happened(hostile, notebook, provider)


def test_the_page_sends_its_window_to_the_provider_itself(hostile, notebook, provider):
    """A provider's answer to a request of the hostile page is refused."""
    window = hostile.lure()
    Question(window).wait(hostile.tab.evaluate("origin"))
    hostile.steer(hostile.request)
    popup.sign_in(window, ADA)
    window.wait_for_url(f"{hostile.plays.listener}/?*")
    expect(window.get_by_text("state_mismatch")).to_be_visible()
    nothing_happened(hostile, notebook, provider)


@pytest.mark.parametrize("path", POSTS)
def test_its_scripts_cannot_talk_to_the_listener(hostile, notebook, provider, path):
    seen = hostile.send(path, hostile.registration)
    assert seen == ["", "TypeError: Failed to fetch"]
    nothing_happened(hostile, notebook, provider)


def test_it_speaks_the_protocol(hostile, notebook, provider):
    """A hostile page that the user confirms gets the code, so the other tests attack properly."""
    window = hostile.lure()
    Question(window).say_yes(hostile.tab.evaluate("origin"))
    popup.sign_in(window, ADA)
    types = until(
        lambda: [one["type"] for one in hostile.heard()][:3] == ["confirming", "registered", "callback"],
        "the code at the page",
    )
    assert types
    assert hostile.is_registered()
