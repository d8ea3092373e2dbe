"""A page with the built widget alone, whose kernel is in the test's hands."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tokentoss
from tokentoss import GOOGLE, AuthWidget, MemoryStorage

from e2e.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Page, Route

HOST = "http://127.0.0.1:9/"
PACKAGE = Path(tokentoss.__file__).parent
# A model as a host keeps it, with the kernel's end in the test's hands.
PAGE = """<!doctype html>
<link rel="stylesheet" href="/auth.css">
<div id="output"></div>
<script type="module">
  import makeWidget from "/auth.js";
  const traits = TRAITS;
  const listeners = new Map();
  const model = {
    get: (name) => traits[name],
    set(name, value) { traits[name] = value; },
    save_changes() {},
    send() {},
    on(event, listener) { listeners.set(event, listener); },
    off() {},
  };
  window.kernelSets = (changes) => {
    Object.assign(traits, changes);
    for (const name of Object.keys(changes)) listeners.get(`change:${name}`)?.();
    // The widget reads them in a microtask.
    return new Promise((done) => setTimeout(done));
  };
  window.kernelDies = () => listeners.get("comm_live_update")();
  const widget = await makeWidget();
  widget.initialize({ model });
  widget.render({ model, el: document.getElementById("output") });
</script>"""
KINDS = {"auth.js": "text/javascript", "auth.css": "text/css"}


def answer(**response: Any) -> Callable[[Route], None]:
    """Return what gives that response to a request."""
    return lambda route: route.fulfill(**response)


@contextmanager
def bare_widget(context: BrowserContext) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Yield a page with the widget and the traits that Python gives one, and its usable ticket."""
    python = AuthWidget(provider=GOOGLE, client_id="notebook", storage=MemoryStorage())
    traits = {name: getattr(python, name) for name in python.own_traits() if not name.startswith("_")}
    page = context.new_page()
    page.route(HOST, answer(body=PAGE.replace("TRAITS", json.dumps(traits)), content_type="text/html"))
    for name, kind in KINDS.items():
        page.route(HOST + name, answer(path=PACKAGE / "static" / name, content_type=kind))
    page.goto(HOST)
    Widget(page).wait_ready()
    yield page, traits["ticket"]
    python.close()
