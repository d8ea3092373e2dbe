"""Every failure is one sentence and a control that is its next step, in the view that notebooks show."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest
import tokentoss
import tomllib
from tokentoss import GOOGLE, AuthWidget, MemoryStorage

from e2e import cells
from e2e.widget import Widget

ADA = "ada@example.com"
HOST = "http://127.0.0.1:9/"
PACKAGE = Path(tokentoss.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text())["project"]
# Where the repository shows the page; a site would have it as .html.
TROUBLESHOOTING = f"{PROJECT['urls']['Documentation']}/troubleshooting.md"
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
# What a user can see and use of the view.
SHOWN = """() => {
  const root = document.querySelector('.tokentoss');
  const used = [...root.querySelectorAll('button, a')].filter(
    (one) => one.checkVisibility() && !one.disabled && one.getAttribute('aria-disabled') !== 'true',
  );
  return [root.querySelector('[role=status]').textContent, used.map((one) => one.textContent)];
}"""


def serve(path, kind):
    return lambda route: route.fulfill(path=path, content_type=kind)


@pytest.fixture
def view(context):
    """A page with the built widget and the traits that Python gives one, a usable ticket among them."""
    python = AuthWidget(provider=GOOGLE, client_id="notebook", storage=MemoryStorage())
    traits = {name: getattr(python, name) for name in python.own_traits() if not name.startswith("_")}
    page = context.new_page()
    body = PAGE.replace("TRAITS", json.dumps(traits))
    page.route(HOST, lambda route: route.fulfill(body=body, content_type="text/html"))
    for name, kind in (("auth.js", "text/javascript"), ("auth.css", "text/css")):
        page.route(HOST + name, serve(PACKAGE / "static" / name, kind))
    page.goto(HOST)
    Widget(page).wait_ready()
    yield page, traits["ticket"]
    python.close()


@pytest.mark.parametrize("with_ticket", [True, False], ids=["ticket", "no-ticket"])
def test_each_code_is_one_sentence_its_help_and_the_button(view, with_ticket):
    page, ticket = view
    codes = json.loads((PACKAGE / "error_codes.json").read_text())
    for code in codes:
        # As the kernel says it: the same sentence again is a change, too.
        page.evaluate("() => kernelSets({ error: '', error_code: '' })")
        told = {"error": code["message"], "error_code": code["code"], "ticket": ticket if with_ticket else {}}
        page.evaluate("changes => kernelSets(changes)", told)
        assert page.evaluate(SHOWN) == [code["message"], ["Sign in with Google", "What to do about this"]], (
            code["code"]
        )
        assert Widget(page).help.get_attribute("href") == f"{TROUBLESHOOTING}#{code['code']}"


def test_a_kernel_that_is_gone_where_no_cell_is_seen(view):
    """Voila, say: a new page brings a new kernel."""
    page, _ = view
    page.evaluate("() => kernelDies()")
    assert page.evaluate(SHOWN) == ["The kernel restarted, so this button is disconnected. Run the cell again, or reload the page if there's no cell.", ["Reload the page"]]


def test_a_ticket_that_the_page_refuses(view):
    """Its code must change, in the cell, to which the button leads where there is one."""
    page, ticket = view
    page.evaluate("() => output.classList.add('jp-Cell')")
    broken = ticket | {"provider": ticket["provider"] | {"token_endpoint": "http://provider.example/token"}}
    page.evaluate("changes => kernelSets(changes)", {"ticket": broken | {"id": "another"}})
    sentence, controls = page.evaluate(SHOWN)
    assert "Correct that address." in sentence
    assert controls == ["Go to the cell", "What to do about this"]


@pytest.mark.kept_page
def test_taken_ports_and_another_try(open_notebook, provider):
    """The kernel could make no ticket; once the other program is gone, a click gets one, without the cell."""
    with closing(socket.socket()) as other_program:
        other_program.bind(("127.0.0.1", 0))
        other_program.listen()
        port = other_program.getsockname()[1]
        notebook = open_notebook(cells.show_widget(provider, provider.public, redirect_ports=[port]))
        notebook.run_cell(0)
        widget = Widget(notebook.page)
        sentence = f"Python can't listen on 127.0.0.1:{port}."
        widget.wait_status(sentence)
        widget.click(widget.sign_in_button)
        # Asked, and still in vain: the sentence goes and comes.
        notebook.kernel.until("widget.error_code == 'loopback_unavailable'")
        widget.wait_status(sentence)
        widget.wait_ready()
    widget.click(widget.sign_in_button)
    widget.wait_idle()
    widget.sign_in(ADA)
    notebook.kernel.until("widget.is_authenticated")
