"""What the tests of all hosts share: the fixtures of the end-to-end tests, and the table of results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.conftest import (  # noqa: F401
    FAILED,
    browser,
    context,
    foreign_names,
    iap_api,
    pytest_runtest_makereport,
)
from servers.fixtures import provider, running_provider  # noqa: F401
from servers.static_host import StaticHost

from hosts import table
from hosts.scan import Scan

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext
    from servers.provider import LocalProvider

CHROMIUM = "Chromium"
PROPERTY = "host_row"

Record = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run write what it saw into the documentation."""
    parser.addoption(
        "--write-host-table",
        action="store_true",
        help=f"write into the table in {table.DOCUMENT.name} what this run saw; one of all hosts replaces it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of tests that stand for a row of the table, and collect what they saw."""
    config.addinivalue_line("markers", "host(name, browser='Chromium'): the row of the table of hosts")
    config.pluginmanager.register(Rows(config), "host rows")


class Rows:
    """Collects rows on the side of the run that also gets the reports of parallel workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rows: list[table.Row] = []
        self._files: set[str] = set()
        self._kept_others = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row of a test that passed."""
        self._files.add(Path(report.fspath).name)
        if report.when == "teardown":
            self._rows += [table.Row(**row) for name, row in report.user_properties if name == PROPERTY]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the table, if asked to: anew after a whole run that passed, else only the rows it saw."""
        if not self._config.getoption("--write-host-table") or hasattr(self._config, "workerinput"):
            return
        if exitstatus == pytest.ExitCode.OK and host_files() <= self._files:
            table.write(self._rows)
        else:
            table.update(self._rows)
            self._kept_others = True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say that the table holds rows of other runs."""
        if self._kept_others:
            terminalreporter.write_line("The table of hosts keeps the rows that this run has not seen.")


def host_files() -> set[str]:
    """Names of the files that a whole run consists of."""
    return {path.name for path in Path(__file__).parent.glob("test_*.py")}


def case_of(item: pytest.Item) -> tuple[str, str, str] | None:
    """Host, browser and way that a test stands for."""
    marker = item.get_closest_marker("host")
    if marker is None:
        return None
    way = item.callspec.params["way"].name if hasattr(item, "callspec") else ""
    return marker.args[0], marker.kwargs.get("browser", CHROMIUM), way


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the cases of a whole run for the test that compares them with the documentation."""
    if host_files() <= {item.path.name for item in items}:
        config.stash[CASES] = {case for item in items if (case := case_of(item))}


CASES: pytest.StashKey[set[tuple[str, str, str]]] = pytest.StashKey()


@pytest.fixture
def page_elsewhere() -> Iterator[StaticHost]:
    """A web host with the callback page; its `origins` are those of the notebooks that it serves."""
    with StaticHost() as host:
        yield host


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Iterator[Record]:
    """Take the result of the test, and the time in milliseconds from the click, for the table."""
    case = case_of(request.node)
    assert case is not None, "a test that records a result names its host by @pytest.mark.host"
    seen: list[table.Row] = []

    def record(result: str, milliseconds: float | None = None) -> None:
        taken = "" if milliseconds is None else f"{milliseconds:.0f} ms"
        seen.append(table.Row(*case, result, taken))

    yield record
    if not request.node.stash.get(FAILED, False):
        (row,) = seen
        request.node.user_properties.append((PROPERTY, asdict(row)))


@pytest.fixture
def host_folder(tmp_path: Path) -> Path:
    """Where a test keeps all files of its host; modules whose tests share a host name another folder."""
    return tmp_path


@pytest.fixture
def scan(context: BrowserContext, provider: LocalProvider, host_folder: Path) -> Scan:  # noqa: F811
    """The leak scan of a host whose files are all below `host_folder`."""
    return Scan(context, provider, host_folder)
