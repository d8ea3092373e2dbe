"""Saves and loads tokens for a second, in some processes at once, with the package of this interpreter.

Uses only what version 0.1.1 and ours have in common. Prints the pairs of save and load that all of them made.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

SECONDS = 1.0


def main() -> int:
    """Fork the processes and add up what they did."""
    path, processes = Path(sys.argv[1]), int(sys.argv[2])
    from tokentoss import FileStorage, TokenData  # noqa: PLC0415

    tokens = TokenData(
        access_token="a" * 200,
        id_token="i" * 900,
        refresh_token="r" * 100,
        expiry="2030-01-01T00:00:00+00:00",
        scopes=["openid", "email", "profile"],
        user_email="ada@example.com",
    )
    FileStorage(path).save(tokens)
    counts, count = os.pipe()
    members = []
    for _ in range(processes):
        pid = os.fork()
        if pid == 0:
            os.write(count, f"{_pairs(FileStorage(path), tokens)}\n".encode())
            os._exit(0)
        members.append(pid)
    statuses = [os.waitpid(pid, 0)[1] for pid in members]
    os.close(count)
    with os.fdopen(counts) as lines:
        print(sum(int(line) for line in lines))
    return int(any(statuses))


def _pairs(storage: object, tokens: object) -> int:
    done = 0
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        try:
            storage.save(tokens)  # type: ignore[attr-defined]
            found = storage.load()  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001 - a reader of a half-written file gets nothing that counts
            continue
        done += found is not None
    return done


if __name__ == "__main__":
    sys.exit(main())
