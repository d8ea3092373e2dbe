"""The pages of the listener, with their headers."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from tokentoss.callback.template import CLOSE_BUTTON, Message, document, part, script
from tokentoss.error_codes import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with every answer. There is no opener policy among them: it would cut the popup off its opener."""

SIGNING_IN = Message("waiting", "Signing in…")
NOTHING_TO_DO = Message("note", "Nothing to do here", "Start from your notebook.")
LINK_USED = Message(
    "note", "This link has been used", "Each sign-in link works once. Start again where you began."
)

_START = Message("waiting", "Going to the sign-in page…")
_CLOSE = "You can close this window, and go back to where you began."


def start_page() -> tuple[bytes, dict[str, str]]:
    """Return the page that introduces the notebook page to the kernel, and its headers."""
    return _page(_START, "outcome.js", "start.js", content=part("question.html") + CLOSE_BUTTON)


def callback_page(page_token: str, origin: str, provider: str) -> tuple[bytes, dict[str, str]]:
    """Return the page that receives the provider's answer, and its headers.

    Args:
        page_token: With which the page's own requests identify themselves.
        origin: The only origin that the page talks to; none of its opener's if it is empty.
        provider: How the provider is called.
    """
    data = {"token": page_token, "origin": origin, "provider": isolated(provider)}
    return _page(SIGNING_IN, "outcome.js", "answer.js", "callback.js", content=CLOSE_BUTTON, data=data)


def signed_in(provider: str, account: str | None) -> Message:
    """Return what the last page of a sign-in says that no notebook page took part in."""
    who = f" as {isolated(account)}" if account else ""
    return Message("done", "Signed in", f"You're signed in with {isolated(provider)}{who}. {_CLOSE}")


def not_signed_in(sentence: str, code: str) -> Message:
    """Return what a page says of a sign-in that failed."""
    return Message("failed", "Not signed in", sentence, code)


def end_page(message: Message) -> tuple[bytes, dict[str, str]]:
    """Return the page that says how a sign-in ended which no notebook page took part in, and its headers."""
    # In a tab, which no script may close.
    return _page(message, "end.js")


def refusal_page(message: Message) -> tuple[bytes, dict[str, str]]:
    """Return the page that answers what is refused, and its headers. It runs no script."""
    nonce = secrets.token_urlsafe(16)
    html = document(message, nonce=f' nonce="{nonce}"')
    return html.encode("utf-8"), _headers(f"style-src 'nonce-{nonce}'")


def isolated(name: str) -> str:
    """Return a foreign name so that its direction of writing changes nothing around it."""
    return f"\u2068{printable(name)}\u2069"


def _page(
    message: Message, *scripts: str, content: str = "", data: Mapping[str, str] | None = None
) -> tuple[bytes, dict[str, str]]:
    nonce = secrets.token_urlsafe(16)
    attribute = f' nonce="{nonce}"'
    elements = f"<script{attribute}>{script(*scripts)}</script>\n"
    if data is not None:
        block = f'<script type="application/json" id="page"{attribute}>{_json_for_script(data)}</script>\n'
        elements = block + elements
    html = document(message, nonce=attribute, content=content, scripts=elements)
    allowed = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'"
    return html.encode("utf-8"), _headers(allowed)


def _headers(allowed: str) -> dict[str, str]:
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}


def _json_for_script(data: Mapping[str, str]) -> str:
    # ASCII only, and nothing that could end the script element that holds it.
    text = json.dumps(data)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
