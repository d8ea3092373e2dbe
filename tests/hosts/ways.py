"""The ways by which a callback reaches the page: how a widget is made for each, and what the user does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from e2e import cells, popup
from e2e.leaks import OF_A_CODE, OF_A_KERNEL
from servers.scripted_device import enter_code

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from e2e.widget import Widget
    from playwright.sync_api import Page
    from servers.provider import LocalProvider


class Loopback:
    """The callback page on the kernel's loopback listener."""

    name = "loopback"
    options: Mapping[str, object] = {}
    before = ""
    client = "confidential"
    """Which of the provider's clients signs in."""
    result = "signed in"
    closes_popup = True
    secrets: Collection[str] = OF_A_CODE
    """What a leak scan of such a sign-in must have seen."""
    readable: Collection[str] = ()
    """What page and kernel tell each other in the clear: nothing that is of use without the verifier."""

    def make_widget(self, provider: LocalProvider) -> str:
        """Source of a cell that makes `widget`."""
        return self.before + cells.make_widget(provider, getattr(provider, self.client), **self.options)

    def show_widget(self, provider: LocalProvider) -> str:
        """The same, displayed."""
        return f"{self.make_widget(provider)}\ndisplay(widget)"

    def sign_in(self, widget: Widget, login: str) -> float:
        """Do what a user does; returns the milliseconds from the click until the widget names the user."""
        widget.wait_ready()
        started = time.perf_counter()
        window = self.open_popup(widget)
        popup.sign_in(window, login)
        self.finish(widget, window)
        widget.wait_status(f"Signed in as {login}")
        milliseconds = (time.perf_counter() - started) * 1000
        if self.closes_popup:
            popup.wait_closed(window)
        return milliseconds

    def open_popup(self, widget: Widget) -> Page:
        """Click, until a window is on its way to the provider."""
        return widget.open_popup()

    def finish(self, widget: Widget, window: Page) -> None:
        """Do what is left to the user once the provider has sent the popup on."""


class KernelExchange(Loopback):
    """The same callback, and a code that the kernel redeems."""

    name = "loopback, exchange in the kernel"
    options: Mapping[str, object] = {"exchange": "kernel"}


class Paste(Loopback):
    """No listener at all: the user pastes the address at which the popup ended."""

    name = "paste"
    before = "import tokentoss.widgets.auth\ntokentoss.callback.attempt.can_listen = lambda: False\n"

    def finish(self, widget: Widget, window: Page) -> None:
        """Copy the address that does not load."""
        address = popup.wait_unreachable(window, "http://127.0.0.1:")
        widget.page.bring_to_front()
        widget.paste(address)


class PasteFromSeveredPopup(Paste):
    """The same for a page that severs its popups, and so cannot steer the first one elsewhere."""

    result = "after the sentence of `popup_closed`, signed in by the second click"
    closes_popup = False

    def open_popup(self, widget: Widget) -> Page:
        """The widget says so, and its button goes straight to the provider."""
        popup.wait_unreachable(widget.open_popup(), "http://127.0.0.1:")
        widget.page.bring_to_front()
        widget.wait_status("The popup seems to be closed.")
        return widget.open_popup()


class CallbackPage(Loopback):
    """A static callback page of the host's own at `page`, for a client without loopback."""

    name = "callback page"
    page = ""

    def make_widget(self, provider: LocalProvider) -> str:
        """Source of a cell that makes `widget` for that page."""
        provider.change(callback_pages=[self.page])
        return cells.make_web_widget(provider, getattr(provider, self.client), *self.configured)

    @property
    def configured(self) -> Sequence[str]:
        """The addresses that the client's configuration has."""
        return (self.page,)


class PageElsewhere(CallbackPage):
    """The same on another web host than the notebook's."""

    name = "callback page of another host"


class PageOfEnvironment(CallbackPage):
    """The same page, which nobody but the kernel's environment names."""

    name = "callback page, by `TOKENTOSS_REDIRECT_URI`"
    configured = ()


class Code(Loopback):
    """No popup: a code that is entered on another device; where WebAssembly is forbidden, too."""

    name = "code on another device"
    client = "device"
    secrets = ("device_code", "access_token", "id_token")

    def sign_in(self, widget: Widget, login: str) -> float:
        """Ask for the code and enter it elsewhere."""
        started = time.perf_counter()
        widget.use_code()
        widget.wait_code()
        user_code = widget.root.locator(".tokentoss-user-code").inner_text()
        page = widget.code_page.get_attribute("href") or ""
        enter_code(page.partition("?")[0], user_code, login)
        widget.wait_status(f"Signed in as {login}")
        return (time.perf_counter() - started) * 1000


class Link(Loopback):
    """No WebAssembly: a link behind which the kernel runs the sign-in."""

    name = "link of the kernel, loopback"
    secrets = OF_A_KERNEL
    readable = ("state",)

    def sign_in(self, widget: Widget, login: str) -> float:
        """Ask for the link, follow it, and do what is left; the time counts from asking."""
        started = time.perf_counter()
        widget.click(widget.use_link_button)
        window = widget.open_popup(widget.sign_in_link)
        popup.sign_in(window, login)
        self.finish(widget, window)
        widget.wait_status(f"Signed in as {login}")
        return (time.perf_counter() - started) * 1000

    def finish(self, widget: Widget, window: Page) -> None:
        """Read what the last page says."""
        window.get_by_text("You can close this window").wait_for()


class PastedLink(Link):
    """The same with no listener at all."""

    name = "link of the kernel, paste"
    readable = ("state", "code")
    before = Paste.before

    def finish(self, widget: Widget, window: Page) -> None:
        """Copy the address that does not load."""
        Paste().finish(widget, window)


EVERYWHERE = (Loopback(), Paste(), Code())
ON_A_SERVER = (*EVERYWHERE, CallbackPage())
"""With the page of the server extension."""
WITHOUT_OPENERS = (Loopback(), PasteFromSeveredPopup(), Code(), CallbackPage())
"""The same for a page that severs its popups."""


def ways(*offered: Loopback) -> pytest.MarkDecorator:
    """Run a test for each of the ways that its host offers."""
    return pytest.mark.parametrize("way", offered, ids=lambda way: way.name)
