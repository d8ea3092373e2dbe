"""The same sign-in with every provider: in, renewed, revoked, in again; and declined."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from e2e import cells, popup
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

MANAGER = "widget.auth_manager"
TOKENS = f"{MANAGER}.token_data"
CLAIMS = f"__import__('jwt').decode({TOKENS}.id_token, options={{'verify_signature': False}})"
ISSUED_AT = f"{CLAIMS}['iat']"


@pytest.fixture
def notebook(open_notebook, party, api):
    arguments = f"provider=Provider.discover({party.issuer!r}), {party.client_arguments}"
    show = f"{cells.IMPORTS}\nwidget = AuthWidget({arguments}, storage=MemoryStorage())\ndisplay(widget)"
    notebook = open_notebook(show, cells.try_api(api))
    notebook.run_cell(0)
    return notebook


@pytest.fixture
def redeemed(context, party):
    """The requests with which pages redeemed codes."""
    endpoint = party.metadata()["token_endpoint"]
    forms = []

    def note(request):
        if request.method == "POST" and request.url == endpoint:
            form = parse_qs(request.post_data or "")
            if "code" in form:
                forms.append(form)

    context.on("request", note)
    yield forms
    context.remove_listener("request", note)


def sign_in(notebook, party):
    widget = Widget(notebook.page)
    window = widget.open_popup()
    party.approve(window, "ada")
    popup.wait_closed(window)
    notebook.kernel.until("widget.is_authenticated")
    return widget


def ask_api(notebook):
    notebook.run_cell(1)
    return notebook.output(1).strip()


def test_in_renewed_revoked_and_in_again(notebook, party, redeemed):
    widget = sign_in(notebook, party)
    widget.wait_status("Signed in as ada@example.com")
    value = notebook.kernel.value
    assert [len(form["code_verifier"][0]) >= 43 for form in redeemed] == [True] * party.pages_redeem
    assert value(f"{TOKENS}.signature_checked") is True
    assert {"openid", "email", "profile"} <= set(value(f"{TOKENS}.scopes"))
    subject = value(f"{TOKENS}.subject")
    assert "'email': 'ada@example.com'" in ask_api(notebook)

    first, id_token = value(f"[{TOKENS}.refresh_token, {TOKENS}.id_token]")
    # Two ID tokens of one second are the same to the letter.
    notebook.kernel.until(f"__import__('time').time() >= 1 + {ISSUED_AT}")
    notebook.kernel.run(f"{MANAGER}.refresh_tokens()")
    second, renewed = value(f"[{TOKENS}.refresh_token, {TOKENS}.id_token]")
    assert second not in {None, first}
    assert (renewed != id_token) == party.renews_id_tokens
    assert "'email': 'ada@example.com'" in ask_api(notebook)

    notebook.kernel.run("result = widget.sign_out(revoke=True)")
    assert value("[result.removed, result.revoked, str(result.error)]") == [True, True, "None"]
    assert party.redeem(second).status_code == 400
    widget.wait_idle()
    assert ask_api(notebook).startswith("NoCredentialsError")

    sign_in(notebook, party).wait_status("Signed in as ada@example.com")
    assert value(f"{TOKENS}.subject") == subject
    assert "different user" not in value("widget.status")
    assert "'email': 'ada@example.com'" in ask_api(notebook)


def test_a_spent_refresh_token_is_refused(notebook, party):
    """A spent refresh token is refused, and ends the session where the provider does so."""
    sign_in(notebook, party)
    spent = notebook.kernel.value(f"{TOKENS}.refresh_token")
    notebook.kernel.run(f"{MANAGER}.refresh_tokens()")

    assert party.redeem(spent).status_code == 400

    failed = "code = error.code"
    notebook.kernel.run(f"code = None\ntry: {MANAGER}.refresh_tokens()\nexcept Exception as error: {failed}")
    assert notebook.kernel.value("code") == party.reuse_ends_session
    assert notebook.kernel.value("widget.is_authenticated") == (party.reuse_ends_session != "invalid_grant")


def test_declined(notebook, party, redeemed):
    widget = Widget(notebook.page)
    window = widget.open_popup()
    party.decline(window, "ada")
    popup.wait_closed(window)

    if party.can_decline:
        notebook.kernel.until("widget.error_code == 'access_denied'")
        widget.wait_status(notebook.kernel.value("widget.error"))
    else:
        widget.wait_status("The popup seems to be closed.")
        widget.click(widget.cancel_button)
        widget.wait_idle()
    assert not notebook.kernel.value("widget.is_authenticated")
    assert redeemed == []

    window = widget.open_popup()
    party.approve(window, "ada")
    widget.wait_status("Signed in as ada@example.com")


@pytest.mark.parametrize("party", ["glewlwyd"], indirect=True)
def test_granted_in_part(notebook, party):
    """If only openid is granted, the widget shows the subject, and the API refuses the call."""
    widget = Widget(notebook.page)
    window = widget.open_popup()
    party.approve(window, "grace", only_openid=True)
    popup.wait_closed(window)
    notebook.kernel.until("widget.is_authenticated")

    assert notebook.kernel.value(f"{TOKENS}.scopes") == ["openid"]
    assert notebook.kernel.value("widget.user_email") == ""
    widget.wait_status(f"Signed in as {notebook.kernel.value(f'{TOKENS}.subject')}")
    assert ask_api(notebook) == "ServiceUnauthenticatedError service_unauthenticated"
