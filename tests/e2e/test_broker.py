"""A sign-in at a broker's own pages, in a real JupyterLab."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from tokentoss.broker import FakeBroker

from e2e import cells, kernel_messages
from e2e.waiting import until
from e2e.widget import Widget

ADA = "ada@example.com"


@pytest.fixture
def broker():
    with FakeBroker() as one:
        yield one


@pytest.fixture
def show(broker):
    return f"""from tokentoss import Broker, GoogleAuthWidget
widget = GoogleAuthWidget(broker=Broker({broker.url!r}, {broker.key!r}))
display(widget)"""


@pytest.mark.kept_page
def test_one_click_signs_in(open_notebook, broker, show):
    notebook = open_notebook(show)
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()
    until(
        lambda: any(attempt.asked.get("page_origin") for attempt in broker.attempts.values()),
        "the page's origin at the broker",
    )
    window = widget.open_popup()
    assert kernel_messages.between_click_and_popup(notebook.page) == 0
    window.wait_for_url("**/connect/*")
    # The broker forgets it once the kernel has the account.
    attempt = broker.attempts[urlsplit(window.url).path.rpartition("/")[2]]
    window.locator("#go").click()
    widget.wait_status(f"Signed in as {ADA}")
    assert attempt.wrong == 0
    assert notebook.kernel.value("widget.user_email") == ADA
    assert notebook.kernel.value("bool(widget.auth_manager.id_token)")


@pytest.mark.kept_page
def test_while_a_cell_keeps_the_kernel_busy(open_notebook, broker, show, tmp_path):
    release, seen = tmp_path / "release", tmp_path / "seen"
    notebook = open_notebook(show, cells.stay_busy(release, seen=seen, condition="widget.is_authenticated"))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()
    notebook.start_cell(1)
    notebook.wait_kernel("busy")
    window = widget.open_popup()
    window.locator("#go").click()
    until(seen.exists, "the busy cell to see the account")
    widget.wait_status(f"Signed in as {ADA}")
    release.touch()


@pytest.mark.kept_page
def test_waiting_in_the_cell_that_shows_it(open_notebook, broker, show):
    notebook = open_notebook(f"{show}\nprint(widget.wait().email)")
    notebook.start_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()
    widget.open_popup().locator("#go").click()
    until(lambda: ADA in notebook.output(0), "the cell to go on")
