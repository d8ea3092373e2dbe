"""Counts what passes between the page and its kernel from a click until the popup opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

# Runs before JupyterLab's own code: notes each click, each window.open, each frame of a kernel's websocket.
RECORDER = """
(() => {
  const events = [];
  Object.defineProperty(window, '__signInEvents', { value: events });
  addEventListener('click', () => events.push('click'), true);
  const open = window.open;
  window.open = function (...parameters) {
    events.push('open');
    return open.apply(this, parameters);
  };
  window.WebSocket = class extends WebSocket {
    #ofKernel;
    constructor(url, ...rest) {
      super(url, ...rest);
      this.#ofKernel = String(url).includes('/api/kernels/');
      if (this.#ofKernel) this.addEventListener('message', () => events.push('received'));
    }
    send(data) {
      if (this.#ofKernel) events.push('sent');
      super.send(data);
    }
  };
})();
"""


def record(context: BrowserContext) -> None:
    """Record in every page of the context that is opened from now on."""
    context.add_init_script(RECORDER)


def between_click_and_popup(page: Page) -> int:
    """Kernel messages, either way, between the last click that opened a popup and that popup."""
    events: list[str] = page.evaluate("() => window.__signInEvents")
    opened = len(events) - 1 - events[::-1].index("open")
    clicked = opened - 1 - events[:opened][::-1].index("click")
    return sum(event in ("sent", "received") for event in events[clicked:opened])
