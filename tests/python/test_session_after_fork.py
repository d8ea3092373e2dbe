"""P13: a forked process uses the session, whatever its parent's threads were doing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest
from fake_provider import FakeProvider
from test_auth_manager import signed_in
from tokentoss import AuthManager
from tokentoss.session.doubtful_tokens import doubts
from tokentoss.storage import own_storage


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_lock_of_the_parent_stops_the_child(
    make_manager: Callable[..., AuthManager], fake: FakeProvider
) -> None:
    manager = signed_in(make_manager, fake)
    token = manager.id_token
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with (
            manager._renewal._turn,
            manager._store._lock,
            manager._observers._lock,
            manager._live._lock,
            doubts._lock,
            own_storage._adapters_lock,
        ):
            held.set()
            done.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    child = os.fork()
    if not child:
        code = 1
        try:
            doubts.note("x", 1)
            is_same = manager.id_token == token and manager.signed_in() == [manager]
            manager.sign_out()
            code = 0 if is_same and not manager.is_authenticated else 2
        finally:
            os._exit(code)
    try:
        for _ in range(2000):
            finished, status = os.waitpid(child, os.WNOHANG)
            if finished:
                break
            done.wait(0.01)
        else:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child waits for a lock")
    finally:
        done.set()
        holder.join()
    assert os.waitstatus_to_exitcode(status) == 0
    assert manager.is_authenticated
