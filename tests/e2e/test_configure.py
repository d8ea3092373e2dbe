"""A client is set up in the form, and its secret is stored in its file only."""

from __future__ import annotations

import json
import re
import secrets
import stat

import pytest
from playwright.sync_api import expect
from tokentoss import error_codes

from e2e import leaks
from e2e.configure_form import ConfigureForm
from e2e.jupyterlab import WIDGET_MANAGER
from e2e.widget import PATIENCE_MS

CLIENT_ID = "123456789012-e2e.apps.googleusercontent.com"
SHOW = "from tokentoss import ConfigureWidget\nwidget = ConfigureWidget()\ndisplay(widget)"
STATE = "application/vnd.jupyter.widget-state+json"
SEALED = re.compile(rb'"sealed_configuration"\s*:\s*"([A-Za-z0-9_-]+)"')


@pytest.fixture
def state_is_saved(lab):
    """JupyterLab writes the state of widgets into notebooks, as the user can choose in its settings."""
    lab.set_setting(WIDGET_MANAGER, {"saveState": True})
    yield
    lab.set_setting(WIDGET_MANAGER, {"saveState": False})


@pytest.fixture
def traffic(context):
    return leaks.Traffic(context)


@pytest.fixture
def secret():
    return f"GOCSPX-{secrets.token_urlsafe(24)}"


def show(notebook):
    notebook.run_cell(0)
    form = ConfigureForm(notebook.page)
    form.wait_ready()
    return form


def scan(notebook, observer, traffic, secret):
    """Where the secret, or its sealed form, is found after the notebook was saved with its state."""
    notebook.save()
    state = json.loads(notebook.path.read_text())["metadata"]["widgets"][STATE]["state"]
    assert any("sealed_configuration" in model["state"] for model in state.values()), "no state was saved"
    sealed = SEALED.findall(traffic.sent)
    assert sealed, "nothing was sent"
    looked_for = {"client secret": secret}
    looked_for |= {f"sealed {number}": one.decode() for number, one in enumerate(sealed)}
    places = leaks.places(notebook, observer, traffic)
    places["document of the page"] = notebook.page.content().encode()
    found = leaks.find(looked_for, places)
    return found + leaks.find({"client secret": secret}, {"what was sent to the kernel": traffic.sent})


def test_typed_credentials_are_stored_and_nowhere_else(state_is_saved, traffic, open_notebook, place, secret):
    """A typed secret is only in its file: not in notebook, iopub, page or wire (C70)."""
    notebook = open_notebook(SHOW, "widget", "widget.get_state()")
    observer = notebook.kernel
    observer.value("1")
    form = show(notebook)
    form.type_into(form.client_id, f" {CLIENT_ID} ")
    form.type_into(form.client_secret, secret)
    form.type_into(form.project_id, "project-1")
    assert secret not in notebook.page.content()
    assert form.client_secret.get_attribute("type") == "password"

    notebook.page.keyboard.press("Enter")

    form.wait_status(f"Configured! Saved to {place} ({CLIENT_ID})")
    installed = json.loads(place.read_text())["installed"]
    assert (installed["client_id"], installed["client_secret"]) == (CLIENT_ID, secret)
    assert installed["project_id"] == "project-1"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert notebook.kernel.value("[widget.configured, widget.client_id, widget.sealed_configuration]") == [
        True,
        CLIENT_ID,
        "",
    ]
    for index in (1, 2):
        notebook.run_cell(index)
    assert secret not in form.field_values()
    assert scan(notebook, observer, traffic, secret) == []


@pytest.mark.kept_page
def test_the_field_is_empty_at_once_and_stays_so(open_notebook, place, secret):
    """The secret leaves its field at once, and undo does not bring it back."""
    notebook = open_notebook(SHOW)
    form = show(notebook)
    form.click(form.configure_button)
    expect(form.root.get_by_role("alert")).to_have_text(
        "Choose the downloaded file, or enter the client by hand."
    )
    expect(form.root.get_by_role("button", name="choose a file")).to_be_focused()
    form.type_into(form.client_id, "GOCSPX-not-here")
    form.type_into(form.client_secret, secret)
    form.click(form.configure_button)
    expect(form.root.get_by_text("This looks like a client secret")).to_be_visible()
    expect(form.client_id).to_be_focused()
    assert not place.exists()

    form.type_into(form.client_id, CLIENT_ID)
    form.click(form.configure_button)
    assert secret not in form.field_values()
    form.wait_status("Configured!")
    form.click(form.change_button)
    for _ in range(3):
        form.click(form.client_secret)
        notebook.page.keyboard.press("ControlOrMeta+z")
        assert secret not in form.field_values()
    expect(form.root.get_by_text(f"Configured now: {CLIENT_ID}")).to_be_visible()


