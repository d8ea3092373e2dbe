"""The widget uses the notebook's language, with texts from the kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tokentoss
from tokentoss import GOOGLE, AuthWidget, MemoryStorage

HOST = "http://127.0.0.1:9/"
STATIC = Path(tokentoss.__file__).parent / "static"
# A model as a host keeps it; what the page says goes to the kernel's end, which the test holds.
PAGE = """<!doctype html>
<html lang="LANGUAGE">
<link rel="stylesheet" href="/auth.css">
<div id="output"></div>
<script type="module">
  import makeWidget from "/auth.js";
  const traits = TRAITS;
  const listeners = new Map();
  window.said = [];
  const model = {
    get: (name) => traits[name],
    set(name, value) { traits[name] = value; },
    save_changes() {},
    send(content) { said.push(content); },
    on(event, listener) { listeners.set(event, [...(listeners.get(event) ?? []), listener]); },
    off() {},
  };
  window.kernelSets = (changes) => {
    Object.assign(traits, changes);
    const heard = Object.keys(changes).flatMap((name) => listeners.get(`change:${name}`) ?? []);
    heard.forEach((listener) => listener());
    // The widget reads them in a microtask.
    return new Promise((done) => setTimeout(done));
  };
  const widget = await makeWidget();
  widget.initialize({ model });
  widget.render({ model, el: document.getElementById("output") });
  document.title = "shown";
</script>"""


def traits_of(widget: AuthWidget) -> dict[str, object]:
    return {name: getattr(widget, name) for name in widget.own_traits() if not name.startswith("_")}


def answer(path: Path, kind: str):
    """What answers a request with a file."""
    return lambda route: route.fulfill(path=path, content_type=kind)


@pytest.fixture
def kernel_of(context):
    """Show a widget of Python in a page of a language; return both."""

    def show(language: str):
        python = AuthWidget(provider=GOOGLE, client_id="notebook", storage=MemoryStorage())
        page = context.new_page()
        body = PAGE.replace("LANGUAGE", language).replace("TRAITS", json.dumps(traits_of(python)))
        page.route(HOST, lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
        for name, kind in (("auth.js", "text/javascript"), ("auth.css", "text/css")):
            path = STATIC / name
            page.route(HOST + name, answer(path, kind))
        page.goto(HOST)
        page.wait_for_function("() => document.title === 'shown'")
        return page, python

    return show


def button(page) -> str:
    return page.locator(".tokentoss-label").first.text_content()


def test_a_german_notebook(kernel_of):
    page, python = kernel_of("de-DE")
    assert button(page) == "Sign in with Google"
    said = [one for one in page.evaluate("() => said") if one["type"] == "language"]
    assert said == [{"type": "language", "language": "de-DE"}]
    python._take_message(python, said[0], [])
    page.evaluate("changes => kernelSets(changes)", {"texts": python.texts})
    assert button(page) == "Mit Google anmelden"
    root = page.locator(".tokentoss")
    assert root.count() == 1
    assert root.get_attribute("lang") == "de"
    failure = {"error": "Das Popup scheint geschlossen zu sein.", "error_code": "popup_closed"}
    page.evaluate("changes => kernelSets(changes)", failure)
    assert page.locator("[role=status]").text_content() == failure["error"]
    page.locator("button.tokentoss-sign-in").first.wait_for()


@pytest.mark.parametrize("language", ["en", "en-GB", ""])
def test_an_english_notebook_asks_for_nothing(kernel_of, language):
    page, _ = kernel_of(language)
    assert [one for one in page.evaluate("() => said") if one["type"] == "language"] == []
    assert button(page) == "Sign in with Google"


def test_the_chosen_language_is_there_at_once(kernel_of, monkeypatch):
    monkeypatch.setenv("TOKENTOSS_LANGUAGE", "de")
    page, _ = kernel_of("en")
    assert button(page) == "Mit Google anmelden"
