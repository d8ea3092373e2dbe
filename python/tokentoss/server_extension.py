"""Extension of Jupyter servers: serves the callback page at ``<base_url>/tokentoss/callback``.

A page there has the origin of the notebook pages, so it reaches them even where its opener is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from tokentoss.callback.redirect_uris import PAGE_PATH
from tokentoss.callback.static_page import OWN_ORIGIN, static_page, static_page_headers

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


class CallbackHandler(JupyterHandler):
    """Serves the page, which is the same for everybody and holds nothing of the server."""

    # As Jupyter's own static files: a login page in between would take the code into its address and logs.
    @allow_unauthenticated
    def get(self) -> None:
        """Answer with the page."""
        # It would cut the popup off its opener.
        self.clear_header("Cross-Origin-Opener-Policy")
        for name, value in static_page_headers().items():
            self.set_header(name, value)
        self.finish(static_page([OWN_ORIGIN]))

    def _log(self) -> None:
        """Log nothing: request lines hold authorization codes."""


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "tokentoss.server_extension"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    settings = server.web_app.settings
    path = url_path_join(settings["base_url"], PAGE_PATH)
    server.web_app.add_handlers(".*$", [(path, CallbackHandler)])  # type: ignore[no-untyped-call, unused-ignore]