@pytest.mark.parametrize("way", ["choose", "drop"])
def test_a_downloaded_file(state_is_saved, traffic, open_notebook, place, secret, way):
    """A file is checked before anything is written, and the error names the file and its fault."""
    notebook = open_notebook(SHOW)
    observer = notebook.kernel
    observer.value("1")
    form = show(notebook)

    def give(name, content):
        if way == "choose":
            form.choose(name, content.encode())
        else:
            form.drop(name, content)
        expect(form.root.get_by_text(f"{name} will be used.")).to_be_visible()
        form.click(form.configure_button)

    give("key.json", json.dumps({"type": "service_account", "private_key": secret}))
    form.wait_status("key.json is a service account key")
    assert not place.exists()
    content = {"installed": {"client_id": CLIENT_ID, "client_secret": secret, "project_id": "project-1"}}
    give("client_secret_1.json", json.dumps(content))
    form.wait_status("Configured!")

    assert json.loads(place.read_text()) == content
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert scan(notebook, observer, traffic, secret) == []


@pytest.mark.kept_page
def test_by_keyboard_alone(open_notebook, place, secret):
    """The form can be filled by keyboard alone, and the focus follows each step."""
    notebook = open_notebook(SHOW)
    form = show(notebook)
    keyboard = notebook.page.keyboard
    expect(form.root.get_by_role("link", name="Google's console")).to_be_visible()
    # The file comes first; what few have to do is behind it.
    form.root.get_by_role("button", name="choose a file").focus()
    keyboard.press("Tab")
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(form.client_id).to_be_focused()
    keyboard.type(CLIENT_ID)
    keyboard.press("Tab")
    keyboard.type("not a secret")
    keyboard.press("Enter")
    form.wait_status("The client secret isn't valid: it holds a space")
    expect(form.client_secret).to_be_focused()
    expect(form.client_secret).to_have_attribute("aria-invalid", "true")
    keyboard.type(secret)
    keyboard.press("Enter")
    form.wait_status("Configured!")
    expect(form.change_button).to_be_focused()
    keyboard.press("Enter")
    expect(form.client_id).to_be_focused()
    assert json.loads(place.read_text())["installed"]["client_secret"] == secret


@pytest.mark.kept_page
def test_the_kernel_is_gone(open_notebook, place):
    """A form whose kernel was restarted says so and cannot be sent."""
    notebook = open_notebook(SHOW)
    form = show(notebook)
    notebook.restart_kernel()
    form.wait_status(error_codes.sentence("kernel_gone"))
    expect(form.configure_button).to_be_hidden()
    form.click(form.root.get_by_role("button", name="Go to the cell"))
    notebook.page.keyboard.press("Shift+Enter")
    expect(form.configure_button).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.kept_page
def test_a_restart_from_another_client(open_notebook, place, secret):
    """A form sent after a restart from another client reports it and stores nothing."""
    notebook = open_notebook(SHOW)
    form = show(notebook)
    notebook.lab.restart_kernel(notebook.lab.kernel_of(notebook.path.name))
    form.type_into(form.client_id, CLIENT_ID)
    form.type_into(form.client_secret, secret)
    form.click(form.configure_button)
    form.wait_status(error_codes.sentence("kernel_gone"))
    expect(form.client_secret).to_be_hidden()
    assert not place.exists()


def test_the_scan_finds_a_secret_in_the_document(state_is_saved, traffic, open_notebook, place, secret):
    """The leak scan finds a secret that is planted in the page's document."""
    notebook = open_notebook(SHOW)
    observer = notebook.kernel
    observer.value("1")
    form = show(notebook)
    form.type_into(form.client_id, CLIENT_ID)
    form.type_into(form.client_secret, secret)
    form.click(form.configure_button)
    form.wait_status("Configured!")
    notebook.page.evaluate("secret => document.body.setAttribute('data-planted', secret)", secret)
    assert scan(notebook, observer, traffic, secret) == ["client secret in document of the page"]
