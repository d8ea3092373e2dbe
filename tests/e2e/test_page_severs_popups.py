"""The notebook page's own Cross-Origin-Opener-Policy leaves every popup without an opener."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.jupyterlab import JupyterLab, sends
from e2e.kept_page import KeptPage
from e2e.kernel_versions import add_kernels, kernel_name
from e2e.widget import PATIENCE_MS, Widget, count_windows

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"
DEAF_WHILE_BUSY = "6.30.1"
HEADERS = {"Cross-Origin-Opener-Policy": "same-origin"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab whose pages have the policy."""
    with JupyterLab(tmp_path_factory.mktemp("jupyterlab"), options=[sends(HEADERS)]) as lab:
        add_kernels(lab)
        yield lab


@pytest.fixture(scope="module")
def kept_page(browser):
    with KeptPage(browser) as kept:
        yield kept


@pytest.fixture
def widget(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    return Widget(notebook.page)


@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_one_click_signs_in(open_notebook, provider, iap_api, kind):
    """With one click, a page whose popups have no opener signs in through the relay (C18, C20)."""
    notebook = open_notebook(cells.show_widget(provider, getattr(provider, kind)), cells.call_api(iap_api))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    asked = []
    notebook.page.context.on("request", lambda one: asked.append(one.url))

    with count_windows(notebook.page) as windows:
        window = widget.open_popup()
        popup.answer_login(window, ADA)
        assert window.evaluate("() => window.opener === null"), "the policy did not sever the opener"
        popup.sign_in(window, ADA)
        popup.wait_closed(window)
        widget.wait_status(f"Signed in as {ADA}")
    assert len(windows) == 1
    assert len(provider.exchanges()) == 1

    notebook.kernel.until("widget.is_authenticated")
    notebook.run_cell(1)
    assert f"'email': '{ADA}'" in notebook.output(1)
    starts = [url for url in asked if "/tokentoss/start" in url]
    assert len(starts) == 1
    assert "?" not in starts[0], "what names the attempt is in the fragment alone"


def test_a_question_that_is_lost_is_asked_again(widget, context):
    """The start page repeats its question if its requests are lost."""
    lost = []

    def lose(route):
        lost.append(route.request.post_data)
        if len(lost) <= 3:
            route.abort()
        else:
            route.fallback()

    context.route("**/tokentoss/where", lose)
    widget.sign_in(ADA)
    assert len(lost) > 3
    assert len(set(lost)) == 1


def test_a_user_who_takes_long_just_finishes(widget):
    """A popup that seems to be closed still finishes the sign-in (C18)."""
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    widget.wait_status("The popup seems to be closed.")
    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    widget.wait_status(f"Signed in as {ADA}")


def test_popup_blocked_link_by_hand(widget):
    """The link for a blocked popup signs in, although its window has no opener."""
    widget.wait_ready()
    widget.click_sign_in_without_gesture()
    widget.wait_status("Your browser blocked the popup.")
    window = widget.open_popup(widget.link)
    popup.sign_in(window, ADA)
    widget.wait_status(f"Signed in as {ADA}")


def test_a_user_who_closes_it_tries_again(widget, provider):
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    window.close()
    widget.wait_status("The popup seems to be closed.")
    window = widget.open_popup()
    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    widget.wait_status(f"Signed in as {ADA}")
    assert len(provider.exchanges()) == 1


@pytest.fixture
def busy(open_notebook, provider, tmp_path):
    """A notebook with a widget, whose kernel hears nothing of the page until the cell ends."""
    release = tmp_path / "release"
    notebook = open_notebook(
        cells.show_widget(provider, provider.confidential),
        cells.stay_busy(release, seen=tmp_path / "seen", condition="False"),
        kernel=kernel_name(DEAF_WHILE_BUSY),
    )
    notebook.run_cell(0)
    Widget(notebook.page).wait_ready()
    notebook.pid = int(notebook.kernel.value("__import__('os').getpid()"))
    notebook.start_cell(1)
    notebook.wait_kernel("busy")
    yield notebook, release
    release.touch()


def says(window, text):
    """Wait for what the popup says."""
    expect(window.get_by_role("status")).to_contain_text(text, timeout=PATIENCE_MS)


def test_a_busy_kernel_is_named_and_the_window_goes_on_when_it_is_free(busy):
    """The popup waits for a busy kernel and then signs in."""
    notebook, release = busy
    widget = Widget(notebook.page)
    window = widget.open_popup()
    says(window, "Or go back to your notebook for another way to sign in.")
    assert window.url.endswith("/tokentoss/start"), "the address bar has forgotten what names the attempt"
    widget.wait_status("The popup seems to be closed.")
    widget.wait_ready()
    expect(widget.paste_field).to_be_visible()

    release.touch()
    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    widget.wait_status(f"Signed in as {ADA}")


def test_the_way_that_a_busy_kernel_leaves(busy, provider):
    """With a busy kernel, a second click leads to the provider, and its address is pasted."""
    notebook, release = busy
    widget = Widget(notebook.page)
    first = widget.open_popup()
    widget.wait_status("The popup seems to be closed.")
    window = widget.open_popup()
    popup.sign_in(window, ADA)
    window.wait_for_url("http://127.0.0.1:*/?*")
    notebook.page.bring_to_front()
    widget.paste(window.url)
    release.touch()
    widget.wait_status(f"Signed in as {ADA}")
    says(first, "This sign-in is over")
    assert len(provider.exchanges()) == 1


def test_a_start_page_that_is_loaded_again_leads_back(busy):
    """A reloaded start page says that it must be closed and retried."""
    notebook, _ = busy
    window = Widget(notebook.page).open_popup()
    says(window, "Going to the sign-in page")
    window.reload()
    says(window, "This window lost contact with your notebook. Close it and try again there.")


def test_the_kernel_ends_while_the_window_waits(busy):
    notebook, _ = busy
    window = Widget(notebook.page).open_popup()
    says(window, "Going to the sign-in page")
    # An interrupt would let it hear the page before the end.
    os.kill(notebook.pid, signal.SIGKILL)
    says(window, "go back to your notebook and run the cell again")
