"""Reads what it can of a folder, as fast as it can, until its standard input ends.

Prints `open NAME MODE` for a file or folder that others may access, `broken NAME` for a token file that is
not whole, `read NAME` for what it could read although it should not, and `seen N` for each new content.
"""

from __future__ import annotations

import json
import os
import select
import stat
import sys
from pathlib import Path


def main() -> int:
    """Read until standard input ends."""
    folder, user = Path(sys.argv[1]), int(sys.argv[2])
    stranger = user != os.geteuid()
    if stranger:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    seen: set[bytes] = set()
    looks = 0
    while not select.select([0], [], [], 0)[0]:
        looks += 1
        for path in (folder, *_entries(folder)):
            try:
                _look(path, seen, stranger=stranger)
            except (FileNotFoundError, PermissionError):
                continue
        if looks % 500 == 0:
            _say(f"looked {looks}")
    return 0


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, PermissionError):
        return []


def _look(path: Path, seen: set[bytes], *, stranger: bool) -> None:
    status = path.lstat()
    if stat.S_IMODE(status.st_mode) & 0o077:
        _say(f"open {path.name} {stat.S_IMODE(status.st_mode):o}")
    if path.is_dir():
        return
    with path.open("rb") as file:
        content = file.read()
    if stranger:
        _say(f"read {path.name}")
    if path.name != "tokens.json" or content in seen:
        return
    try:
        json.loads(content)
    except ValueError:
        _say(f"broken {path.name}")
        return
    seen.add(content)
    _say(f"seen {len(seen)}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
