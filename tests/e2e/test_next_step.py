"""Every failure is shown as one sentence and a control for the next step."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
import tomllib
from tokentoss import error_codes

from e2e import cells
from e2e.bare_page import PACKAGE, bare_widget
from e2e.widget import Widget

ADA = "ada@example.com"
PROJECT = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text())["project"]
# Where the repository shows the page; a site would have it as .html.
TROUBLESHOOTING = f"{PROJECT['urls']['Documentation']}/troubleshooting.md"
# What a user can see and use of the view.
SHOWN = """() => {
  const root = document.querySelector('.tokentoss');
  const used = [...root.querySelectorAll('button, a')].filter(
    (one) => one.checkVisibility() && !one.disabled && one.getAttribute('aria-disabled') !== 'true',
  );
  return [root.querySelector('[role=status]').textContent, used.map((one) => one.textContent)];
}"""


@pytest.fixture
def view(context):
    with bare_widget(context) as shown:
        yield shown


@pytest.mark.parametrize("with_ticket", [True, False], ids=["ticket", "no-ticket"])
def test_each_code_is_one_sentence_its_help_and_the_button(view, with_ticket):
    page, ticket = view
    for code in error_codes.table():
        sentence = error_codes.sentence(code)
        # As the kernel says it: the same sentence again is a change, too.
        page.evaluate("() => kernelSets({ error: '', error_code: '' })")
        told = {"error": sentence, "error_code": code, "ticket": ticket if with_ticket else {}}
        page.evaluate("changes => kernelSets(changes)", told)
        controls = ["Sign in with Google", "What to do about this"]
        assert page.evaluate(SHOWN) == [sentence, controls], code
        assert Widget(page).help.get_attribute("href") == f"{TROUBLESHOOTING}#{code}"


def test_a_kernel_that_is_gone_where_no_cell_is_seen(view):
    """On a page without cells, a dead kernel's widget offers to reload the page."""
    page, _ = view
    page.evaluate("() => kernelDies()")
    assert page.evaluate(SHOWN) == [error_codes.sentence("kernel_gone"), ["Reload the page"]]


def test_a_ticket_that_the_page_refuses(view):
    """A ticket with a bad address gives an error and a button that leads to the cell."""
    page, ticket = view
    page.evaluate("() => output.classList.add('jp-Cell')")
    broken = ticket | {"provider": ticket["provider"] | {"token_endpoint": "http://provider.example/token"}}
    page.evaluate("changes => kernelSets(changes)", {"ticket": broken | {"id": "another"}})
    sentence, controls = page.evaluate(SHOWN)
    assert "Correct that address." in sentence
    assert controls == ["Go to the cell", "What to do about this"]


@pytest.mark.kept_page
def test_taken_ports_and_another_try(open_notebook, provider):
    """A taken port gives an error, and a click works once the port is free."""
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
