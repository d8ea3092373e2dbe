"""What stands in the memory of a process of this user (Linux)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Secrets that lie across two blocks are found as well.
BLOCK, OVERLAP = 1 << 24, 1 << 14


def found_in(pid: int, secrets: Mapping[str, str]) -> list[str]:
    """Names of the secrets that stand in the process's readable memory; each of them is ASCII."""
    wanted = {name: value.encode("ascii") for name, value in secrets.items()}
    found: set[str] = set()
    for block in _blocks(pid):
        found |= {name for name, value in wanted.items() if value in block}
    return sorted(found)


def _blocks(pid: int) -> Iterator[bytes]:
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            addresses, mode, *_ = line.split()
            if not mode.startswith("r"):
                continue
            start, end = (int(part, 16) for part in addresses.split("-"))
            for at in range(start, end, BLOCK):
                try:
                    memory.seek(at)
                    yield memory.read(min(BLOCK + OVERLAP, end - at))
                except (OSError, ValueError, OverflowError):
                    break  # the kernel's own pages, or a mapping that has gone
