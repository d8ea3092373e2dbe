"""Callers that need a refresh at once share one token request, and keep the session (C63)."""

from __future__ import annotations

import pytest
from tokentoss import FileStorage

from kernel import herd
from kernel.people import DUE, EXPIRED, manager_at, refreshes, sign_in_aged


def results(reports):
    return {(report.id_token, report.refresh_token) for report in reports}


def stored_result(path):
    tokens = FileStorage(path).load()
    return herd.short_hash(tokens.id_token), herd.short_hash(tokens.refresh_token)


@pytest.mark.parametrize(("processes", "threads"), [(1, 64), (64, 1), (8, 8), (64, 4)])
@pytest.mark.parametrize("rotate", [True, False], ids=["rotating", "not rotating"])
def test_one_request_for_all(provider, tmp_path, processes, threads, rotate):
    provider.change(rotate=rotate)
    path = tmp_path / "folder" / "tokens.json"
    bystander = sign_in_aged(provider, path, EXPIRED)
    reports = herd.run(provider, path, processes=processes, threads=threads)
    assert [report for report in reports if report.error] == []
    assert len({report.pid for report in reports}) == processes
    assert results(reports) == {stored_result(path)}
    assert refreshes(provider) == 1
    assert herd.short_hash(bystander.id_token) == stored_result(path)[0]
    assert refreshes(provider) == 1, "who was not there takes what it finds"


@pytest.mark.parametrize(("processes", "threads"), [(1, 64), (64, 1), (8, 8)])
def test_tokens_that_are_still_valid_are_renewed_by_one_and_used_by_the_others(
    provider, tmp_path, processes, threads
):
    path = tmp_path / "tokens.json"
    sign_in_aged(provider, path, DUE)
    before = stored_result(path)
    reports = herd.run(provider, path, processes=processes, threads=threads)
    assert [report for report in reports if report.error] == []
    assert stored_result(path) != before
    assert results(reports) <= {before, stored_result(path)}
    assert refreshes(provider) == 1


def test_one_request_for_all_who_ask_for_it_by_hand(provider, tmp_path):
    path = tmp_path / "tokens.json"
    sign_in_aged(provider, path)
    reports = herd.run(provider, path, processes=64, rounds=("use", "refresh"))
    assert [report for report in reports if report.error] == []
    for name in ("use", "refresh"):
        assert len(results(one for one in reports if one.round == name)) == 1
    assert refreshes(provider) == 2


def test_a_herd_keeps_its_session_for_later(provider, tmp_path):
    """After a race of many processes, a new one can still refresh."""
    path = tmp_path / "tokens.json"
    sign_in_aged(provider, path)
    herd.run(provider, path, processes=16)
    newcomer = manager_at(provider, storage=FileStorage(path))
    before = newcomer.token_data.access_token
    assert newcomer.refresh_tokens().access_token != before
    assert refreshes(provider) == 2
