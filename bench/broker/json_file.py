"""Measures a store of one JSON file with a lock: read under the lock, refresh under it, write a new file.

Command-line tools and small servers do that. This one is as good as the design allows: an entry is read under
the lock, so that a herd causes one request, and the file is replaced, so that it is never half written.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import multiprocessing
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSES = 4
ENOUGH = 240


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the store's lock, across threads and processes."""
    with store.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def token(store: Path, user: str, endpoint: str) -> str:
    """Return a user's token, refreshed at the provider where it has ended."""
    with locked(store):
        entries = json.loads(store.read_bytes())
        entry = entries[user]
        if entry["expires_at"] - time.time() < ENOUGH:
            form = {"grant_type": "refresh_token", "refresh_token": entry["refresh_token"]}
            with urllib.request.urlopen(f"{endpoint}/token", urlencode(form).encode(), timeout=30) as answer:
                tokens: dict[str, Any] = json.load(answer)
            entry.update(tokens, expires_at=time.time() + tokens["expires_in"])
            fresh = store.with_suffix(".new")
            fresh.write_text(json.dumps(entries))
            fresh.replace(store)
        return str(entry["access_token"])


def fill(store: Path, users: int) -> None:
    """Write the store; the token of user-0 has ended."""
    now = time.time()
    entries = {
        f"user-{number}": {
            "access_token": "a" * 220,
            "refresh_token": f"refresh-file.{number}-0",
            "expires_at": now + (0 if number == 0 else 10 * ENOUGH),
        }
        for number in range(users)
    }
    store.write_text(json.dumps(entries))


def ask_at_once(store: Path, endpoint: str, callers: int, start: float) -> list[float]:
    """Have threads ask for user-0 at a time; how long each one took, in milliseconds."""
    took: list[float] = []

    def ask() -> None:
        time.sleep(max(0, start - time.time()))
        began = time.perf_counter()
        token(store, "user-0", endpoint)
        took.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def read_until(store: Path, end: float) -> int:
    """Read tokens that have life enough; how many."""
    count = 0
    while time.time() < end:
        token(store, "user-1", "")
        count += 1
    return count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["reads", "herd"])
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--callers", type=int, default=0)
    parser.add_argument("--endpoint", default="")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tokentoss-bench-") as folder,
        multiprocessing.Pool(PROCESSES) as pool,
    ):
        store = Path(folder) / "tokens.json"
        fill(store, chosen.users)
        if chosen.what == "reads":
            counts = pool.starmap(read_until, [(store, time.time() + chosen.seconds)] * PROCESSES)
            print(json.dumps({"rate": sum(counts) / chosen.seconds}))
        else:
            share = (store, chosen.endpoint, chosen.callers // PROCESSES, time.time() + 1)
            took = sorted(chain.from_iterable(pool.starmap(ask_at_once, [share] * PROCESSES)))
            print(json.dumps({"p99_ms": took[len(took) * 99 // 100]}))


if __name__ == "__main__":
    main()
