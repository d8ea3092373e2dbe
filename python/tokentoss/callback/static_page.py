"""The callback page as one static file, for servers other than the kernel's own listener.

A Jupyter server, a JupyterHub service or any web host serves it; nothing in it depends on a sign-in.
"""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from tokentoss import texts
from tokentoss.callback.pages import SECURITY_HEADERS, signing_in
from tokentoss.callback.template import close_button, data_block, document, part, said_part, script
from tokentoss.exceptions import ConfigurationError
from tokentoss.util.urls import origin_of, split_url

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN_ORIGIN = "self"
"""Stands for the page's own origin among those that it talks to."""

_REFERRER = '<meta name="referrer" content="no-referrer">'


def static_page(origins: Sequence[str]) -> str:
    """Return the page. It speaks the browser's language, unless one is chosen here.

    Args:
        origins: The origins of the notebook pages that it talks to, or :data:`OWN_ORIGIN`.

    Raises:
        ConfigurationError: ``notebook_origin_missing`` or ``notebook_origin_invalid``.
    """
    allowed = [_checked(origin) for origin in dict.fromkeys(origins)]
    if not allowed:
        raise ConfigurationError(code="notebook_origin_missing")
    head = f'<meta http-equiv="Content-Security-Policy" content="{escape(_policy())}">\n{_REFERRER}\n'
    chosen = texts.chosen()
    spoken = (chosen,) if chosen else texts.languages()
    scripts = (
        data_block("origins", allowed)
        + data_block("texts", {code: texts.texts_in(code)["pages"] for code in spoken})
        + f"<script>{_script()}</script>\n"
    )
    language = texts.language()
    content = said_part("paste.html", language) + close_button(language)
    return document(signing_in(language), head=head, content=content, scripts=scripts)


def static_page_headers() -> dict[str, str]:
    """Return the headers that the page is to be served with, its Content-Security-Policy among them."""
    # What only a header can say: a page in a frame could be made to look like something else.
    policy = f"{_policy()}; frame-ancestors 'none'"
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        **SECURITY_HEADERS,
    }


@cache
def _policy() -> str:
    return (
        f"default-src 'none'; script-src {_hash(_script())}; style-src {_hash(part('page.css'))}; "
        "base-uri 'none'; form-action 'none'"
    )


def _script() -> str:
    return script("outcome.js", "language.js", "answer.js", "static.js")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(content.encode('utf-8')).digest()).decode('ascii')}'"


def _checked(origin: str) -> str:
    if origin == OWN_ORIGIN:
        return origin
    parts = split_url(origin)
    if parts is None or parts.path or parts.query or parts.fragment or origin_of(origin) != origin:
        raise ConfigurationError(code="notebook_origin_invalid", subject=repr(origin))
    return origin
