"""The page is loaded again while the kernel lives on."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e import cells, popup
from e2e.widget import Widget

ADA = "ada@example.com"


def test_a_finished_sign_in_is_shown_again(open_notebook, provider, iap_api):
    notebook = open_notebook(cells.show_widget(provider, provider.public), cells.call_api(iap_api))
    notebook.run_cell(0)
    Widget(notebook.page).sign_in(ADA)
    notebook.save()

    notebook.reload()

    widget = Widget(notebook.page)
    widget.wait_status(f"Signed in as {ADA}")
    expect(widget.sign_in_button).to_be_hidden()
    notebook.run_cell(1)
    assert f"'email': '{ADA}'" in notebook.output(1)


def test_a_sign_in_works_after_a_reload(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    Widget(notebook.page).wait_ready()
    notebook.save()

    notebook.reload()

    Widget(notebook.page).sign_in(ADA)
    notebook.kernel.until("widget.is_authenticated")


def test_a_reload_in_the_middle_of_a_sign_in(open_notebook, provider):
    """After a reload, the old popup redeems no code, and a new click signs in (C5)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    abandoned = widget.open_popup()
    popup.answer_login(abandoned, ADA)
    notebook.save()

    notebook.reload()
    widget.wait_idle()
    popup.sign_in(abandoned, ADA)
    popup.wait_closed(abandoned)
    assert provider.exchanges() == []

    widget.sign_in(ADA)
    assert len(provider.exchanges()) == 1
