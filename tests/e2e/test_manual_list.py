"""The first release's list for testing by hand, from an empty machine to the second sign-in."""

from __future__ import annotations

import json
import stat

from playwright.sync_api import expect

from e2e import cells
from e2e.configure_form import ConfigureForm
from e2e.widget import Widget

ADA, GRACE = "ada@example.com", "grace@example.com"
CLIENT_ID = "123456789012-list.apps.googleusercontent.com"
SECRET = "GOCSPX-of-the-manual-list"
FORM, GOOGLE, LOCAL, CALL = range(4)


def downloaded(provider):
    """What stands in the file of the local provider's client, with its endpoints."""
    client, metadata = provider.confidential, provider.metadata()
    return {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "auth_uri": metadata["authorization_endpoint"],
        "token_uri": metadata["token_endpoint"],
    }


def test_the_manual_list(open_notebook, provider, iap_api, place):
    notebook = open_notebook(
        "from tokentoss import AuthWidget, ConfigureWidget, GoogleAuthWidget, IAPClient, Provider\n"
        "form = ConfigureWidget()\ndisplay(form)",
        "google = GoogleAuthWidget()\ndisplay(google)",
        f"widget = AuthWidget(provider=Provider.discover({provider.issuer!r}))\ndisplay(widget)",
        cells.try_api(iap_api),
    )
    page = notebook.page
    form = ConfigureForm(page)

    # 1. The form masks the secret, and writes the file for its owner alone.
    notebook.run_cell(FORM)
    form.wait_ready()
    form.type_into(form.client_id, CLIENT_ID)
    form.type_into(form.client_secret, SECRET)
    assert form.client_secret.get_attribute("type") == "password"
    form.click(form.configure_button)
    form.wait_status(f"Configured! Saved to {place}")
    installed = json.loads(place.read_text())["installed"]
    assert (installed["client_id"], installed["client_secret"]) == (CLIENT_ID, SECRET)
    assert (stat.S_IMODE(place.stat().st_mode), stat.S_IMODE(place.parent.stat().st_mode)) == (0o600, 0o700)
    assert SECRET not in form.field_values()
    assert SECRET not in page.content()

    # 2. The widget picks it up.
    notebook.run_cell(GOOGLE)
    button = page.get_by_role("button", name="Sign in with Google")
    expect(button).to_be_enabled()
    assert notebook.kernel.value("google.auth_manager.client_config.client_id") == CLIENT_ID

    # 3. A downloaded file takes its place, of the provider that this machine can reach.
    content = downloaded(provider)
    form.click(form.change_button)
    form.choose("client_secret_downloaded.json", json.dumps({"installed": content}).encode())
    form.click(form.configure_button)
    form.wait_status(content["client_id"])
    assert json.loads(place.read_text())["installed"] == content

    # 4. Before the sign-in there is nothing to call with; then the whole flow, and a call.
    notebook.run_cell(LOCAL)
    notebook.run_cell(CALL)
    assert "NoCredentialsError" in notebook.output(CALL)
    widget = Widget(page, view=2)
    widget.wait_ready()
    widget.sign_in(ADA)
    widget.wait_status(f"Signed in as {ADA}")
    notebook.run_cell(CALL)
    assert f"'email': '{ADA}'" in notebook.output(CALL)
    tokens = place.with_name("tokens.json")
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600

    # 5. Signing out removes the tokens, and the next sign-in, of somebody else, works as the first.
    widget.click(widget.sign_out_button)
    widget.wait_idle()
    notebook.run_cell(CALL)
    assert "NoCredentialsError" in notebook.output(CALL)
    page.context.clear_cookies(domain="127.0.0.1")  # the provider would remember Ada
    widget.sign_in(GRACE)
    notebook.run_cell(CALL)
    assert f"'email': '{GRACE}'" in notebook.output(CALL)

    # 6. What was saved of all that holds no secret.
    notebook.save()
    saved = notebook.path.read_text()
    found = [name for name, value in {**provider.secrets(), "typed": SECRET}.items() if value in saved]
    assert found == []
