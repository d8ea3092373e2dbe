"""`IAPClient.get` beside a bare `requests.Session.get` that sends the same token in a static header."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from kernel.people import manager_at, sign_in
from servers.process import ServerProcess
from servers.provider import LocalProvider
from tokentoss import IAPClient, MemoryStorage

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 201
CALLS = 20
# A process of its own, and no work to do: what differs is the client.
SERVER = """
const server = require('node:http').createServer((request, response) => response.end('{}'));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""


@dataclass(frozen=True)
class Figures:
    """Medians over the rounds: microseconds of a call, and the ratio of the two within a round."""

    ours: float
    bare: float
    ratio: float


def measure() -> Figures:
    """Measure both; they take turns within each round, so that a busy moment falls on both."""
    with (
        tempfile.TemporaryDirectory(prefix="tokentoss-bench-") as name,
        LocalProvider(Path(name)) as provider,
    ):
        manager = sign_in(manager_at(provider, storage=MemoryStorage()))
        server = ServerProcess(["node", "-e", SERVER], log=Path(name) / "server.log", is_ready=str.strip)
        try:
            origin = f"http://127.0.0.1:{int(server.wait_ready())}"
            with IAPClient(origin, auth_manager=manager) as client, requests.Session() as bare:
                # Ours asks for no proxy on this machine either.
                bare.trust_env = False
                bare.headers["Authorization"] = f"Bearer {manager.id_token}"
                return _take_turns(
                    lambda: client.get("/data"), lambda: bare.get(f"{origin}/data", timeout=30)
                )
        finally:
            server.stop()


def _take_turns(ours: Callable[[], object], bare: Callable[[], object]) -> Figures:
    rounds = []
    for number in range(1 + ROUNDS):
        times = {}
        for call in (ours, bare) if number % 2 else (bare, ours):
            start = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[call] = (time.perf_counter() - start) / CALLS * 1e6
        if number > 0:  # the first round opens the connections
            rounds.append((times[ours], times[bare]))
    return Figures(
        ours=statistics.median(mine for mine, _ in rounds),
        bare=statistics.median(other for _, other in rounds),
        ratio=statistics.median(mine / other for mine, other in rounds),
    )
