"""Runs the provider on loopback."""

from __future__ import annotations

import logging
import socket
import threading

from werkzeug.serving import make_server

from servers.signing_key import SigningKey
from servers.stoppable import Stoppable

from .pages import create_app
from .records import CLIENT_ID


class AuthlibProvider(Stoppable):
    """The provider, on an ephemeral loopback port."""

    def __init__(self) -> None:
        self.key = SigningKey()
        self.client_id = CLIENT_ID
        # Bound first, because the issuer holds the port.
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port: int = listening.getsockname()[1]
            self.issuer = f"http://127.0.0.1:{port}"
            app = create_app(self.issuer, self.key)
            # Requests are looked at in the browser; the console is for the tests' own output.
            logging.getLogger("werkzeug").setLevel(logging.WARNING)
            self._server = make_server("127.0.0.1", port, app, threaded=True, fd=listening.fileno())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="authlib-provider", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the server and its thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
