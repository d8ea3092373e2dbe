"""The laptop sleeps for an hour between the popup and the callback."""

from __future__ import annotations

import time

from e2e import cells, popup
from e2e.steps import ADA
from e2e.widget import Widget

HOUR = 3600


def test_an_hour_asleep_ends_the_attempt_and_retry_works(context, open_notebook, provider):
    """C18: the browser's clock runs an hour behind, then jumps to the provider's and the kernel's time.

    That is what waking up looks like to a page: its timers that came due meanwhile fire once.
    """
    context.clock.install(time=time.time() - HOUR)
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)

    context.clock.fast_forward(HOUR * 1000)

    widget.wait_status("The sign-in was not finished in time. Sign in again.")
    notebook.kernel.until("widget.error_code == 'sign_in_timed_out'")
    popup.wait_closed(window)
    assert provider.exchanges() == []
    retried = widget.open_popup(widget.retry_button)
    popup.sign_in(retried, ADA)
    widget.wait_status(f"Signed in as {ADA}")
