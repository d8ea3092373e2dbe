"""JupyterLite: the kernel is Pyodide, in a worker of the notebook's own page."""

from __future__ import annotations

import pytest
from e2e import cells, leaks
from e2e.widget import Widget

from hosts.lite.server import JupyterLite, LiteNotebook
from hosts.lite.site import built_site
from hosts.ways import CallbackPage, Code, Paste, ways

ADA = "ada@example.com"
INSTALL = "%pip install -q tokentoss"
CACHES = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
            found.push(request.url, await (await cache.match(request)).text());
        }
    }
    return JSON.stringify(found);
}"""

WAIT = """
import asyncio
try:
    widget.wait()
except Exception as refusal:
    print(refusal.code)
waiting = asyncio.ensure_future(widget.signed_in())"""


RENEW = """
before = widget.auth_manager.token_data
after = widget.auth_manager.refresh_tokens()
print(before.access_token != after.access_token)"""


class PageOfSite(CallbackPage):
    """A site keeps no secret."""

    client = "public"


class PasteToPyodide(Paste):
    """The kernel cannot listen anyway, so nothing is taken from it."""

    before = ""
    client = "public"


@pytest.fixture(scope="session")
def site():
    return built_site()


@pytest.fixture
def lite(site, iap_api):
    with JupyterLite(site) as lite:
        iap_api.cors_origin = lite.origin
        yield lite
        iap_api.cors_origin = None


def source(lite, way, provider, iap_api):
    if isinstance(way, CallbackPage):
        way.page = lite.callback_page
    return [
        INSTALL,
        way.show_widget(provider) + WAIT,
        cells.call_api(iap_api),
        "await waiting",
        RENEW,
    ]


def signs_in(notebook, way):
    """Sign in and call the API; a cell that waits ends at once with wait_impossible (C26)."""
    notebook.run_cell(0)
    notebook.run_cell(1)
    assert notebook.output(1).strip().endswith("wait_impossible")
    milliseconds = way.sign_in(Widget(notebook.page), ADA)
    notebook.run_cell(2)
    assert f"'email': '{ADA}'" in notebook.output(2)
    notebook.run_cell(3)
    assert ADA in notebook.output(3)
    notebook.run_cell(4)
    assert notebook.output(4).strip() == "True"
    return milliseconds


@ways(PageOfSite(), PasteToPyodide())
@pytest.mark.host("JupyterLite with the Pyodide kernel")
def test_signs_in(context, lite, way, provider, iap_api, scan, record):
    with LiteNotebook(context, lite, source(lite, way, provider, iap_api)) as notebook:
        milliseconds = signs_in(notebook, way)
        notebook.save()
        places = leaks.pages(notebook.page, scan.traffic)
        places["caches of the page"] = notebook.page.evaluate(CACHES).encode()
        assert b"user_email" in places["storage of all pages"], "no state was saved"
        # What passes between the page and the worker of its kernel, envelopes too, is no traffic.
        assert leaks.find(leaks.secrets(provider, scan.traffic, leaks.OF_A_KERNEL), places) == []
    record("signed in", milliseconds)


@ways(Code())
@pytest.mark.host("JupyterLite with the Pyodide kernel")
def test_signs_in_by_code(context, lite, way, provider, scan, record):
    """The page signs in by a code (RFC 8628), without a thread in the kernel."""
    cells_of_notebook = [INSTALL, way.show_widget(provider), "print(widget.user_email)"]
    with LiteNotebook(context, lite, cells_of_notebook) as notebook:
        notebook.run_cell(0)
        notebook.run_cell(1)
        milliseconds = way.sign_in(Widget(notebook.page), ADA)
        notebook.run_cell(2)
        assert ADA in notebook.output(2)
        secrets = leaks.secrets(provider, scan.traffic, way.secrets)
        assert leaks.find(secrets, leaks.pages(notebook.page, scan.traffic)) == []
    record("signed in", milliseconds)
