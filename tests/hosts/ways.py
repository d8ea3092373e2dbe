"""The ways by which a callback reaches the page: how a widget is made for each, and what the user does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from e2e import cells, popup

if TYPE_CHECKING:
    from e2e.widget import Widget
    from servers.provider import Client, LocalProvider


class Loopback:
    """The callback page on the kernel's loopback listener."""

    name = "loopback"

    def make_widget(self, provider: LocalProvider, client: Client) -> str:
        """Source of a cell that makes `widget`."""
        return cells.make_widget(provider, client)

    def show_widget(self, provider: LocalProvider, client: Client) -> str:
        """The same, displayed."""
        return cells.show_widget(provider, client)

    def sign_in(self, widget: Widget, login: str) -> float:
        """Do what a user does; returns the milliseconds from the click until the widget names the user."""
        widget.wait_ready()
        started = time.perf_counter()
        window = widget.open_popup()
        popup.sign_in(window, login)
        widget.wait_status(f"Signed in as {login}")
        milliseconds = (time.perf_counter() - started) * 1000
        popup.wait_closed(window)
        return milliseconds


class SecondClick(Loopback):
    """The same for a page whose popups are cut off from it: the widget says so, its button goes on."""

    def sign_in(self, widget: Widget, login: str) -> float:
        """The time counts from the first click."""
        widget.wait_ready()
        started = time.perf_counter()
        widget.open_popup().get_by_text("This window is cut off from its notebook").wait_for()
        widget.wait_status("The sign-in window looks closed.")
        window = widget.open_popup(widget.retry_button)
        popup.sign_in(window, login)
        widget.wait_status(f"Signed in as {login}")
        milliseconds = (time.perf_counter() - started) * 1000
        popup.wait_closed(window)
        return milliseconds


WAYS = (Loopback(),)
