"""A web page of a stranger that has got hold of a ticket, and plays the notebook page with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from page import Page as NotebookPage
from servers.static_host import NOTEBOOK
from tokentoss import generate_pkce_pair
from tokentoss.util.base64url import b64url

from e2e.gesture import click_by_mouse

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

SCOPES = "openid email profile offline_access"

PLAY = """([url, answer]) => {
  window.heard = [];
  addEventListener('message', ({ data, source }) => {
    heard.push(data);
    if (JSON.parse(data).type === 'ready') source.postMessage(answer, '*');
  });
  const lure = document.createElement('button');
  lure.textContent = 'Watch the video';
  lure.onclick = () => { window.popup = window.open(url, '', 'popup,width=500,height=700'); };
  document.body.append(lure);
}"""

# What a script of any page can send: a plain request whose answer it cannot read, and one that the listener
# is asked about first.
SEND = """([url, body]) => Promise.all([
  { mode: 'no-cors', headers: { 'Content-Type': 'text/plain' } },
  { mode: 'cors', headers: { 'Content-Type': 'application/json' } },
].map((one) => fetch(url, { method: 'POST', body, ...one }).then((got) => got.text(), String)))"""


class HostilePage:
    """The page, open in a tab of the victim's browser.

    It says everything that a notebook page would say. `plays` is the notebook page that it claims to be,
    `request` an authorization request of its own for the ticket's client.
    """

    def __init__(self, context: BrowserContext, origin: str, ticket: dict[str, Any]) -> None:
        self.plays = NotebookPage(ticket)
        self.plays.verifier, challenge = generate_pkce_pair()
        self.request = self.plays.url(
            code_challenge=challenge, code_challenge_method="S256", scope=SCOPES, nonce=self.plays.nonce
        )
        key = b64url(self.plays.key.public)
        sealed = self.plays.start(url=self.request)
        start = {"type": "start", "ticket": ticket["id"], "key": key, "sealed": sealed}
        self.registration = {"ticket": ticket["id"], "key": key, "origin": origin, "sealed": sealed}
        self.tab: Page = context.new_page()
        self.tab.goto(origin + NOTEBOOK)
        start_page = f"{self.plays.listener}/tokentoss/start#{ticket['id']}.{key}"
        self.tab.evaluate(PLAY, [start_page, json.dumps(start)])

    def lure(self) -> Page:
        """Have the victim click once; the result is the window that opens."""
        with self.tab.context.expect_page() as opened:
            click_by_mouse(self.tab, self.tab.get_by_role("button"))
        return opened.value

    def steer(self, url: str) -> None:
        """Send the window that it opened elsewhere."""
        self.tab.evaluate("url => { popup.location = url; }", url)

    def heard(self) -> list[dict[str, Any]]:
        """What windows have told the page, but for their first word, which they say to anybody."""
        messages: list[dict[str, Any]] = [json.loads(text) for text in self.tab.evaluate("() => heard")]
        return [one for one in messages if one != {"type": "ready"}]

    def send(self, path: str, content: dict[str, str]) -> list[str]:
        """Have a script send something to the listener; the result is what the script gets to see."""
        seen: list[str] = self.tab.evaluate(SEND, [self.plays.listener + path, json.dumps(content)])
        return seen

    def is_registered(self) -> bool:
        """Whether the kernel would let a window go on for this page."""
        return self.plays.where().json() != {"url": None}
