"""How a client shows a provider's token and revocation endpoints who it is (RFC 6749 section 2.3.1)."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

from tokentoss.util.secret import Secret

AUTH_METHODS = frozenset({"none", "client_secret_post", "client_secret_basic"})
"""The ways to do so (RFC 7591 section 2)."""

_SHOWN = frozenset({"client_id", "grant_type", "redirect_uri", "scope", "token_type_hint"})


class Form(dict[str, str]):
    """The fields of a request, which hold secrets that a traceback with local variables would show.

    Args:
        fields: The fields, or a form to start from, whose way to authenticate is kept.
        **more: More fields.

    Attributes:
        basic: Client ID and secret, for a client that shows them in a header instead of a field.
    """

    def __init__(self, fields: Any = (), /, **more: str) -> None:
        super().__init__()
        for name, value in dict(fields, **more).items():
            self[name] = value
        self.basic: tuple[str, str] | None = fields.basic if isinstance(fields, Form) else None

    def __setitem__(self, name: str, value: str) -> None:
        # One by one, so that a traceback of who takes them out shows none.
        super().__setitem__(name, value if name in _SHOWN else Secret(value))

    def __repr__(self) -> str:
        return f"Form({', '.join(self)})"

    @property
    def authorization(self) -> Secret | None:
        """The header ``Authorization``, if any; both parts are form-encoded before they are joined."""
        if self.basic is None:
            return None
        pair = Secret(":".join(quote_plus(part) for part in self.basic))
        return Secret(f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}")


def client_form(method: str, client_id: str, client_secret: str | None) -> Form:
    """Return the beginning of every request of a client: what identifies it, in one way and never two.

    Args:
        method: One of :data:`AUTH_METHODS`.
        client_id: The client.
        client_secret: Its secret, if it has one; without one it identifies itself by its ID alone.
    """
    form = Form()
    if client_secret and method == "client_secret_basic":
        form.basic = (client_id, Secret(client_secret))
        return form
    form["client_id"] = client_id
    if client_secret and method == "client_secret_post":
        form["client_secret"] = client_secret
    return form
