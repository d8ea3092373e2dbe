"""A cell keeps the kernel busy during the whole sign-in, in several versions of ipykernel."""

from __future__ import annotations

import re

import pytest

from e2e import cells, kernel_messages, popup
from e2e.kernel_versions import VERSIONS, kernel_name
from e2e.waiting import until
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"
HAS_TOKENS = "widget.is_authenticated and widget.auth_manager.id_token"

# Messages from the page wait for the end of the running cell always, or never; elsewhere that varies.
DEAF_WHILE_BUSY = "6.30.1"
HEARS_WHILE_BUSY = "7.2.0"


@pytest.fixture(params=VERSIONS)
def busy(request, open_notebook, provider, tmp_path):
    """A notebook with a widget, whose kernel is in the middle of a cell."""
    release, seen = tmp_path / "release", tmp_path / "seen"
    notebook = open_notebook(
        cells.show_widget(provider, provider.confidential),
        cells.stay_busy(release, seen=seen, condition=HAS_TOKENS),
        kernel=kernel_name(request.param),
    )
    notebook.run_cell(0)
    Widget(notebook.page).wait_ready()
    assert notebook.kernel.value("__import__('ipykernel').__version__") == request.param
    notebook.start_cell(1)
    notebook.wait_kernel("busy")
    yield Busy(request.param, notebook, release, seen)
    release.touch()


class Busy:
    """The notebook, the file that ends its cell, and the file its cell writes when it sees tokens."""

    def __init__(self, version, notebook, release, seen):
        self.version = version
        self.notebook = notebook
        self.release = release
        self.seen = seen


def test_python_has_the_tokens_while_the_cell_runs(busy):
    """A sign-in reaches Python's tokens while a cell runs, without any kernel message (C25)."""
    widget = Widget(busy.notebook.page)
    window = widget.open_popup()
    assert kernel_messages.between_click_and_popup(busy.notebook.page) == 0
    popup.sign_in(window, ADA)
    popup.wait_closed(window)

    until(busy.seen.exists, "the busy cell to see the tokens")
    widget.wait_status(re.compile(f"Signed in as {ADA}|Passing it on"))
    assert not busy.release.exists()

    busy.release.touch()
    widget.wait_status(f"Signed in as {ADA}")
    assert busy.notebook.kernel.value("widget.user_email") == ADA


def test_without_an_opener_the_page_says_that_it_is_handing_over(busy, provider):
    """Without an opener, the sign-in ends at the latest once the kernel is free (C20)."""
    provider.change(coop="same-origin")
    widget = Widget(busy.notebook.page)
    window = widget.open_popup()
    popup.sign_in(window, ADA)
    popup.wait_closed(window)

    if busy.version == DEAF_WHILE_BUSY:
        widget.wait_status("Passing it on to Python")
        assert not busy.seen.exists()
    elif busy.version == HEARS_WHILE_BUSY:
        until(busy.seen.exists, "the busy cell to see the tokens")
    else:
        widget.wait_status(re.compile(f"Signed in as {ADA}|Passing it on to Python"))

    busy.release.touch()
    widget.wait_status(f"Signed in as {ADA}")
    busy.notebook.kernel.until("widget.is_authenticated")
    assert busy.notebook.kernel.value("widget.sealed_tokens") == ""
