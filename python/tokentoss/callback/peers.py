"""Whose program is at the other end of a connection on this machine (Linux)."""

from __future__ import annotations

import os
import sys
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

Address = tuple[str, int]
"""An IP address, as text, and a port."""

_ROOT = 0
_WORD = 8  # hexadecimal digits of 32 bits


class Peer(Enum):
    """Who is at the other end, as far as this can be found out."""

    TRUSTED = "trusted"
    """A program of this user, or of root."""

    OTHER_USER = "other_user"
    """A program of another user."""

    UNKNOWN = "unknown"
    """It cannot be found out: this is not Linux, or the connection is in no table."""


class Entry(NamedTuple):
    """A line of ``/proc/net/tcp`` or ``/proc/net/tcp6``."""

    local: Address
    remote: Address
    state: int
    uid: int
    inode: int


def peer_of(connection: socket.socket) -> Peer:
    """Tell who is at the other end of a connection; on macOS, Windows and elsewhere that is never known."""
    if not sys.platform.startswith("linux"):
        return Peer.UNKNOWN
    try:
        peer, own = connection.getpeername()[:2], connection.getsockname()[:2]
    except OSError:
        return Peer.UNKNOWN
    return judge(entries_between(peer[1], own[1]), peer, own, os.getuid())


def judge(table: Iterable[Entry], peer: Address, own: Address, uid: int) -> Peer:
    """Tell who owns the socket at the other end of a connection.

    Args:
        table: The connections of this machine.
        peer: The other end's address.
        own: This end's address.
        uid: This user.
    """
    ends = _comparable(peer), _comparable(own)
    for entry in table:
        if (_comparable(entry.local), _comparable(entry.remote)) != ends:
            continue
        if entry.inode == 0:
            # A socket that was closed has no owner any more, and is shown as root's. It hears no answer.
            return Peer.UNKNOWN
        return Peer.TRUSTED if entry.uid in {uid, _ROOT} else Peer.OTHER_USER
    return Peer.UNKNOWN


def entries_between(local: int, remote: int) -> Iterator[Entry]:
    """Return the connections between two ports of this machine, or rather of this network namespace."""
    # A busy machine has tens of thousands of them: reading a line costs much more than looking for its ports.
    ports = f":{local:04X} ", f":{remote:04X} "
    for name in ("tcp", "tcp6"):
        try:
            text = Path("/proc/net", name).read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        for line in text.splitlines()[1:]:
            entry = parse(line) if all(port in line for port in ports) else None
            if entry is not None:
                yield entry


def parse(line: str) -> Entry | None:
    """Read a line of the table; None for one of another form."""
    fields = line.split()
    try:
        return Entry(
            _address(fields[1]), _address(fields[2]), int(fields[3], 16), int(fields[7]), int(fields[9])
        )
    except (IndexError, ValueError):
        return None


def _address(field: str) -> Address:
    digits, _, port = field.partition(":")
    # Words of 32 bits in the byte order of the machine.
    words = [int(digits[start : start + _WORD], 16) for start in range(0, len(digits), _WORD)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return str(ip_address(packed)), int(port, 16)


def _comparable(address: Address) -> tuple[IPv4Address | IPv6Address | str, int]:
    """Return an address so that an IPv4 address within IPv6 equals itself."""
    host, port = address
    try:
        ip = ip_address(host)
    except ValueError:
        return host, port
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return mapped or ip, port
