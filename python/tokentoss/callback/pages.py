"""The two pages of the listener, with their headers."""

from __future__ import annotations

import json
import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with every answer. There is no opener policy among them: it would cut the popup off its opener."""

SIGNED_IN = "Signed in. You can close this window, and go back to where you began."


def start_page() -> tuple[bytes, dict[str, str]]:
    """Return the page that introduces the notebook page to the kernel, and its headers."""
    return _render("start.html", {})


def callback_page(page_token: str, origin: str) -> tuple[bytes, dict[str, str]]:
    """Return the page that receives the provider's answer, and its headers.

    Args:
        page_token: With which the page's own requests identify themselves.
        origin: The only origin that the page talks to; none of its opener's if it is empty.
    """
    return _render("callback.html", {"token": page_token, "origin": origin})


def end_page(sentence: str) -> tuple[bytes, dict[str, str]]:
    """Return the page that says how a sign-in ended which no notebook page took part in, and its headers."""
    return _render("end.html", {"sentence": sentence})


def _render(name: str, data: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    nonce = secrets.token_urlsafe(16)
    template = _file(name).replace("{{style}}", _file("page.css"))
    html = template.replace("{{nonce}}", nonce).replace("{{data}}", _json_for_script(data))
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
    return html.encode("utf-8"), headers


def _json_for_script(data: Mapping[str, str]) -> str:
    # ASCII only, and nothing that could end the script element that holds it.
    text = json.dumps(data)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
