"""Box has no ID tokens: the code goes to the kernel, and an endpoint tells who the user is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from servers.box_like import ADA, BoxLike

from e2e import popup
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page


@pytest.fixture
def box():
    with BoxLike() as server:
        yield server


def show(box, secret_file):
    """A cell that makes Box's widget, whose fixed addresses are those of the stand-in."""
    provider = box.provider()
    addresses = {
        name: getattr(provider, name)
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "revocation_endpoint",
            "identity_endpoint",
        )
    }
    return f"""
import dataclasses, pathlib
from tokentoss import BOX, APIClient, BoxAuthWidget, MemoryStorage

class LocalBoxAuthWidget(BoxAuthWidget):
    fixed_provider = dataclasses.replace(BOX, **{addresses!r})

secret = pathlib.Path({str(secret_file)!r}).read_text()
widget = LocalBoxAuthWidget(client_id={box.client.client_id!r}, client_secret=secret, storage=MemoryStorage())
display(widget)"""


def test_signs_in_lists_a_folder_and_signs_out(open_notebook, box, tmp_path):
    secret_file = tmp_path / "client_secret"
    secret_file.touch(mode=0o600)
    secret_file.write_text(box.client.client_secret)
    folder = (
        f"APIClient({box.origin() + '/2.0'!r}, auth_manager=widget.auth_manager).get_json('/folders/0/items')"
    )
    names = f"[entry['name'] for entry in {folder}['entries']]"
    notebook = open_notebook(show(box, secret_file), names, "print(widget.sign_out(revoke=True))")
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()
    assert widget.sign_in_button.inner_text() == "Sign in with Box"

    window = widget.open_popup()
    popup.wait_closed(window)

    widget.wait_status(f"Signed in as {ADA.login}")
    notebook.kernel.until("widget.is_authenticated")
    asked = [request for request in box.requests if request.path == "/oauth2/token"]
    assert [request.headers["Origin"] for request in asked] == [None], "the page asked"
    notebook.run_cell(1)
    assert notebook.output(1) == "['Contracts', 'Plan.pdf']"

    notebook.run_cell(2)
    widget.wait_idle()
    assert box.calls("/oauth2/revoke") > 0
    assert box.live_refresh_tokens() == 0
    expect(widget.sign_out_button).to_be_hidden()
