"""Two widgets, two views of one widget, or two clicks give as many popups as intended."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.widget import Widget, count_windows

pytestmark = pytest.mark.kept_page


def test_two_widgets_sign_in_at_the_same_time(open_notebook, provider):
    """Each callback reaches its own widget, whichever comes first (C4, C16, C39)."""
    notebook = open_notebook(
        cells.show_widget(provider, provider.public, "first"),
        cells.show_widget(provider, provider.confidential, "second"),
    )
    notebook.run_cell(0)
    notebook.run_cell(1)
    first, second = Widget(notebook.page, 0), Widget(notebook.page, 1)

    first_popup = first.open_popup()
    popup.answer_login(first_popup, "ada@example.com")
    notebook.page.bring_to_front()
    second_popup = second.open_popup()
    popup.answer_login(second_popup, "ada@example.com")
    popup.sign_in(second_popup, "ada@example.com")
    second.wait_status("Signed in as ada@example.com")
    assert not notebook.kernel.value("first.is_authenticated")
    first.wait_status("Waiting for you in the popup")
    popup.sign_in(first_popup, "ada@example.com")
    first.wait_status("Signed in as ada@example.com")

    assert notebook.kernel.until("first.is_authenticated and second.is_authenticated")
    notebook.kernel.run("import jwt\nunverified = {'verify_signature': False}")
    for name, client in (("first", provider.public), ("second", provider.confidential)):
        claims = f"jwt.decode({name}.auth_manager.id_token, options=unverified)"
        assert notebook.kernel.value(f"{claims}['aud']") == client.client_id


def test_two_views_are_one_sign_in(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public), "display(widget)")
    notebook.run_cell(0)
    notebook.run_cell(1)
    upper, lower = Widget(notebook.page, 0), Widget(notebook.page, 1)
    upper.wait_ready()
    lower.wait_ready()

    with count_windows(notebook.page) as windows:
        window = upper.open_popup()
        lower.wait_status("Waiting for you in the popup")
        lower.click(lower.sign_in_button)
        popup.sign_in(window, "ada@example.com")
        upper.wait_status("Signed in as ada@example.com")
        lower.wait_status("Signed in as ada@example.com")
    assert windows == [window]
    assert len(provider.exchanges()) == 1


def test_a_double_click_opens_one_popup(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()
    box = widget.sign_in_button.bounding_box()

    with count_windows(notebook.page) as windows:
        with notebook.page.expect_popup() as opening:
            notebook.page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        widget.wait_status("Waiting for you in the popup")
        popup.sign_in(opening.value, "ada@example.com")
        widget.wait_status("Signed in as ada@example.com")
    assert windows == [opening.value]
    expect(widget.sign_out_button).to_be_visible()
