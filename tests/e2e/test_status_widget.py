"""Two accounts in one notebook, what `display(manager)` shows, and a session that ends by the clock."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from e2e import cells, popup
from e2e.widget import PATIENCE_MS, Widget, count_windows

ADA, BOB, GRACE = "ada@example.com", "bob@example.com", "grace@example.com"
SHORT = 12 / 3600
"""Hours that a session lasts here: long enough to sign in."""

pytestmark = pytest.mark.kept_page


class Status:
    """A status widget as a user sees and clicks it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root: Locator = page.locator(".tokentoss-session").last
        self.said = self.root.locator("> .tokentoss-status")

    def wait(self, text: str | re.Pattern[str]) -> None:
        expect(self.root).to_contain_text(text, timeout=PATIENCE_MS)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.root.get_by_role("button", name=name)

    def click(self, name: str | re.Pattern[str]) -> None:
        Widget(self.page).click(self.button(name).first)


def file_storage(tmp_path) -> str:
    return f"FileStorage({str(tmp_path / 'tokens.json')!r})"


def sign_in_as_another(widget: Widget, login: str) -> None:
    """In the popup of a widget in which another account was asked for: the provider asks who it is."""
    window = widget.open_popup()
    window.locator(popup.LOGIN_FIELD).wait_for()
    popup.sign_in(window, login)
    popup.wait_closed(window)


def test_two_accounts(open_notebook, provider, tmp_path):
    """A second account signs in beside the first, and the user can switch back without a popup."""
    notebook = open_notebook(cells.show_widget(provider, provider.public, storage=file_storage(tmp_path)))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.sign_in(ADA)
    another = widget.root.get_by_role("button", name="Use another account")

    widget.click(another)
    widget.wait_status("Sign in with another")
    sign_in_as_another(widget, BOB)
    widget.wait_status(f"Signed in as {BOB}")
    assert notebook.kernel.value("widget.status") == f"Signed in as {BOB}"

    with count_windows(notebook.page) as windows:
        widget.click(another)
        widget.wait_status("Choose an account")
        widget.click(widget.root.get_by_role("button", name=f"Use {ADA}"))
        widget.wait_status(f"Signed in as {ADA}")

        widget.click(another)
        widget.click(widget.root.get_by_role("button", name=f"Keep using {ADA}"))
        widget.wait_status(f"Signed in as {ADA}")
    assert windows == []
    assert notebook.kernel.value("[one.email for one in widget.auth_manager.accounts()]") == [ADA, BOB]


def test_what_the_status_widget_does(open_notebook, provider, tmp_path):
    notebook = open_notebook(
        cells.show_widget(provider, provider.public, storage=file_storage(tmp_path)),
        "widget.auth_manager",
        "display(widget.credentials)",
    )
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.sign_in(ADA)
    notebook.run_cell(1)
    status = Status(notebook.page)
    status.wait(f"Signed in as {ADA}")
    status.wait(re.compile(r"Expires in \d+ min, then renewed on use"))
    status.wait(re.compile(r"Ends in 23 h \d+ min"))
    status.wait("openid, email, profile")
    status.wait(str(tmp_path / "tokens.json"))
    status.root.screenshot(path=tmp_path / "light.png")
    notebook.set_theme("JupyterLab Dark")
    status.root.screenshot(path=tmp_path / "dark.png")
    notebook.set_theme("JupyterLab Light")

    provider.forget_requests()
    status.click("Refresh now")
    status.wait("The tokens are new.")
    assert len(provider.requests("/token")) == 1

    status.click("Switch account")
    status.click("Sign in with another account")
    shown_in = Widget(notebook.page, 2)
    shown_in.wait_status("Sign in with another")
    status.root.screenshot(path=tmp_path / "another.png")
    sign_in_as_another(shown_in, BOB)
    status.wait(f"Signed in as {BOB}")
    widget.wait_status(f"Signed in as {BOB}")
    expect(status.root.locator(".tokentoss")).to_have_count(0, timeout=PATIENCE_MS)

    with count_windows(notebook.page) as windows:
        status.click("Switch account")
        status.wait(f"Use {ADA}")
        status.root.screenshot(path=tmp_path / "choice.png")
        status.click(f"Use {ADA}")
        status.wait(f"Signed in as {ADA}")
        widget.wait_status(f"Signed in as {ADA}")
    assert windows == []

    notebook.run_cell(2)
    expect(notebook.page.locator(".tokentoss-session")).to_have_count(2, timeout=PATIENCE_MS)
    status.wait(f"Signed in as {ADA}")
    status.click("Sign out")
    for view in range(2):
        expect(notebook.page.locator(".tokentoss-session").nth(view)).to_contain_text(
            "Not signed in", timeout=PATIENCE_MS
        )
    assert notebook.kernel.value("[one.email for one in widget.auth_manager.accounts()]") == [BOB]
    status.root.screenshot(path=tmp_path / "out.png")

    notebook.restart_kernel()
    status.wait("un the cell again")
    expect(status.button("Refresh now")).to_be_hidden()
    status.root.screenshot(path=tmp_path / "restarted.png")


def test_the_end_of_a_session_is_shown_when_it_comes(open_notebook, provider, tmp_path):
    notebook = open_notebook(
        cells.show_widget(
            provider, provider.public, storage=file_storage(tmp_path), max_session_lifetime_hours=SHORT
        ),
        "widget.auth_manager",
    )
    notebook.run_cell(0)
    notebook.run_cell(1)
    widget = Widget(notebook.page)
    status = Status(notebook.page)
    status.wait("Not signed in")
    widget.sign_in(ADA)
    status.wait(f"Signed in as {ADA}")

    widget.wait_status(re.compile("[Ss]ession (has )?(ended|expired)"))
    status.wait(re.compile("[Ss]ession (has )?(ended|expired)"))
    expect(widget.root).to_have_attribute("data-state", "ready", timeout=PATIENCE_MS)
    assert notebook.kernel.value("[widget.error, widget.error_code]") == ["", ""]
    widget.root.screenshot(path=tmp_path / "ended.png")

    notebook.restart_kernel()
    notebook.run_cell(0)
    widget.wait_ready()
    widget.sign_in(ADA)


def test_nothing_of_it_is_in_a_saved_notebook(open_notebook, provider, tmp_path):
    notebook = open_notebook(
        cells.show_widget(provider, provider.public, storage=file_storage(tmp_path)), "widget.auth_manager"
    )
    notebook.run_cell(0)
    Widget(notebook.page).sign_in(ADA)
    notebook.run_cell(1)
    Status(notebook.page).wait(f"Signed in as {ADA}")
    notebook.save()

    saved = notebook.path.read_text()
    outputs = json.dumps(json.loads(saved)["cells"][1]["outputs"])
    assert "Run this cell in a live notebook" in outputs
    assert not [text for text in (ADA, "tokens.json", "openid") if text in outputs]
    assert not [name for name, secret in provider.secrets().items() if secret in saved]
