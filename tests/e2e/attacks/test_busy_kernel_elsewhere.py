"""With a busy kernel and a page of an unknown name, the user is asked to confirm once."""

from __future__ import annotations

import pytest
from tokentoss import error_codes

from e2e import cells, kernel_messages, popup
from e2e.kernel_versions import kernel_name
from e2e.start_page import Question
from e2e.waiting import until
from e2e.widget import Widget

ADA = "ada@example.com"
DEAF_WHILE_BUSY = "6.30.1"
HAS_TOKENS = "widget.is_authenticated and widget.auth_manager.id_token"


@pytest.fixture
def lab(named_lab):
    return named_lab


@pytest.fixture
def context(named_context):
    return named_context


@pytest.fixture
def busy(open_notebook, lab, provider, tmp_path):
    """A notebook whose kernel is busy from the widget's first moment: the page cannot be introduced."""
    release, seen = tmp_path / "release", tmp_path / "seen"
    provider.change(cors_origins=[lab.origin])
    busy = cells.stay_busy(release, seen=seen, condition=HAS_TOKENS)
    notebook = open_notebook(
        f"{cells.show_widget(provider, provider.confidential)}\n{busy}", kernel=kernel_name(DEAF_WHILE_BUSY)
    )
    notebook.start_cell(0)
    Widget(notebook.page).wait_ready()
    yield notebook, release, seen
    release.touch()


def test_a_yes_signs_in(busy, lab):
    notebook, release, seen = busy
    widget = Widget(notebook.page)
    window = widget.open_popup()
    assert kernel_messages.between_click_and_popup(notebook.page) == 0
    Question(window).say_yes(lab.origin)
    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    until(seen.exists, "the busy cell to see the tokens")
    release.touch()
    widget.wait_status(f"Signed in as {ADA}")
    assert notebook.kernel.value("widget.user_email") == ADA


def test_a_no_ends_the_attempt_and_the_next_one_asks_again(busy, lab, provider):
    notebook, release, seen = busy
    widget = Widget(notebook.page)
    window = widget.open_popup()
    Question(window).say_no(lab.origin)
    widget.wait_status(error_codes.sentence("page_refused"))
    assert provider.exchanges() == [], [sorted(one["body"]) for one in provider.exchanges()]
    window.close()
    window = widget.open_popup()
    Question(window).say_yes(lab.origin)
    popup.sign_in(window, ADA)
    until(seen.exists, "the busy cell to see the tokens")
    release.touch()
    widget.wait_status(f"Signed in as {ADA}")


def test_a_page_that_was_introduced_is_not_asked(open_notebook, lab, provider):
    """A page that an idle kernel has introduced signs in without a confirmation."""
    provider.change(cors_origins=[lab.origin])
    notebook = open_notebook(cells.show_widget(provider, provider.confidential))
    notebook.run_cell(0)
    Widget(notebook.page).wait_ready()
    notebook.kernel.until("len(widget._attempt.hand_off.introductions._by_key)")
    notebook.wait_kernel("idle")
    Widget(notebook.page).sign_in(ADA)
    assert notebook.kernel.until("widget.user_email") == ADA
