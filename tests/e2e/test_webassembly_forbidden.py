"""A host whose content security policy lets no page run WebAssembly.

Not JupyterLab: its own code does not start under such a policy. A plain page stands in for a host that does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tokentoss
from playwright.sync_api import expect

from e2e.widget import PATIENCE_MS, Widget

if TYPE_CHECKING:
    from playwright.sync_api import Route

HOST = "http://127.0.0.1:9/"
STATIC = Path(tokentoss.__file__).parent / "static"
POLICY = "script-src 'self' 'unsafe-inline' blob:"
PAGE = """<!doctype html>
<div id="output"></div>
<script type="module">
  import makeWidget from "/auth.js";
  const branding = { name: "Google", style: "google" };
  const traits = { branding, ticket: { id: "t" }, acknowledged: "", error: "" };
  window.sent = [];
  const model = { get: (trait) => traits[trait], set() {}, save_changes() {}, on() {}, off() {} };
  model.send = (message) => window.sent.push(message);
  const widget = await makeWidget();
  widget.initialize({ model });
  widget.render({ model, el: document.getElementById("output") });
</script>"""


def serve(route: Route, *, policy: str = POLICY) -> None:
    """Answer with the page, or with the module that notebooks carry."""
    if route.request.url == HOST:
        route.fulfill(body=PAGE, content_type="text/html", headers={"content-security-policy": policy})
    elif route.request.url.endswith("/auth.js"):
        route.fulfill(path=STATIC / "auth.js", content_type="text/javascript")
    else:
        route.fulfill(status=404)


def test_the_widget_says_what_is_forbidden_and_what_to_do(context):
    """Without WebAssembly, the widget names the policy and offers a link."""
    page = context.new_page()
    page.route(f"{HOST}**", serve)
    page.goto(HOST)
    widget = Widget(page)

    widget.wait_status("security policy forbids WebAssembly")
    expect(widget.status).to_contain_text("'wasm-unsafe-eval'")
    expect(widget.sign_in_button).to_be_disabled()
    expect(widget.reload_button).to_be_enabled()
    (report,) = page.evaluate("window.sent")
    assert (report["phase"], report["code"]) == ("failed", "webassembly_unavailable")
    widget.click(widget.use_link_button)
    widget.wait_status("Getting a sign-in link")
    assert page.evaluate("window.sent[1]") == {"type": "ask_for_link"}


def test_once_it_is_allowed_the_button_leads_to_a_sign_in(context):
    """After the policy is corrected, reloading the page starts WebAssembly."""
    page = context.new_page()
    page.route(f"{HOST}**", serve)
    page.goto(HOST)
    widget = Widget(page)
    expect(widget.reload_button).to_be_enabled(timeout=PATIENCE_MS)
    page.unroute(f"{HOST}**")
    page.route(f"{HOST}**", lambda route: serve(route, policy=f"{POLICY} 'wasm-unsafe-eval'"))
    with page.expect_navigation():
        widget.click(widget.reload_button)
    # The page's ticket is no real one: that it is read at all takes WebAssembly.
    widget.wait_status("The widget's state isn't valid")
