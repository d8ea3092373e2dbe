"""A mix-up of two providers in a browser: no code goes to the other one's token endpoint."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.attacks.mixing_provider import MixingProvider
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"


@pytest.fixture
def mixing(provider):
    with MixingProvider(provider, provider.public) as mixing:
        yield mixing


def widget_of(issuer, name, client):
    """A widget for a provider that does not promise to name itself."""
    return (
        f"{cells.IMPORTS}\nfrom dataclasses import replace\n"
        f"provider = replace(Provider.discover({issuer!r}), iss_parameter_supported=False)\n"
        f"{name} = AuthWidget(provider=provider, client_id={client!r}, storage=MemoryStorage())\n"
        f"display({name})"
    )


@pytest.fixture
def notebook(open_notebook, provider, mixing):
    """One notebook that signs in at both, through the mixing one first."""
    notebook = open_notebook(
        widget_of(mixing.origin(), "mixed", "client-of-the-mixing-one"),
        widget_of(provider.issuer, "honest", provider.public.client_id),
    )
    notebook.run_cell(0)
    notebook.run_cell(1)
    for number in (0, 1):
        Widget(notebook.page, number).wait_ready()
    provider.forget_requests()
    return notebook


def redirect_uri(notebook, name):
    found: str = notebook.kernel.value(f"{name}.ticket['redirect_uri']")
    return found


def arrives(notebook, provider):
    """Sign in where the mixing provider sent the user; return the window, with the code back at us."""
    window = Widget(notebook.page, 0).open_popup()
    window.wait_for_url(f"{provider.issuer}/**")
    popup.sign_in(window, ADA)
    window.wait_for_url("http://127.0.0.1:*/?*")
    return window


def nothing_went_there(notebook, provider, mixing):
    # A page may have asked the token endpoint whether it answers pages: with its client's name, and no more.
    code = provider.secrets()["code"]
    sent = "".join(request.text for request in mixing.requests)
    assert code not in sent
    assert "code_verifier" not in sent
    assert provider.exchanges() == []
    assert not notebook.kernel.value("mixed.is_authenticated or honest.is_authenticated")


def test_each_has_a_redirect_uri_of_its_own(notebook):
    """Each provider has its own redirect URI (RFC 9700, section 4.4.2.2)."""
    assert redirect_uri(notebook, "mixed") != redirect_uri(notebook, "honest")


def test_two_widgets_of_one_provider_share_theirs(open_notebook, provider):
    notebook = open_notebook(
        widget_of(provider.issuer, "one", provider.public.client_id),
        widget_of(provider.issuer, "two", provider.public.client_id),
    )
    notebook.run_cell(0)
    notebook.run_cell(1)
    assert redirect_uri(notebook, "one") == redirect_uri(notebook, "two")


def test_an_answer_at_the_others_redirect_uri(notebook, provider, mixing):
    """An answer at the other provider's redirect URI is refused, and no code is sent."""
    mixing.redirect_uri = redirect_uri(notebook, "honest")
    window = arrives(notebook, provider)
    expect(window.get_by_text("state_mismatch")).to_be_visible()
    assert urlsplit(window.url).port == urlsplit(mixing.redirect_uri).port
    nothing_went_there(notebook, provider, mixing)
    notebook.page.bring_to_front()
    Widget(notebook.page, 1).sign_in(ADA)
    assert notebook.kernel.until("honest.user_email") == ADA


def test_an_answer_that_names_the_other(notebook, provider, mixing):
    """An answer whose iss names the other provider is refused (RFC 9207)."""
    window = arrives(notebook, provider)
    expect(window.get_by_text("issuer_mismatch")).to_be_visible()
    nothing_went_there(notebook, provider, mixing)
    Widget(notebook.page, 0).wait_status("Waiting for you in the popup")
