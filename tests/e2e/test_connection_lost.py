"""The page's websocket to the kernel drops at each step of a sign-in, and comes back."""

from __future__ import annotations

import pytest

from e2e import cells, popup
from e2e.kept_page import KeptPage
from e2e.steps import ADA, KEEP_FROM_DELIVERING, STEPS, UNTIL_INTERRUPTED, at_step
from e2e.waiting import until
from e2e.widget import Widget
from e2e.wire import Wire

pytestmark = pytest.mark.kept_page


@pytest.fixture(scope="module")
def wires():
    return Wire()


@pytest.fixture(scope="module")
def kept_page(browser, wires):
    with KeptPage(browser, prepare=wires.take) as kept:
        yield kept


@pytest.fixture
def wire(wires):
    wires.forget()
    return wires


@pytest.mark.parametrize("step", STEPS)
def test_the_connection_drops_while(wire, open_notebook, provider, step):
    """A sign-in finishes after the page's connection to the kernel drops and comes back (C20)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public), UNTIL_INTERRUPTED)
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    with at_step(step, notebook, provider, busy_cell=1) as window:
        connections = len(wire.connections)
        wire.drop()
        if step == "waiting":
            popup.sign_in(window, ADA)
        until(
            lambda: len(wire.connections) > connections or notebook.page.wait_for_timeout(20), "a connection"
        )
        if step == "handing over":
            notebook.interrupt()
    widget.wait_status(f"Signed in as {ADA}")
    notebook.kernel.until("widget.is_authenticated")
    assert len(provider.exchanges()) == 1


@pytest.mark.parametrize("exchange", ["browser", "kernel"])
def test_the_envelope_is_lost_on_the_way(wire, context, open_notebook, provider, exchange):
    """A lost envelope is sent again once the page is connected again (C20)."""
    context.route(KEEP_FROM_DELIVERING, lambda route: route.abort())
    notebook = open_notebook(cells.show_widget(provider, provider.public, exchange=exchange))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    wire.drop_at(lambda text: '"sealed_tokens":"A' in text)
    popup.sign_in(window, ADA)

    widget.wait_status(f"Signed in as {ADA}")
    assert wire.lost, "the envelope was not intercepted"
    notebook.kernel.until("widget.is_authenticated and not widget.sealed_tokens")
    popup.wait_closed(window)
    assert len(provider.exchanges()) == 1


@pytest.mark.parametrize("way", ["listener", "kernel's messages"])
@pytest.mark.parametrize("company", [False, True], ids=["alone", "in company"])
def test_the_acknowledgement_is_lost_on_the_way(wire, context, open_notebook, provider, way, company):
    """A lost acknowledgement is repeated once the page is connected again (C20).

    In company of another client of the kernel, the server keeps nothing for the one that is gone.
    """
    if way != "listener":
        context.route(KEEP_FROM_DELIVERING, lambda route: route.abort())
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    if company:
        assert not notebook.kernel.value("widget.is_authenticated")
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    wire.drop_at(lambda text: "acknowledged" in text and '"is_authenticated": true' in text)
    popup.sign_in(window, ADA)

    widget.wait_status(f"Signed in as {ADA}")
    assert wire.lost, "the acknowledgement was not intercepted"
    notebook.kernel.until("widget.is_authenticated")
    assert len(provider.exchanges()) == 1
