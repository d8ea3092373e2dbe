"""JupyterLab behind a hardened Content-Security-Policy, with and without leave to run WebAssembly."""

from __future__ import annotations

import pytest
from e2e import cells
from e2e.jupyterlab import JupyterLab
from e2e.notebook import Notebook
from e2e.widget import Widget
from playwright.sync_api import expect

from hosts import jupyter

# What JupyterLab itself cannot start without (it makes functions of strings, and loads what it loads from itself), and
# `blob:`, from which every host imports the modules of widgets.
HARDENED = (
    "default-src 'self'; frame-ancestors 'self'; object-src 'none'; base-uri 'self'; "
    "img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src *; script-src 'self' blob:"
)


def hardened(tmp_path, allowed):
    headers = {"Content-Security-Policy": f"{HARDENED} {allowed}"}
    return JupyterLab(tmp_path, options=[f"--ServerApp.tornado_settings={{'headers': {headers!r}}}"])


@pytest.mark.host("JupyterLab, hardened Content-Security-Policy with 'wasm-unsafe-eval'")
def test_signs_in(tmp_path, context, way, provider, iap_api, record):
    with hardened(tmp_path, "'wasm-unsafe-eval'") as lab:
        record("signed in", jupyter.sign_in(context, lab, way, provider, iap_api))


@pytest.mark.host("JupyterLab, hardened Content-Security-Policy without 'wasm-unsafe-eval'")
def test_says_what_is_forbidden(tmp_path, context, way, provider, record):
    """A sentence with the next step, in the page and in Python; no spinner, and nothing to click."""
    with hardened(tmp_path, "") as lab:
        path = lab.write_notebook("sign-in.ipynb", [way.show_widget(provider, provider.public)])
        with Notebook(context, lab, path) as notebook:
            notebook.run_cell(0)
            widget = Widget(notebook.page)
            widget.wait_status("security policy forbids WebAssembly")
            expect(widget.status).to_contain_text("'wasm-unsafe-eval'")
            expect(widget.sign_in_button).to_be_disabled()
            notebook.kernel.until("widget.error_code == 'webassembly_unavailable'")
    record("`webassembly_unavailable`: the sentence names the policy and what to allow")
