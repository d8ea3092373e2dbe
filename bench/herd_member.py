"""64 processes that need fresh tokens at once, with the package of the interpreter that runs this script.

Uses only what version 0.1.1 and ours have in common. Prints one line a process: the e-mail address of the
session it ended up with, or `lost`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> int:
    """Fork the members, let them through together, and wait for all."""
    secrets_path, token_path, processes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    # The whole package, as a notebook that has signed in has it; members share it by forking.
    from tokentoss import AuthManager, FileStorage  # noqa: PLC0415

    arrivals, arrive = os.pipe()
    gate, gate_keeper = os.pipe()
    members = []
    for _ in range(processes):
        pid = os.fork()
        if pid == 0:
            os.close(gate_keeper)
            os.write(arrive, b".")
            os.read(gate, 1)
            os._exit(_renew(AuthManager, FileStorage, secrets_path, token_path))
        members.append(pid)
    arrived = 0
    while arrived < processes:
        arrived += len(os.read(arrivals, 4096))
    os.close(gate_keeper)
    for pid in members:
        os.waitpid(pid, 0)
    return 0


def _renew(manager_class: type, storage_class: type, secrets_path: str, token_path: str) -> int:
    email = None
    try:
        manager = manager_class(client_secrets_path=secrets_path, storage=storage_class(Path(token_path)))
        if manager.id_token:
            email = manager.user_email
    except Exception as failure:  # noqa: BLE001 - a member that fails has lost its session
        print(repr(failure), file=sys.stderr)
    os.write(1, f"{email or 'lost'}\n".encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
