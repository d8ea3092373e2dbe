"""The pages of the demo's provider."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from http import HTTPStatus

from tokentoss.demo.server import Answer

PEOPLE = ("ada@example.com", "grace@example.com")
"""Who can be chosen with one click."""

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1.25rem; background: Canvas; color: CanvasText; }
main { max-width: 24rem; margin: 0 auto; }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; }
p { margin: 0 0 1rem; }
.notice { padding: .5rem .75rem; border-inline-start: 4px solid #b26a00; background: rgb(178 106 0 / .12); }
form { display: grid; gap: .5rem; }
form + form { margin-block-start: .5rem; }
[role=alert] { margin: 0; }
[role=alert]:empty { display: none; }
button, input { font: inherit; min-height: 44px; padding: .5rem .75rem; border-radius: 8px; }
button { border: 1px solid #1a5fb4; background: #1a5fb4; color: #fff; cursor: pointer; text-align: start; }
button.plain { border-color: GrayText; background: transparent; color: CanvasText; }
input { border: 1px solid GrayText; background: Field; color: FieldText; width: 100%; }
label { display: grid; gap: .25rem; margin-top: .5rem; }
:focus-visible { outline: 3px solid #3584e4; outline-offset: 2px; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    # No form-action: Chromium holds it against the redirect that ends the sign-in, too.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'",
}


def chooser(request: str, scope: str, login_hint: str, problem: str = "") -> Answer:
    """Return the page on which the user says who to be.

    Args:
        request: The name under which the request waits.
        scope: What is asked for.
        login_hint: Who is suggested.
        problem: What was wrong with the answer before.
    """
    people = dict.fromkeys([*([login_hint] if login_hint else []), *PEOPLE])
    buttons = "".join(
        f'<button name="email" value="{escape(one)}">Continue as {escape(one)}</button>' for one in people
    )
    hidden = f'<input type="hidden" name="request" value="{escape(request)}">'
    return _page(
        "Who do you want to be?",
        '<p class="notice">This is the demo of tokentoss. It runs on this computer only, knows nobody, and '
        "has no passwords: do not enter one.</p>"
        f"<p>The notebook asks for: {escape(scope)}</p>"
        f'<form method="post" action="authorize">{hidden}{buttons}</form>'
        f'<form method="post" action="authorize">{hidden}<label>Or any e-mail address'
        f'<input name="email" type="text" inputmode="email" autocomplete="off" required></label>'
        f'<p role="alert">{escape(problem)}</p>'
        '<button class="plain">Continue with it</button></form>'
        f'<form method="post" action="authorize">{hidden}'
        '<button class="plain" name="cancel" value="1">Cancel</button></form>',
        HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
    )


def refusal(problem: str) -> Answer:
    """Return the page for a request that leads nowhere."""
    return _page(
        "The demo cannot go on",
        f"<p>{escape(problem)}.</p><p>Close this window and start again in the notebook.</p>",
        HTTPStatus.BAD_REQUEST,
    )


def _page(title: str, body: str, status: int) -> Answer:
    document = (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)} - tokentoss demo</title><style>{_STYLE}</style>"
        f"<main><h1>{escape(title)}</h1>{body}</main></html>"
    )
    return Answer(status, document.encode(), _HEADERS)
