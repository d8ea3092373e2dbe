"""Processes that are killed at any line, and others that go on with what is left."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from e2e.waiting import until
from tokentoss import FileStorage, TokenRefreshError
from tokentoss.exceptions import ReauthRequiredError

from kernel import herd, kill_at_each_line
from kernel.people import manager_at, refreshes, sign_in_aged

# "Not more than a few seconds", with room for a machine that is busy with other tests.
A_FEW_SECONDS = 10


@pytest.mark.parametrize("action", ["write", "first write"])
def test_a_write_that_dies_at_any_line_leaves_old_or_new(tmp_path, action):
    """A write killed at any line leaves the state before it or the new tokens, kept private (C62, C69)."""
    died_at = kill_at_each_line.deaths(action, tmp_path / "folder" / "tokens.json")
    files = {where.split(":")[0] for where in died_at}
    assert {"storage/file.py", "util/private_file.py"} <= files
    assert len(died_at) > 30


def test_a_refresh_that_dies_at_any_line_loses_no_session(provider, tmp_path):
    """After a refresh killed at any line, the next process renews (C62, C63)."""
    provider.change(rotate=False)
    path = tmp_path / "tokens.json"
    sign_in_aged(provider, path)
    died_at = kill_at_each_line.deaths("refresh", path, provider, stride=7)
    files = {where.split(":")[0] for where in died_at}
    assert {"session/auth_manager.py", "oauth/token_endpoint.py", "util/private_file.py"} <= files


OWNER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from tokentoss import AuthManager, ClientConfig, FileStorage, Provider
issuer, client_id, path = sys.argv[1:]
manager = AuthManager(ClientConfig(client_id), storage=FileStorage(path), provider=Provider.discover(issuer))
manager.refresh_tokens()
"""


@pytest.mark.parametrize("rotate", [True, False], ids=["rotating", "not rotating"])
def test_a_dead_lock_owner_does_not_block_the_others(provider, tmp_path, rotate):
    """A process killed during its token request releases its locks at once (C63)."""
    provider.change(rotate=rotate)
    path = tmp_path / "tokens.json"
    bystander = sign_in_aged(provider, path)
    provider.change(token_hold=True)
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, provider.issuer, provider.public.client_id, str(path)],
        env=os.environ | {"PYTHONPATH": str(herd.ROOT / "python")},
    )
    until(lambda: refreshes(provider) == 1, "the owner's token request")
    with ThreadPoolExecutor() as pool:
        herd_of_others = pool.submit(herd.run, provider, path, processes=4)
        other_thread = pool.submit(lambda: bystander.id_token)
        try:
            assert refreshes(provider) == 1, "the others wait for the owner"
        finally:
            owner.kill()
            owner.wait()
            provider.change(token_hold=False)
        reports = herd_of_others.result(A_FEW_SECONDS)
        token = other_thread.result(A_FEW_SECONDS)
    assert [report.error for report in reports] == [""] * 4
    assert {report.id_token for report in reports} == {herd.short_hash(token)}
    assert refreshes(provider) == 2


def test_an_answer_lost_after_rotation_ends_in_words(provider, tmp_path):
    """A lost answer after a rotation ends the session with one further request (C65)."""
    path = tmp_path / "tokens.json"
    manager = sign_in_aged(provider, path)
    newcomer = manager_at(provider, storage=FileStorage(path))
    provider.change(token_answer_lost=True)
    with pytest.raises(TokenRefreshError) as lost:
        manager.refresh_tokens()
    assert lost.value.code == "answer_incomplete"
    assert manager.is_authenticated, "a lost answer says nothing of the session"
    provider.change(token_answer_lost=False)
    provider.forget_requests()
    with pytest.raises(ReauthRequiredError) as ended:
        newcomer.refresh_tokens()
    assert ended.value.code == "invalid_grant"
    assert FileStorage(path).load() is None
    for one in (newcomer, manager):
        with pytest.raises(TokenRefreshError):
            one.refresh_tokens()
        assert not one.is_authenticated
        assert one.id_token is None
    assert refreshes(provider) == 1
