"""A second attempt while the first popup is open, or in a second tab, ends in one sign-in."""

from __future__ import annotations

import pytest

from e2e import cells, popup
from e2e.steps import ADA
from e2e.widget import Widget


@pytest.mark.kept_page
def test_the_first_popup_comes_too_late(open_notebook, provider):
    """The late answer of a first popup changes nothing after a second one signed in (C18)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    provider.change(coop="same-origin")
    widget = Widget(notebook.page)
    first = widget.open_popup()
    popup.answer_login(first, ADA)
    widget.wait_status("The popup seems to be closed.")

    notebook.page.bring_to_front()
    second = widget.open_popup()
    popup.sign_in(second, ADA)
    widget.wait_status(f"Signed in as {ADA}")
    popup.sign_in(first, ADA)
    first.wait_for_url("http://127.0.0.1:*/**")

    notebook.kernel.until("widget.is_authenticated")
    widget.wait_status(f"Signed in as {ADA}")
    assert len(provider.exchanges()) == 1


@pytest.mark.kept_page
def test_the_provider_answers_twice(open_notebook, provider):
    """The same answer sent a second time gets status 400 and no second exchange (C16)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    answers = []
    notebook.page.context.on("request", lambda one: answers.append(one.url) if "code=" in one.url else None)
    provider.change(coop="same-origin")
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    provider.change(token_hold=True)
    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    again = notebook.page.context.new_page()
    assert again.goto(answers[0]).status == 400
    again.close()
    provider.change(token_hold=False)

    widget.wait_status(f"Signed in as {ADA}")
    assert len(provider.exchanges()) == 1


def test_the_same_notebook_in_two_tabs(open_notebook, provider):
    """A sign-in in one tab signs in both tabs and closes the other one's popup (C5)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    notebook.save()
    first = Widget(notebook.page)
    page = notebook.page
    notebook.page = page.context.new_page()
    notebook.reload()
    second = Widget(notebook.page)
    second.wait_ready()

    page.bring_to_front()
    abandoned = first.open_popup()
    popup.answer_login(abandoned, ADA)
    notebook.page.bring_to_front()
    second.sign_in(ADA)

    first.wait_status(f"Signed in as {ADA}")
    popup.wait_closed(abandoned)
    assert len(provider.exchanges()) == 1
