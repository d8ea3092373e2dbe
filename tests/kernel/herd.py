"""Many processes, each with many threads, that want the same tokens at the same moment.

As a script it is the herd's parent: it imports the package once, forks the members, and opens the gate of
each round when all of them stand before it. Every thread of every member reports what it got.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokentoss import AuthManager, ClientConfig, FileStorage, Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.provider import LocalProvider

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Report:
    """What one thread of one member got in one round; tokens appear as hashes."""

    pid: int
    round: str
    id_token: str
    refresh_token: str
    error: str


ROUNDS: dict[str, Callable[[AuthManager], object]] = {
    "use": lambda manager: manager.id_token,
    "use the access token": lambda manager: manager.access_token,
    "refresh": lambda manager: manager.refresh_tokens(),
}


def run(
    provider: LocalProvider,
    path: Path,
    *,
    processes: int,
    threads: int = 1,
    rounds: tuple[str, ...] = ("use",),
) -> list[Report]:
    """Send a herd to the tokens in a file and return all reports."""
    made = Provider.discover(provider.issuer)
    config = ClientConfig(provider.public.client_id)
    return run_as(made, config, path, processes=processes, threads=threads, rounds=rounds)


def run_as(
    provider: Provider,
    config: ClientConfig,
    path: Path,
    *,
    processes: int,
    threads: int = 1,
    rounds: tuple[str, ...] = ("use",),
) -> list[Report]:
    """Send a herd of another provider and client to the tokens in a file and return all reports."""
    order = {
        "provider": asdict(provider),
        "client_id": config.client_id,
        "client_secret": config.client_secret,
        "path": str(path),
        "processes": processes,
        "threads": threads,
        "rounds": rounds,
    }
    folders = [str(ROOT / "python"), str(ROOT / "tests")]
    finished = subprocess.run(
        [sys.executable, "-m", "kernel.herd"],
        input=json.dumps(order),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    reports = [Report(**json.loads(line)) for line in finished.stdout.splitlines()]
    assert len(reports) == processes * threads * len(rounds), finished.stderr
    return reports


def short_hash(token: str | None) -> str:
    """What of a token may be printed."""
    return hashlib.sha256((token or "").encode()).hexdigest()[:16]


class _Gate:
    """Opens once, for processes: those who wait read from a pipe whose writing end is closed to open it."""

    def __init__(self, members: int) -> None:
        self._members = members
        self._arrivals, self._arrive = os.pipe()
        self._wait, self._open = os.pipe()

    def in_member(self) -> None:
        """Give up what only the parent may hold; called in each member."""
        os.close(self._open)

    def arrive(self) -> None:
        """Count as one who has come; a member that failed does so too, or the others would wait for ever."""
        os.write(self._arrive, b".")

    def pass_through(self) -> None:
        """Arrive, and wait until everybody has."""
        self.arrive()
        os.read(self._wait, 1)

    def open_when_full(self) -> None:
        """Wait for all members, then let them through together."""
        arrived = 0
        while arrived < self._members:
            arrived += len(os.read(self._arrivals, 4096))
        os.close(self._open)


def _member(order: dict[str, Any], make: Callable[[], AuthManager], gates: list[_Gate]) -> None:
    for gate in gates:
        gate.in_member()
    manager = make()
    for name, gate in zip(order["rounds"], gates, strict=True):
        before_the_gate = threading.Barrier(order["threads"] + 1)
        after_the_gate = threading.Barrier(order["threads"] + 1)

        def take_part(name: str = name, ready: Any = before_the_gate, go: Any = after_the_gate) -> None:
            ready.wait()
            go.wait()
            error = ""
            try:
                ROUNDS[name](manager)
            except Exception as failure:  # noqa: BLE001 - every failure is a finding
                error = f"{type(failure).__name__}: {getattr(failure, 'code', failure)}"
            tokens = manager.token_data
            report = Report(
                os.getpid(),
                name,
                short_hash(tokens and tokens.id_token),
                short_hash(tokens and tokens.refresh_token),
                error,
            )
            # One write of a short line is atomic on a pipe.
            os.write(1, f"{json.dumps(asdict(report))}\n".encode())

        threads = [threading.Thread(target=take_part) for _ in range(order["threads"])]
        for thread in threads:
            thread.start()
        before_the_gate.wait()
        gate.pass_through()
        after_the_gate.wait()
        for thread in threads:
            thread.join()


def main() -> int:
    """Read the order from standard input, run the herd, and end when its last member has."""
    order = json.load(sys.stdin)
    provider = Provider(**order["provider"])

    def make() -> AuthManager:
        return AuthManager(
            ClientConfig(order["client_id"], order["client_secret"]),
            storage=FileStorage(order["path"]),
            provider=provider,
        )

    gates = [_Gate(order["processes"]) for _ in order["rounds"]]
    members = []
    for _ in range(order["processes"]):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                _member(order, make, gates)
                status = 0
            except BaseException:  # noqa: BLE001 - it is shown, and the process ends here
                traceback.print_exc()
                for gate in gates:
                    gate.arrive()
            finally:
                os._exit(status)
        members.append(pid)
    for gate in gates:
        gate.open_when_full()
    return int(any(os.waitpid(pid, 0)[1] for pid in members))


if __name__ == "__main__":
    sys.exit(main())
