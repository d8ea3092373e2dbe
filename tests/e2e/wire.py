"""The websocket between a page and its kernel, in the test's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, WebSocketRoute

KERNELS = "**/api/kernels/**"
Message = str | bytes


class Wire:
    """Passes the messages of a context's kernel connections on until one is chosen to break its connection.

    JupyterLab then connects again by itself, as after a network that was down.
    """

    def __init__(self) -> None:
        self.connections: list[WebSocketRoute] = []
        self.lost: list[str] = []
        """The messages that went with their connection."""
        self._broken: list[WebSocketRoute] = []
        self._is_fatal: Callable[[str], bool] | None = None

    def take(self, context: BrowserContext) -> None:
        """Take the connections of a context whose pages are not loaded yet."""
        context.route_web_socket(KERNELS, self._connect)

    def forget(self) -> None:
        """Begin another test: what comes is passed on."""
        self._is_fatal = None
        self.lost.clear()

    def drop(self) -> None:
        """Break the latest connection."""
        self._break(self.connections[-1])

    def drop_at(self, is_fatal: Callable[[str], bool]) -> None:
        """Lose the next message that this holds of, whoever sends it, and its connection with it."""
        self._is_fatal = is_fatal

    def _connect(self, page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()
        self.connections.append(page_side)

        def passing(to: WebSocketRoute) -> Callable[[Message], None]:
            def take(message: Message) -> None:
                text = message if isinstance(message, str) else message.decode(errors="replace")
                if page_side in self._broken:
                    return
                if self._is_fatal is not None and self._is_fatal(text):
                    self._is_fatal = None
                    self.lost.append(text)
                    self._break(page_side)
                else:
                    to.send(message)

            return take

        page_side.on_message(passing(server_side))
        server_side.on_message(passing(page_side))

    def _break(self, connection: WebSocketRoute) -> None:
        self._broken.append(connection)
        connection.close(code=1012, reason="dropped by the test")
