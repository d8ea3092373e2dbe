"""Two visitors of one app never see or use each other's identity, and nothing is on disk."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hosts.marimo import Marimo
from hosts.voila import FONTS, Voila
from playwright.sync_api import expect

from e2e import cells, leaks
from e2e.browser import local_context
from e2e.waiting import until
from e2e.widget import Widget

ADA, GRACE = "ada@example.com", "grace@example.com"
VISITS = "visits.txt"

# Each visit tries first what it can do without a sign-in of its own.
AS_IT_COMES = """
def whom_the_api_knows():
    try:
        return {call}["email"]
    except Exception as error:
        return type(error).__name__

with open({visits!r}, "a") as visits:
    print(whom_the_api_knows(), file=visits)
"""

IN_VOILA = """
import ipywidgets
ask, answer = ipywidgets.Button(description="Ask"), ipywidgets.Label()
asked = []

def on_click(_):
    asked.append(1)
    answer.value = f"Answer {len(asked)}: {whom_the_api_knows()}."

ask.on_click(on_click)
display(widget, ask, answer)
"""

IN_MARIMO = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

{make}
    shown = mo.ui.anywidget(widget)
    ask = mo.ui.button(label="Ask", value=0, on_click=lambda asked: asked + 1)
    mo.vstack([shown, ask])
    return (ask, mo, whom_the_api_knows)


@app.cell
def _(ask, mo, whom_the_api_knows):
    mo.stop(not ask.value)
    mo.md(f"Answer {{ask.value}}: {{whom_the_api_knows()}}.")
    return


if __name__ == "__main__":
    app.run()
"""


def voila(folder, source, api):
    return Voila(folder, [source + IN_VOILA])


def marimo(folder, source, api):
    return Marimo(folder, "run", source, api, notebook=IN_MARIMO)


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, context, origin):
        self.page = context.new_page()
        self.page.goto(origin)
        self.widget = Widget(self.page)
        self._asked = 0

    def answer(self):
        """What the app says when the visitor clicks on "Ask"."""
        self._asked += 1
        beginning = f"Answer {self._asked}: "
        self.page.get_by_role("button", name="Ask", exact=True).click()
        said = self.page.get_by_text(beginning)
        expect(said).to_be_visible()
        return said.inner_text().removeprefix(beginning).removesuffix(".")


@pytest.mark.parametrize("serve", [voila, marimo], ids=lambda serve: serve.__name__)
def test_each_visitor_is_themselves(tmp_path, browser, provider, iap_api, serve):
    """Each visitor of a shared app calls the API as themselves, with the default storage."""
    visits = tmp_path / VISITS
    probe = AS_IT_COMES.format(call=cells.call_api(iap_api), visits=str(visits))
    source = cells.make_widget(provider, provider.public, storage="None") + probe
    with ExitStack() as stack:
        server = stack.enter_context(serve(tmp_path, source, iap_api))
        contexts = [stack.enter_context(local_context(browser, names={FONTS})) for _ in (ADA, GRACE)]
        ada = Visitor(contexts[0], server.origin)
        ada.widget.sign_in(ADA)
        assert ada.answer() == ADA

        grace = Visitor(contexts[1], server.origin)
        grace.widget.wait_idle()
        assert grace.answer() == "NoCredentialsError"
        assert ADA not in grace.page.content()
        grace.widget.sign_in(GRACE)
        assert grace.answer() == GRACE
        assert ada.answer() == ADA

        grace.widget.click(grace.widget.sign_out_button)
        grace.widget.wait_idle()
        assert grace.answer() == "NoCredentialsError"
        assert ada.answer() == ADA

        # Whoever comes later, or comes back, begins anew.
        contexts.append(stack.enter_context(local_context(browser, names={FONTS})))
        late = Visitor(contexts[2], server.origin)
        late.widget.wait_idle()
        until(lambda: len(visits.read_text().splitlines()) == 3, "three visits")
    assert visits.read_text().splitlines() == ["NoCredentialsError"] * 3
    tokens = {name: value for name, value in provider.secrets().items() if "token" in name}
    assert {"access_token", "id_token"} <= tokens.keys()
    files = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert leaks.find(tokens, files) == []
    assert not list(tmp_path.rglob("tokens.json*"))
