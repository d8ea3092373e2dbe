"""One driver, with its browser, for all modules of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .run import Drive, running_driver


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    """Drive the built product; the driver's log is shown where it did not work."""
    log = tmp_path_factory.mktemp("driver") / "driver.log"
    log.touch()
    with running_driver(log) as drive:
        yield drive
    text = log.read_text()
    if text:
        print(text)
