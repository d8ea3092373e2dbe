"""The pages of the listener, with their headers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tokentoss import texts
from tokentoss.callback.template import Message, close_button, data_block, document, said_part, script
from tokentoss.error_codes import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.callback.template import Outcome

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with every answer. There is no opener policy among them: it would cut the popup off its opener."""


def signing_in(language: str) -> Message:
    """Return what a page says that waits for the end of a sign-in."""
    return _message(language, "waiting", "signingIn")


def nothing_to_do(language: str) -> Message:
    """Return what a page says that nobody was sent to."""
    return _message(language, "note", "nothingToDo", "nothingToDoHow")


def link_used(language: str) -> Message:
    """Return what the page of a spent link says."""
    return _message(language, "note", "linkUsed", "linkUsedHow")


def start_page(language: str) -> tuple[bytes, dict[str, str]]:
    """Return the page that introduces the notebook page to the kernel, and its headers."""
    message = _message(language, "waiting", "goingOn")
    return _page(message, "texts.js", "outcome.js", "start.js", content=said_part("question.html", language))


def callback_page(page_token: str, origin: str, provider: str, language: str) -> tuple[bytes, dict[str, str]]:
    """Return the page that receives the provider's answer, and its headers.

    Args:
        page_token: With which the page's own requests identify themselves.
        origin: The only origin that the page talks to; none of its opener's if it is empty.
        provider: How the provider is called.
        language: The language that it speaks.
    """
    data = {"token": page_token, "origin": origin, "provider": isolated(provider)}
    return _page(signing_in(language), "texts.js", "outcome.js", "answer.js", "callback.js", data=data)


def signed_in(provider: str, account: str | None, language: str) -> Message:
    """Return what the last page of a sign-in says that no notebook page took part in."""
    name = "signedInWithAs" if account else "signedInWith"
    who = texts.text("pages", name, language, provider=isolated(provider), account=isolated(account or ""))
    how = texts.text("pages", "mayCloseAndGoBack", language)
    return _message(language, "done", "signedIn")._replace(sentence=f"{who} {how}")


def not_signed_in(sentence: str, code: str, language: str) -> Message:
    """Return what a page says of a sign-in that failed; the sentence is in that language."""
    return _message(language, "failed", "notSignedIn")._replace(sentence=sentence, code=code)


def end_page(message: Message) -> tuple[bytes, dict[str, str]]:
    """Return the page that says how a sign-in ended which no notebook page took part in, and its headers."""
    # In a tab, which no script may close.
    return _with_scripts(message, "end.js")


def refusal_page(message: Message) -> tuple[bytes, dict[str, str]]:
    """Return the page that answers what is refused, and its headers. It runs no script."""
    nonce = secrets.token_urlsafe(16)
    html = document(message, nonce=f' nonce="{nonce}"')
    return html.encode("utf-8"), _headers(f"style-src 'nonce-{nonce}'")


def isolated(name: str) -> str:
    """Return a foreign name so that its direction of writing changes nothing around it."""
    return f"\u2068{printable(name)}\u2069"


def _message(language: str, outcome: Outcome, heading: str, sentence: str = "") -> Message:
    """Return what a page says, by the names of the texts."""
    said = texts.texts_in(language)["pages"]
    return Message(language, outcome, said[heading], said[sentence] if sentence else "")


def _page(
    message: Message, *scripts: str, content: str = "", data: Mapping[str, str] | None = None
) -> tuple[bytes, dict[str, str]]:
    """Return a page in a popup, whose scripts have the texts of its language, and the data."""
    blocks = {"texts": texts.texts_in(message.language)["pages"]} | ({"page": data} if data else {})
    return _with_scripts(message, *scripts, content=content + close_button(message.language), blocks=blocks)


def _with_scripts(
    message: Message,
    *scripts: str,
    content: str = "",
    blocks: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[bytes, dict[str, str]]:
    nonce = secrets.token_urlsafe(16)
    attribute = f' nonce="{nonce}"'
    elements = "".join(data_block(name, data, attribute) for name, data in (blocks or {}).items())
    elements += f"<script{attribute}>{script(*scripts)}</script>\n"
    html = document(message, nonce=attribute, content=content, scripts=elements)
    allowed = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'"
    return html.encode("utf-8"), _headers(allowed)


def _headers(allowed: str) -> dict[str, str]:
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
