"""Between a widget in this process and the page that shows it: a comm over HTTP on this machine."""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import comm
from comm.base_comm import BaseComm
from tokentoss import AuthWidget
from tokentoss.widgets.assets import front_end

if TYPE_CHECKING:
    from servers.certificates import ServerCertificate
    from typing_extensions import Self

FILES = Path(__file__).with_name("page")


class Bridge:
    """Serves the page, and carries messages between it and one widget at a time; `with` closes it.

    Args:
        certificate: With which the page is served over https.
        policy: The page's Content-Security-Policy; none if empty.
        frame: Attributes of the frame on the page at `host_url`.
    """

    def __init__(
        self, certificate: ServerCertificate | None = None, *, policy: str = "", frame: str = ""
    ) -> None:
        self.policy = policy
        self.frame = frame
        self.widget: AuthWidget | None = None
        self.said: list[dict[str, Any]] = []
        """Everything that widgets told their pages."""
        self._to_page: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._server = _Server(self)
        if certificate is not None:
            self._server.socket = certificate.context().wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        port = self._server.server_address[1]
        self.url = f"{scheme}://localhost:{port}/"
        self.host_url = f"{scheme}://127.0.0.1:{port}/host"
        """A page of another origin with the page in a frame."""
        bridge = self

        class PageComm(BaseComm):
            def publish_msg(self, msg_type: str, data: Any = None, **_: Any) -> None:
                if msg_type == "comm_msg":
                    bridge.said.append(data)
                    bridge._to_page.put(data)

        # Widgets ask for their comm when they are made; there is no kernel here to give one.
        comm.create_comm = PageComm
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def show(self, widget: AuthWidget | None) -> None:
        """Make this the widget that the next page shows; the page before it hears no more."""
        self._to_page.put(None)
        self._to_page = queue.SimpleQueue()
        self.widget = widget

    def take(self, data: dict[str, Any]) -> None:
        """Take a message of the page."""
        if self.widget is not None:
            self.widget.comm.handle_msg({"content": {"data": data}, "buffers": []})

    def events(self) -> Any:
        """The widget's state, then its messages, until another widget is shown."""
        messages, widget = self._to_page, self.widget
        if widget is None:
            return
        yield "open-state", {name: getattr(widget, name) for name in sorted(widget.own_traits())}
        while (data := messages.get()) is not None:
            yield "message", data


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/events":
            self._stream()
        elif self.path == "/":
            self._send("text/html", (FILES / "index.html").read_bytes())
        elif self.path == "/host":
            bridge = self.server.bridge
            frame = (
                f'<!doctype html><iframe src="{bridge.url}" width="800" height="500" {bridge.frame}></iframe>'
            )
            self._send("text/html", frame.encode())
        elif self.path == "/bridge.js":
            self._send("text/javascript", (FILES / "bridge.js").read_bytes())
        elif self.path == "/auth.js":
            self._send("text/javascript", front_end("auth.js").encode())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.server.bridge.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._send("application/json", b"{}")

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/" and self.server.bridge.policy:
            self.send_header("Content-Security-Policy", self.server.bridge.policy)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for name, data in self.server.bridge.events():
            self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass
