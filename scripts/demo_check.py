"""The demo without a person: every state of the widget once, in light and dark, with a picture of each."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from e2e import popup
from e2e.browser import launch, local_context
from e2e.kept_by_broker import assert_not_in_kernel
from e2e.notebook import Notebook
from e2e.waiting import until
from e2e.widget import PATIENCE_MS, Widget
from playwright.sync_api import Error, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from e2e.jupyterlab import JupyterLab
    from servers.provider import LocalProvider

# Cells of examples/demo.ipynb.
WIDGET_CELL, API_CELL, SIGN_OUT_CELL = 1, 3, 5
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def check(
    lab: JupyterLab,
    path: Path,
    provider: LocalProvider,
    login: str,
    pictures: Path,
    go_through: Callable[[Notebook, LocalProvider, str, Path], None],
) -> int:
    """Go through the demo; return 0 only if the API answered with the data of `login`."""
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            with local_context(browser) as context:
                with step(f"JupyterLab open on {path.name}"):
                    notebook = Notebook(context, lab, path)
                with notebook:
                    go_through(notebook, provider, login, pictures)
        except (AssertionError, TimeoutError, Error) as error:
            # Playwright goes on with the whole page; its first lines say what was missing.
            print("FAILED:", str(error).partition("Aria snapshot")[0].strip())
            return 1
        finally:
            browser.close()
    print(f"Signed in as {login}, and the API answered with this user's data.")
    print(f"Screenshots of every state, light and dark: {pictures}")
    return 0


def _picture(notebook: Notebook, widget: Widget, pictures: Path, state: str) -> None:
    for name, theme in THEMES.items():
        notebook.set_theme(theme)
        widget.screenshot(pictures / f"{state}-{name}.png")


def with_broker(notebook: Notebook, provider: LocalProvider, login: str, pictures: Path) -> None:
    """Sign in at the broker's page, call the API, and look for what only the broker may have."""
    widget = Widget(notebook.page)
    with step("widget cell run, button ready"):
        notebook.run_cell(WIDGET_CELL)
        widget.wait_ready()
    with step("popup open at the broker, which says who asks"):
        window = widget.open_popup()
        accept = window.get_by_role("button", name="Continue")
        expect(accept).to_be_visible(timeout=PATIENCE_MS)
        for name in THEMES:
            window.emulate_media(color_scheme=name)
            window.screenshot(path=pictures / f"broker-asks-{name}.png")
        accept.click()
    with step(f"signed in as {login}"):
        popup.sign_in(window, login)
        popup.wait_closed(window)
        widget.wait_status(f"Signed in as {login}")
    _picture(notebook, widget, pictures, "broker-signed-in")
    with step("API called, data of the user received"):
        notebook.run_cell(API_CELL)
        answer = until(lambda: notebook.output(API_CELL), "the answer of the API")
        assert f"'email': '{login}'" in answer, f"the API answered: {answer}"
    with step("neither refresh token nor client secret in the kernel's memory and files"):
        assert_not_in_kernel(notebook, provider)
    with step("signed out"):
        notebook.run_cell(SIGN_OUT_CELL)
        widget.wait_idle()


def without_broker(notebook: Notebook, provider: LocalProvider, login: str, pictures: Path) -> None:
    """Visit the states in the order in which a user with some bad luck would."""
    widget = Widget(notebook.page)

    def picture(state: str) -> None:
        _picture(notebook, widget, pictures, state)

    with step("widget cell run, button ready"):
        notebook.run_cell(WIDGET_CELL)
        widget.wait_ready()
    picture("ready")

    with step("popup open at the provider"):
        window = widget.open_popup()
        popup.answer_login(window, login)
        widget.wait_status("Waiting for you in the popup")
    picture("waiting")

    with step("consent declined, the widget says so"):
        popup.decline(window)
        widget.wait_ready()
    picture("failed")

    with step("popup blocked once the last click has worn off, the link is offered"):
        widget.click_sign_in_without_gesture()
        expect(widget.link).to_be_visible(timeout=PATIENCE_MS)
    picture("popup-blocked")

    provider.change(token_hold=True)
    with step("consent given, the code is being redeemed"):
        window = widget.open_popup()
        popup.sign_in(window, login)
        widget.wait_status("Signing in…")
    picture("signing-in")

    with step(f"signed in as {login}"):
        provider.change(token_hold=False)
        widget.wait_status(f"Signed in as {login}")
        notebook.kernel.until("widget.is_authenticated")
    picture("signed-in")

    with step("API called, data of the user received"):
        notebook.run_cell(API_CELL)
        answer = until(lambda: notebook.output(API_CELL), "the answer of the API")
        assert f"'email': '{login}'" in answer, f"the API answered: {answer}"

    with step("signed out"):
        notebook.run_cell(SIGN_OUT_CELL)
        widget.wait_idle()
        notebook.kernel.until("not widget.is_authenticated")
    picture("signed-out")

    with step("kernel restarted, the widget says what to do"):
        notebook.restart_kernel()
        widget.wait_status("un the cell again")
    picture("kernel-restarted")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print the step with its milliseconds, once it is done."""
    start = time.perf_counter()
    yield
    print(f"{(time.perf_counter() - start) * 1000:7.0f} ms  {name}", flush=True)
