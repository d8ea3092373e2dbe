"""A process that is forked while its threads are busy, as multiprocessing may do."""

from __future__ import annotations

import json
import os
import threading
from contextlib import ExitStack

import pytest
from servers.recording import RecordingServer, Reply
from tokentoss import IAPClient

from kernel.people import EXPIRED, refreshes, sign_in_aged

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
DEADLINE = 20


def in_child(action):
    """What an action returns in a forked process, as JSON."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            try:
                result = action()
            except Exception as failure:  # noqa: BLE001 - the parent reports it
                result = repr(failure)
            os.write(writer, json.dumps(result).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(said)


def held_for_ever(lock, ends):
    """A thread that has a lock whenever a process forks, and never gives it back there."""
    taken = threading.Event()

    def hold():
        with lock:
            taken.set()
            ends.wait(DEADLINE)

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(DEADLINE)
    return thread


def test_a_child_of_a_process_that_renews_gets_its_own_turn(provider, tmp_path):
    """A child forked during a renewal waits for it and shares its result."""
    manager = sign_in_aged(provider, tmp_path / "tokens.json", EXPIRED)
    provider.change(token_hold=True)
    renewing = threading.Thread(target=lambda: manager.id_token)
    renewing.start()
    while not refreshes(provider):
        assert renewing.is_alive()

    def renewed():
        provider.change(token_hold=False)
        return [manager.id_token, manager.token_data.access_token]

    said = in_child(renewed)

    renewing.join()
    assert said == [manager.id_token, manager.token_data.access_token]
    assert refreshes(provider) == 1


def test_no_lock_of_another_thread_is_held_in_a_child(provider, tmp_path):
    """Locks that the parent's threads hold are free in a forked child."""
    manager = sign_in_aged(provider, tmp_path / "tokens.json", EXPIRED)
    holder = manager._store
    locks = {
        "turn": manager._renewal._turn,
        "session": holder._lock,
        "storage": holder.storage._lock,
        "managers": type(manager)._live._lock,
        "observers": manager._observers._lock,
    }
    ends = threading.Event()
    threads = [held_for_ever(lock, ends) for lock in locks.values()]
    try:
        said = in_child(lambda: [manager.id_token, manager.sign_out().removed])
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    assert said[0].count(".") == 2, said
    assert said[1] is True


def test_a_child_has_connections_of_its_own(provider, tmp_path):
    """A forked child does not use its parent's connections."""
    manager = sign_in_aged(provider, tmp_path / "tokens.json", 0)
    with ExitStack() as stack:
        server = stack.enter_context(RecordingServer(lambda request: Reply.json({"path": request.path})))
        client = stack.enter_context(IAPClient(server.origin(), auth_manager=manager))
        assert client.get_json("/parent") == {"path": "/parent"}
        pool = client._session

        same_pool, answer = in_child(lambda: [client._session is pool, client.get_json("/child")])

        assert answer == {"path": "/child"}
        assert not same_pool
        assert client._session is pool, "the parent keeps its own"
        assert client.get_json("/parent") == {"path": "/parent"}
