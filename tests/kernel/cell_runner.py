"""A kernel whose cells are run as a notebook runs them: with the id of the cell in each request."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from e2e.isolation import short_folder
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

PATIENCE = 60  # seconds; only ends a test that hangs


class CellRunner:
    """Starts a kernel, runs cells and counts what they open and close in the page."""

    def __init__(self) -> None:
        file = str(Path(short_folder()) / "kernel.json")
        self._manager = KernelManager(kernel_name="python3", transport="ipc", connection_file=file)
        self._manager.start_kernel()
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        self.messages: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def run(
        self, code: str, cell: str | None = None, *, session: str | None = None, answers: bool = False
    ) -> None:
        """Run a cell to its end; fails if it raised.

        `session` is that of another page which shows the same notebook; `answers` says whether somebody
        answers questions, as people do and programs do not.
        """
        self._execute(code, {"cellId": cell} if cell else {}, session=session, answers=answers)

    def value(self, expression: str) -> Any:
        """Value of an expression that JSON can carry."""
        reply = self._execute("", {}, expressions={"value": f"__import__('json').dumps({expression})"})
        answer = reply["user_expressions"]["value"]
        assert answer["status"] == "ok", answer.get("evalue")
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def send_to_widget(self, model: str, content: dict[str, Any]) -> None:
        """A custom message from the page to a widget."""
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": model, "data": data})
        self._client.shell_channel.send(message)
        self._read_until_idle(message["header"]["msg_id"])

    def count(self, kind: str) -> int:
        """How many messages of a kind the kernel broadcast so far."""
        return [message["msg_type"] for message in self.messages].count(kind)

    def _execute(
        self,
        code: str,
        metadata: dict[str, str],
        *,
        session: str | None = None,
        expressions: dict[str, str] | None = None,
        answers: bool = False,
    ) -> dict[str, Any]:
        content = {
            "code": code,
            "silent": False,
            # As JupyterLab does: results are kept in `Out`.
            "store_history": bool(metadata),
            "user_expressions": expressions or {},
            "allow_stdin": answers,
            "stop_on_error": True,
        }
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        if session is not None:
            message["header"]["session"] = session
        request = message["header"]["msg_id"]
        self._client.shell_channel.send(message)
        while True:
            reply = self._client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == request:
                break
        self._read_until_idle(request)
        answer: dict[str, Any] = reply["content"]
        assert answer["status"] == "ok", answer
        return answer

    def _read_until_idle(self, request: str) -> None:
        while True:
            message = self._client.get_iopub_msg(timeout=PATIENCE)
            self.messages.append(message)
            is_idle = message["content"].get("execution_state") == "idle"
            if is_idle and message["parent_header"].get("msg_id") == request:
                return
