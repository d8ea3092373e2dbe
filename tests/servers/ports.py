"""Ports for servers that cannot choose one themselves and say which."""

from __future__ import annotations

import secrets
import socket

# Below those that Linux gives to whoever asks for any (32768 and up), browsers' connections among them.
LOWEST, HIGHEST = 12_000, 32_000


def free_port() -> int:
    """A port that nobody listens on at this moment, and that only another caller could be given next."""
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
