"""Every row of the documented table of hosts has a test, and every test a row."""

from __future__ import annotations

import pytest

from hosts import table
from hosts.conftest import CASES


def test_each_row_has_a_test_and_each_test_a_row(request):
    if request.config.getoption("--write-host-table"):
        pytest.skip("this run writes the table")
    if CASES not in request.config.stash:
        pytest.skip("only a run of all of tests/hosts knows every row")
    tested = request.config.stash[CASES]
    documented = {row.case for row in table.read()}
    assert documented - tested == set(), "rows without a test: run `pytest tests/hosts --write-host-table`"
    assert tested - documented == set(), "tests without a row: run `pytest tests/hosts --write-host-table`"


def test_a_run_of_some_hosts_keeps_the_rows_of_the_others():
    before = [table.Row("A", "B", "way", "signed in", "12 ms"), table.Row("A", "B", "other", "signed in")]
    seen = [table.Row("A", "B", "way", "signed in", "9 ms"), table.Row("C", "B", "way", "signed in", "1 ms")]
    assert table.merged(before, seen) == [seen[0], before[1], seen[1]]


def test_what_is_written_is_read_again():
    rows = [table.Row("Host", "Browser", "way", "signed in", "12 ms"), table.Row("A", "B", "", "a sentence")]
    assert table.parse(table.render(rows)) == sorted(rows)
