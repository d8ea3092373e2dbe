"""A forked process uses the session, whatever the threads of its parent are doing (P13)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from fake_provider import FakeProvider
from forked import assert_in_child, needs_fork
from test_auth_manager import signed_in
from tokentoss import AuthManager
from tokentoss.session.doubtful_tokens import doubts
from tokentoss.storage import own_storage


@needs_fork
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
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)

    def check() -> bool:
        doubts.note("x", 1)
        is_same = manager.id_token == token and manager.signed_in() == [manager]
        manager.sign_out()
        return is_same and not manager.is_authenticated

    try:
        assert_in_child(check)
    finally:
        done.set()
        holder.join()
    assert manager.is_authenticated
