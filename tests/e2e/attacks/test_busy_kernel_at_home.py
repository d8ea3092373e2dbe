"""`display(w); w.wait()` in one cell, on a page of the kernel's own server, asks for no confirmation."""

from __future__ import annotations

import json

import pytest

from e2e import cells, kernel_messages, popup
from e2e.kernel_versions import VERSIONS, kernel_name
from e2e.widget import Widget

ADA = "ada@example.com"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("host", [pytest.param("localhost", marks=pytest.mark.kept_page), "127.0.0.1"])
def test_one_click(open_notebook, lab, context, provider, monkeypatch, host, version):
    """A page of the kernel's own Jupyter server signs in with one click and no confirmation (C25)."""
    monkeypatch.setattr(lab, "origin", f"http://{host}:{lab.port}")
    notebook = open_notebook(
        f"{cells.show_widget(provider, provider.confidential)}\naccount = widget.wait(timeout=120)",
        kernel=kernel_name(version),
    )
    registrations = []

    def note(request):
        if request.url.endswith("/tokentoss/register"):
            registrations.append(json.loads(request.post_data))

    context.on("request", note)
    notebook.start_cell(0)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    assert kernel_messages.between_click_and_popup(notebook.page) == 0
    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    widget.wait_status(f"Signed in as {ADA}")
    notebook.kernel.until("'account' in globals()")
    assert notebook.kernel.value("account.email") == ADA
    assert [one["origin"] for one in registrations] == [lab.origin]
    assert "confirm" not in registrations[0]
