"""A program that connects to the listener must belong to this user (trust rule 4)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page import Page
from tokentoss import AuthWidget
from tokentoss.callback import peers, routes
from tokentoss.callback.peers import Entry, Peer, entries_between, judge, parse, peer_of
from tokentoss.widgets import messages

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the tables are Linux's")
OWN, OTHER = 1000, 1001
PEER, HERE = ("127.0.0.1", 40000), ("127.0.0.1", 8765)


def entry(**changes: Any) -> Entry:
    return Entry(PEER, HERE, 1, OWN, 4711)._replace(**changes)


def field(host: str, port: int) -> str:
    """An address as the kernel writes it: words in the machine's byte order."""
    packed = ip_address(host).packed
    words = [int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4)]
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


ADDRESSES = st.tuples(st.ip_addresses().map(str), st.integers(0, 65535))


@given(ADDRESSES, ADDRESSES, st.integers(0, 11), st.integers(0, 2**32 - 1), st.integers(0, 2**40))
def test_lines_are_read_as_they_are_written(
    local: tuple[str, int], remote: tuple[str, int], state: int, uid: int, inode: int
) -> None:
    line = (
        f"   7: {field(*local)} {field(*remote)} {state:02X} 0:0 00:0 0 {uid:5d} 0 {inode} 1 0 20 4 30 10 -1"
    )
    assert parse(line) == Entry(local, remote, state, uid, inode)


@given(st.text(max_size=200))
def test_no_line_breaks_the_reader(line: str) -> None:
    parse(line)


@pytest.mark.parametrize(
    ("table", "peer"),
    [
        ([entry()], Peer.TRUSTED),
        ([entry(uid=0)], Peer.TRUSTED),
        ([entry(uid=OTHER)], Peer.OTHER_USER),
        ([], Peer.UNKNOWN),
        ([entry(local=HERE, remote=PEER, uid=OTHER)], Peer.UNKNOWN),
        ([entry(local=("127.0.0.2", 40000))], Peer.UNKNOWN),
        ([entry(local=("::ffff:127.0.0.1", 40000), remote=("::ffff:127.0.0.1", 8765))], Peer.TRUSTED),
        (
            [entry(local=("::ffff:127.0.0.1", 40000), remote=("::ffff:127.0.0.1", 8765), uid=OTHER)],
            Peer.OTHER_USER,
        ),
    ],
)
def test_who_it_is(table: list[Entry], peer: Peer) -> None:
    assert judge(table, PEER, HERE, OWN) is peer


@pytest.mark.parametrize("state", [1, 4, 5, 6])
def test_a_socket_that_was_closed_is_not_taken_for_roots(state: int) -> None:
    """A closed socket, shown with uid 0, is an unknown peer."""
    assert judge([entry(uid=0, inode=0, state=state)], PEER, HERE, OWN) is Peer.UNKNOWN


@pytest.mark.parametrize("state", [1, 4, 5, 8])
def test_a_socket_that_was_closed_by_half_still_has_its_owner(state: int) -> None:
    """A half-closed socket still belongs to its user."""
    assert judge([entry(uid=OTHER, state=state)], PEER, HERE, OWN) is Peer.OTHER_USER


@LINUX
@pytest.mark.parametrize(
    ("family", "host"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "::ffff:127.0.0.1")],
)
def test_a_connection_of_this_process(family: int, host: str) -> None:
    listening_host = "127.0.0.1" if "." in host else host
    try:
        listening = socket.create_server(
            (listening_host, 0), family=socket.AF_INET if "." in host else socket.AF_INET6
        )
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listening, socket.socket(family, socket.SOCK_STREAM) as client:
        client.connect((host, listening.getsockname()[1]))
        accepted, _ = listening.accept()
        with accepted:
            assert peer_of(accepted) is Peer.TRUSTED
            ends = accepted.getpeername()[1], accepted.getsockname()[1]
            (there, here) = (list(entries_between(*ports)) for ports in (ends, ends[::-1]))
            assert (there[0].uid, here[0].uid) == (os.getuid(), os.getuid())
            assert list(entries_between(ends[0], 1)) == []


@LINUX
@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root, to become somebody else")
@pytest.mark.parametrize("target", ["/tokentoss/start", "/?code=c&state=s"])
def test_another_user_gets_403_and_nothing_else(page: Page, target: str) -> None:
    """A request of another user of the machine gets 403 and ends no sign-in (S2)."""
    assert page.register().status == 200
    port = page.listener.rpartition(":")[2]
    script = (
        "import encodings.idna, os, socket, sys  # what is imported later could not be read any more\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"with socket.create_connection(('127.0.0.1', {port}), timeout=20) as one:\n"
        f"    one.sendall(b'GET {target} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n')\n"
        "    while data := one.recv(65536):\n"
        "        sys.stdout.write(data.decode())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert answer.startswith("HTTP/1.1 403 ")
    assert answer.endswith('\n\n{"code": "peer_of_another_user"}')
    assert page.callback().status == 200, "this user's sign-in goes on"


def test_a_peer_that_is_unknown_needs_a_proof_or_a_yes(
    page: Page, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., Any]
) -> None:
    """An unknown peer is asked to confirm even on the own server's page."""
    monkeypatch.setattr(routes, "is_own_server", lambda origin: True)
    assert "answer" in page.register(says_yes=False).json()
    monkeypatch.setattr(routes, "peer_of", lambda connection: Peer.UNKNOWN)
    other = Page(page.ticket)
    assert "confirm" in other.register(says_yes=False).json()
    assert "answer" in other.register().json()


@pytest.mark.parametrize("platform", ["darwin", "win32", "freebsd14", "emscripten"])
def test_on_other_systems_only_a_proof_or_a_yes(
    widget: AuthWidget, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """Elsewhere than on Linux, a page needs a proof or a confirmation."""

    def read_nothing(*_: object) -> None:
        raise AssertionError("the tables are Linux's")

    monkeypatch.setattr(peers, "sys", SimpleNamespace(platform=platform, byteorder=sys.byteorder))
    monkeypatch.setattr(peers, "entries_between", read_nothing)
    monkeypatch.setattr(routes, "is_own_server", lambda origin: True)
    asked, introduced = Page(widget.ticket), Page(widget.ticket)
    question = asked.register(says_yes=False)
    assert (question.status, "confirm" in question.json(), "answer" in question.json()) == (200, True, False)
    assert "answer" in asked.register().json()
    told: list[dict[str, Any]] = []
    messages.introduce(introduced.introduction(), widget._attempt.hand_off, told.append)
    introduced.introduced(told[0])
    assert "answer" in introduced.register(says_yes=False).json()
    assert introduced.callback().status == 200
