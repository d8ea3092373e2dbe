"""Without a client, the sign-in widget shows the form, and then the button below it."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from e2e.configure_form import PATIENCE_MS, ConfigureForm

CLIENT_ID = "123456789012-form.apps.googleusercontent.com"
GOOGLE = "accounts.google.com"
SECRET = "GOCSPX-in-place-of-a-traceback"
NEXT = "There's no OAuth client yet. Fill in the form above, then run this cell again."
SHOW = "from tokentoss import GoogleAuthWidget\nw = GoogleAuthWidget()\nw"


@pytest.fixture
def foreign_names():
    """The client is one of the real provider's, to which its popup leads."""
    return {GOOGLE}


def fill_in(form):
    form.wait_ready()
    form.type_into(form.client_id, CLIENT_ID)
    form.type_into(form.client_secret, SECRET)
    form.page.keyboard.press("Enter")
    form.wait_status("Configured!")


def asks_google(request):
    parts = urlsplit(request.url)
    return parts.hostname == GOOGLE and parse_qs(parts.query)["client_id"] == [CLIENT_ID]


def sign_in_button(notebook):
    return notebook.page.get_by_role("button", name="Sign in with Google")


def test_the_button_follows_the_form(open_notebook, place):
    notebook = open_notebook(SHOW, "w.status", "w")
    notebook.run_cell(0)
    form = ConfigureForm(notebook.page)
    expect(sign_in_button(notebook)).to_have_count(0)

    fill_in(form)

    expect(sign_in_button(notebook)).to_be_enabled(timeout=PATIENCE_MS)
    expect(form.change_button).to_be_focused()
    assert json.loads(place.read_text())["installed"]["client_id"] == CLIENT_ID
    # A click of the same output opens the popup; the provider itself is out of reach here.
    context = notebook.page.context
    with context.expect_page() as opened, context.expect_event("request", asks_google):
        sign_in_button(notebook).click()
    opened.value.close()
    notebook.run_cell(1)
    assert "popup" in notebook.output(1)

    # Another view, a page that is loaded again, and a cell that is run again.
    notebook.run_cell(2)
    expect(sign_in_button(notebook)).to_have_count(2)
    notebook.save()
    notebook.reload()
    expect(sign_in_button(notebook)).to_have_count(2, timeout=PATIENCE_MS)
    notebook.run_cell(0)
    notebook.run_cell(2)
    expect(sign_in_button(notebook)).to_have_count(2, timeout=PATIENCE_MS)
    expect(form.root).to_have_count(0)
    notebook.save()
    assert SECRET not in notebook.path.read_text()


def test_login_and_calls_say_in_one_line_what_to_do(open_notebook, place):
    notebook = open_notebook(
        "import tokentoss\nmanager = tokentoss.login()",
        'tokentoss.IAPClient(base_url="http://127.0.0.1:9").get_json("/")',
    )
    notebook.start_cell(0)
    form = ConfigureForm(notebook.page)
    form.wait_ready()
    errors = notebook.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]')
    expect(errors.first).to_have_text(f"ClientSecretsNotFoundError: {NEXT}")
    notebook.start_cell(1)
    expect(errors.nth(1)).to_contain_text("NoCredentialsError: ")
    assert len(errors.nth(1).inner_text().strip().splitlines()) == 1
    fill_in(form)
    expect(sign_in_button(notebook)).to_be_enabled(timeout=PATIENCE_MS)
    assert place.exists()
