"""The form for a client as a user sees and fills it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from .gesture import click_by_mouse
from .waiting import PATIENCE_SECONDS

PATIENCE_MS = PATIENCE_SECONDS * 1000


class ConfigureForm:
    """The only view of a form in a notebook page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root: Locator = page.locator(".tokentoss-configure")
        self.client_id = self.root.get_by_label("Client ID")
        self.client_secret = self.root.get_by_label("Client secret")
        self.project_id = self.root.get_by_label("Project ID")
        self.by_hand = self.root.get_by_text("Or enter it by hand")
        self.configure_button = self.root.get_by_role("button", name="Configure")
        self.change_button = self.root.get_by_role("button", name="Change")
        self.status = self.root.get_by_role("status")

    def wait_ready(self) -> None:
        """Wait until the form can be sent."""
        expect(self.configure_button).to_have_attribute("aria-disabled", "false", timeout=PATIENCE_MS)

    def wait_status(self, text: str | re.Pattern[str]) -> None:
        """Wait for the status line to hold the text."""
        expect(self.status).to_contain_text(text, timeout=PATIENCE_MS)

    def click(self, control: Locator) -> None:
        """Click one of its controls like a user."""
        control.wait_for()
        click_by_mouse(self.page, control)

    def type_into(self, field: Locator, text: str) -> None:
        """Type like a user, key by key, who first opens the fields if they are closed."""
        if not field.is_visible():
            self.click(self.by_hand)
        self.click(field)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def choose(self, name: str, content: bytes) -> None:
        """Choose a file as the browser's dialog would give it."""
        payload = {"name": name, "mimeType": "application/json", "buffer": content}
        self.root.locator("input[type=file]").set_input_files(payload)  # type: ignore[arg-type]

    def drop(self, name: str, content: str) -> None:
        """Drop a file on the form."""
        self.root.evaluate(
            """(root, [name, content]) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([content], name));
                for (const type of ['dragenter', 'dragover', 'drop']) {
                    const target = root.querySelector('.tokentoss-drop');
                    const options = { dataTransfer, bubbles: true, cancelable: true };
                    target.dispatchEvent(new DragEvent(type, options));
                }
            }""",
            [name, content],
        )

    def field_values(self) -> list[str]:
        """What its fields hold, shown or not."""
        values: list[str] = self.root.locator("input").evaluate_all("inputs => inputs.map(one => one.value)")
        return values
