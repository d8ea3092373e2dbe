"""The computer sleeps during a sign-in, before or after the callback."""

from __future__ import annotations

import time

from playwright.sync_api import Error as PageError

from e2e import cells, popup
from e2e.steps import ADA, UNTIL_INTERRUPTED, at_step
from e2e.waiting import until
from e2e.widget import Widget

MINUTE = 60
HOUR = 60 * MINUTE


def wake_after(context, seconds):
    """The browser's clock jumps: a page's timers that came due meanwhile fire once."""
    try:
        context.clock.fast_forward(seconds * 1000)
    except PageError as error:
        # A popup whose time has come closes itself on waking; the other pages woke all the same.
        if "has been closed" not in error.message:
            raise


def test_an_hour_asleep_ends_the_attempt_and_retry_works(context, open_notebook, provider):
    """An attempt times out if the clock jumps an hour ahead, and Retry works (C18)."""
    context.clock.install(time=time.time() - HOUR)
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)

    wake_after(context, HOUR)

    widget.wait_status("The sign-in wasn't finished in time. Try again.")
    notebook.kernel.until("widget.error_code == 'sign_in_timed_out'")
    popup.wait_closed(window)
    assert provider.exchanges() == []
    retried = widget.open_popup()
    popup.sign_in(retried, ADA)
    widget.wait_status(f"Signed in as {ADA}")


def test_an_hour_asleep_while_the_code_is_exchanged(context, open_notebook, provider):
    """An exchange that a sleep interrupts is not repeated; Retry gets a new code (C43)."""
    context.clock.install(time=time.time() - HOUR)
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    with at_step("signing in", notebook, provider, busy_cell=0) as window:
        until(provider.exchanges, "the exchange")

        wake_after(context, HOUR)

        widget.wait_status("Couldn't reach")
        notebook.kernel.until("widget.error_code == 'token_endpoint_unreachable'")
        popup.wait_closed(window)
        assert len(provider.exchanges()) == 1
    retried = widget.open_popup()
    popup.sign_in(retried, ADA)
    widget.wait_status(f"Signed in as {ADA}")
    assert len(provider.exchanges()) == 2


def test_asleep_while_the_tokens_are_handed_over(context, open_notebook, provider):
    """Tokens sealed before a sleep still reach the kernel once it is free (C20)."""
    context.clock.install(time=time.time())
    notebook = open_notebook(cells.show_widget(provider, provider.public), UNTIL_INTERRUPTED)
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    with at_step("handing over", notebook, provider, busy_cell=1) as window:
        wake_after(context, 50 * MINUTE)

        widget.wait_status("Passing it on to Python")
        notebook.interrupt()
    widget.wait_status(f"Signed in as {ADA}")
    notebook.kernel.until("widget.is_authenticated")
    popup.wait_closed(window)
    assert len(provider.exchanges()) == 1
