"""A program of another user of this machine: reads what a kernel broadcasts, and talks to whoever listens.

As a program it becomes the user with the id of its first argument, and does what lines of JSON on its
standard input say, each with a line of JSON in answer.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - the other user may not read where Python is installed
import json
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import zmq
from servers.stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Callable

STRANGER = 65_534  # nobody
SECONDS = 20


class OtherUser(Stoppable):
    """The program, from the side of the test. Only root can start it."""

    def __init__(self, user: int = STRANGER) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "e2e.attacks.other_user", str(user)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def listen_in(self, port: int) -> None:
        """Subscribe to what a kernel broadcasts at a port; that needs no key."""
        assert self._ask(act="listen_in", port=port) == "listening"

    def overheard(self) -> list[bytes]:
        """What was broadcast since the last time."""
        frames: list[str] = self._ask(act="overheard")
        return [frame.encode("latin-1") for frame in frames]

    def say(self, port: int, request: str, *, how: str) -> str:
        """Send a request to a port of this machine in one of the `WAYS`; return all that comes back."""
        answer: str = self._ask(act="say", port=port, request=request, how=how)
        return answer

    def user(self) -> int:
        """Who it is."""
        user: int = self._ask(act="user")
        return user

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, **what: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _plainly(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)


def _half_closed(connection: socket.socket, request: bytes) -> None:
    """Its own socket is not an established one any more when the listener looks."""
    connection.sendall(request)
    connection.shutdown(socket.SHUT_WR)


def _slowly(connection: socket.socket, request: bytes) -> None:
    """In two parts, the second one after a moment."""
    connection.sendall(request[:20])
    time.sleep(0.2)
    connection.sendall(request[20:])


WAYS: dict[str, Callable[[socket.socket, bytes], None]] = {
    "plainly": _plainly,
    "half closed": _half_closed,
    "slowly": _slowly,
}


def _say(port: int, request: bytes, how: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        WAYS[how](connection, request)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def main() -> None:
    """Be the other user."""
    user = int(sys.argv[1])
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    subscriber = zmq.Context.instance().socket(zmq.SUB)
    subscriber.subscribe(b"")
    for line in sys.stdin:
        what = json.loads(line)
        answer: object = None
        if what["act"] == "user":
            answer = os.getuid()
        elif what["act"] == "listen_in":
            subscriber.connect(f"tcp://127.0.0.1:{what['port']}")
            answer = "listening"
        elif what["act"] == "overheard":
            answer = []
            while subscriber.poll(0):
                answer += [frame.decode("latin-1") for frame in subscriber.recv_multipart()]
        elif what["act"] == "say":
            answer = _say(what["port"], what["request"].encode(), what["how"]).decode("latin-1")
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
