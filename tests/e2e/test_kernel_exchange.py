"""The kernel redeems a code that the page seals for it."""

from __future__ import annotations

import pytest

from e2e import cells, popup
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"


def by_page(request) -> bool:
    """Whether a browser sent a request: it names the origin of every POST."""
    return "origin" in request["header_names"]


@pytest.mark.parametrize("coop", [None, "same-origin"], ids=["opener", "severed"])
@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_the_page_never_asks_the_token_endpoint(open_notebook, provider, iap_api, kind, coop):
    """The only token request of a sign-in is sent by Python, not by the page (C43)."""
    client = getattr(provider, kind)
    notebook = open_notebook(cells.show_widget(provider, client, exchange="kernel"), cells.call_api(iap_api))
    notebook.run_cell(0)
    provider.change(coop=coop)

    Widget(notebook.page).sign_in(ADA)

    (request,) = provider.requests("/token")
    assert not by_page(request)
    assert {"code", "code_verifier", "redirect_uri"} <= set(request["body"])
    notebook.run_cell(1)
    assert f"'email': '{ADA}'" in notebook.output(1)


@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_a_token_endpoint_that_pages_cannot_read(open_notebook, provider, kind):
    """If the page cannot read the token endpoint, the kernel redeems the code."""
    notebook = open_notebook(cells.show_widget(provider, getattr(provider, kind)))
    notebook.run_cell(0)
    provider.change(cors_origins=[])

    Widget(notebook.page).sign_in(ADA)

    notebook.kernel.until("widget.is_authenticated")
    probe, exchange = provider.requests("/token", "POST")
    assert by_page(probe)
    assert set(probe["body"]) == {"grant_type", "client_id"}
    assert not by_page(exchange)


def test_a_code_that_the_provider_refuses(open_notebook, provider):
    """Python's error sentence appears in the page, and the next attempt works (C44)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public, exchange="kernel"))
    notebook.run_cell(0)
    provider.change(
        token_answer={"status": 400, "content_type": "application/json", "body": '{"error": "invalid_grant"}'}
    )
    widget = Widget(notebook.page)
    popup.sign_in(widget.open_popup(), ADA)
    notebook.kernel.until("widget.error_code == 'invalid_grant'")
    widget.wait_status(notebook.kernel.value("widget.error"))
    assert len(provider.exchanges()) == 1

    provider.change(token_answer=None)
    popup.sign_in(widget.open_popup(), ADA)
    widget.wait_status(f"Signed in as {ADA}")
