"""Two widgets of one page, clicked at once: both start pages have the same opener."""

from __future__ import annotations

import pytest

from e2e import cells, popup
from e2e.waiting import until
from e2e.widget import Widget, count_windows

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["first, second", "second, first"])
def test_each_window_signs_in_its_own_widget(open_notebook, provider, order):
    """Two popups opened at once each sign in the widget that opened them."""
    clients = (provider.public, provider.confidential)
    notebook = open_notebook(
        cells.show_widget(provider, clients[0], "first"), cells.show_widget(provider, clients[1], "second")
    )
    notebook.run_cell(0)
    notebook.run_cell(1)
    widgets = [Widget(notebook.page, number) for number in (0, 1)]
    places = []
    for widget in widgets:
        widget.wait_ready()
        box = widget.sign_in_button.bounding_box()
        places.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))

    with count_windows(notebook.page) as windows:
        for number in order:
            notebook.page.mouse.click(*places[number])
        until(lambda: notebook.page.title() is not None and len(windows) == 2, "both windows")

    for number, window in zip(order, windows, strict=True):
        window.wait_for_url(f"{provider.issuer}/interaction/*")
        popup.sign_in(window, ADA)
        widgets[number].wait_status(f"Signed in as {ADA}")
    notebook.kernel.run("import jwt\nunverified = {'verify_signature': False}")
    for name, client in zip(("first", "second"), clients, strict=True):
        notebook.kernel.until(f"{name}.is_authenticated")
        claims = f"jwt.decode({name}.auth_manager.id_token, options=unverified)"
        assert notebook.kernel.value(f"{claims}['aud']") == client.client_id
    assert len(provider.exchanges()) == 2
