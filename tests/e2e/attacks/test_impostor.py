"""An impostor listens on the loopback port of the browser's machine."""

from __future__ import annotations

import itertools
import secrets

import pytest
from playwright.sync_api import expect

from e2e import cells, leaks, popup
from e2e.attacks.impostor import Impostor
from e2e.browser import resolving, start
from e2e.kept_page import KeptPage
from e2e.waiting import until
from e2e.widget import PATIENCE_MS, Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"
STEERED = "copy its full address and paste it below."
RUBBISH = secrets.token_urlsafe(13 + 120)
ANSWERS = {
    "rubbish that looks right": [{"type": "registered", "answer": "AQ" + RUBBISH}],
    "no answer": [{"type": "registered"}],
    "an answer of the wrong type": [{"type": "registered", "answer": 7}],
    "a long answer": [{"type": "registered", "answer": "A" * 60_000}],
    "first a question": [{"type": "confirming"}, {"type": "registered", "answer": RUBBISH}],
    "a code at once": [
        {"type": "registered", "answer": RUBBISH},
        {"type": "callback", "query": "code=mallorys&state=" + "s" * 43},
    ],
}


@pytest.fixture(scope="module")
def impostor():
    with Impostor() as impostor:
        yield impostor


@pytest.fixture(scope="module")
def deceived_browser(browser, impostor, unreachable_port):
    """Chromium on a machine where the impostor has the kernel's port."""
    rule = f"MAP 127.0.0.1:{unreachable_port} 127.0.0.1:{impostor.port}"
    deceived = start(browser.browser_type, flags=resolving(rule))
    yield deceived
    deceived.close()


@pytest.fixture(scope="module")
def kept_page(deceived_browser):
    with KeptPage(deceived_browser) as kept:
        yield kept


@pytest.fixture
def show(impostor, open_notebook, provider, unreachable_port):
    impostor.requests.clear()

    def show(client):
        notebook = open_notebook(cells.show_widget(provider, client, redirect_ports=[unreachable_port]))
        notebook.run_cell(0)
        return notebook

    return show


def learnt_nothing(impostor, provider):
    """It can see the address to which the popup comes back, but no verifier."""
    worthless = {"code", "state"}
    hidden = {name: value for name, value in provider.secrets().items() if name not in worthless}
    assert {"code_verifier", "access_token", "id_token"} <= hidden.keys()
    seen = "\n".join(request.text for request in impostor.requests).encode()
    assert leaks.find(hidden, {"the impostor": seen}) == []


# Which kind of client it is, the impostor learns nothing of.
@pytest.mark.parametrize(("answers", "kind"), zip(ANSWERS, itertools.cycle(("public", "confidential"))))
def test_the_page_takes_the_next_way(show, provider, impostor, unreachable_port, answers, kind):
    """If an impostor answers, the page goes on to the provider, and the user pastes the address."""
    impostor.answers = ANSWERS[answers]
    notebook = show(getattr(provider, kind))
    widget = Widget(notebook.page)
    window = widget.open_popup()
    window.wait_for_url(f"{provider.issuer}/**")
    widget.wait_status(STEERED)
    expect(widget.paste_field).to_be_visible(timeout=PATIENCE_MS)
    assert "start" in "".join(impostor.heard())
    popup.sign_in(window, ADA)
    window.wait_for_url(f"http://127.0.0.1:{unreachable_port}/?*")
    address = window.url
    notebook.page.bring_to_front()
    widget.paste(address)
    widget.wait_status(f"Signed in as {ADA}")
    assert notebook.kernel.until("widget.user_email") == ADA
    assert len(provider.exchanges()) == 1
    learnt_nothing(impostor, provider)


def test_it_is_not_asked_a_second_time(show, provider, impostor):
    """A retry with the same ticket does not open the impostor's start page again."""
    impostor.answers = ANSWERS["rubbish that looks right"]
    widget = Widget(show(provider.public).page)
    window = widget.open_popup()
    window.wait_for_url(f"{provider.issuer}/**")
    widget.click(widget.cancel_button)
    popup.wait_closed(window)
    assert impostor.starts() == 1
    window = widget.open_popup()
    window.wait_for_url(f"{provider.issuer}/**")
    widget.wait_status(STEERED)
    assert impostor.starts() == 1


def test_a_refusal_of_its_own_ends_nothing_for_good(show, provider, impostor, unreachable_port):
    """A refusal by the impostor ends the attempt, and the next click signs in."""
    impostor.answers = [{"type": "refused", "code": "registration_refused"}]
    notebook = show(provider.public)
    widget = Widget(notebook.page)
    first = widget.open_popup()
    until(lambda: notebook.page.title() is not None and impostor.heard(), "the impostor to be asked")
    widget.wait_ready()
    impostor.answers = [{"type": "registered"}]
    window = widget.open_popup()
    window.wait_for_url(f"{provider.issuer}/**")
    popup.sign_in(window, ADA)
    window.wait_for_url(f"http://127.0.0.1:{unreachable_port}/?*")
    address = window.url
    notebook.page.bring_to_front()
    widget.paste(address)
    widget.wait_status(f"Signed in as {ADA}")
    assert first.is_closed()
    learnt_nothing(impostor, provider)
