"""A second client of a running kernel, beside the page: asks it for values and records what it broadcasts."""

from __future__ import annotations

import ast
import json
import socket
import threading
import uuid
from typing import TYPE_CHECKING, Any

import websocket
from servers.stoppable import Stoppable

from .waiting import until

if TYPE_CHECKING:
    from .jupyterlab import JupyterLab

CONNECT_TIMEOUT = 60


class KernelError(AssertionError):
    """Code run in the kernel raised; the message is its traceback."""


class KernelClient(Stoppable):
    """Speaks Jupyter's messaging protocol over JupyterLab's websocket, and keeps every frame as it came."""

    def __init__(self, lab: JupyterLab, kernel_id: str) -> None:
        self._session = uuid.uuid4().hex
        self._socket = websocket.create_connection(
            f"ws://localhost:{lab.port}{lab.base_path}/api/kernels/{kernel_id}/channels?session_id={self._session}",
            header=[f"Authorization: token {lab.token}"],
            timeout=CONNECT_TIMEOUT,
        )
        self._socket.settimeout(None)
        self._lock = threading.Lock()
        self._frames: list[bytes] = []
        self._messages: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, name="kernel-client", daemon=True)
        self._reader.start()

    def stop(self) -> None:
        """Leave the kernel."""
        # Wakes the reader, which owns the receiving side.
        self._socket.sock.shutdown(socket.SHUT_RDWR)
        self._reader.join(CONNECT_TIMEOUT)
        self._socket.shutdown()

    @property
    def frames(self) -> list[bytes]:
        """Raw frames so far, binary ones included."""
        with self._lock:
            return list(self._frames)

    def run(self, code: str) -> None:
        """Run code and wait until it is done."""
        self._reply(code, {})

    def value(self, expression: str) -> Any:
        """Value of a Python expression that JSON can carry. Waits for the kernel's main thread to be free."""
        reply = self._reply("", {"value": f"__import__('json').dumps({expression})"})
        answer = reply["user_expressions"]["value"]
        if answer["status"] != "ok":
            raise KernelError("\n".join(answer["traceback"]))
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def until(self, expression: str, *, patience: float = 60.0) -> Any:
        """Wait for an expression to be true in the kernel; returns its value."""
        return until(lambda: self.value(expression), expression, patience=patience)

    def _reply(self, code: str, expressions: dict[str, str]) -> dict[str, Any]:
        def answer() -> dict[str, Any] | None:
            content = self._ask(code, expressions)
            # A kernel aborts what is queued behind a cell that failed: nothing of it has run.
            return None if content["status"] == "aborted" else content

        content = until(answer, "a kernel that aborts nothing")
        if content["status"] != "ok":
            raise KernelError("\n".join(content.get("traceback", [content["status"]])))
        return content

    def _ask(self, code: str, expressions: dict[str, str]) -> dict[str, Any]:
        message_id = uuid.uuid4().hex
        request = {
            "channel": "shell",
            "header": {
                "msg_id": message_id,
                "msg_type": "execute_request",
                "session": self._session,
                "username": "",
                "version": "5.3",
            },
            "parent_header": {},
            "metadata": {},
            "content": {
                "code": code,
                "silent": True,
                "store_history": False,
                "user_expressions": expressions,
                "allow_stdin": False,
                "stop_on_error": True,
            },
        }
        self._socket.send(json.dumps(request))
        return until(lambda: self._answer_to(message_id), "an answer of the kernel")

    def _answer_to(self, message_id: str) -> dict[str, Any] | None:
        with self._lock:
            for message in self._messages:
                if (
                    message["msg_type"] == "execute_reply"
                    and message["parent_header"].get("msg_id") == message_id
                ):
                    content: dict[str, Any] = message["content"]
                    return content
        return None

    def _read(self) -> None:
        while True:
            try:
                opcode, frame = self._socket.recv_data()
            except (websocket.WebSocketException, OSError):
                return
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return
            with self._lock:
                self._frames.append(frame)
                if opcode == websocket.ABNF.OPCODE_TEXT:
                    self._messages.append(json.loads(frame))
