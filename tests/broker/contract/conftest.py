from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from broker.running import PROGRAM
from contract_world import FakeWorld, RealWorld, World
from servers.fixtures import provider, running_provider
from servers.recording import RecordingServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


__all__ = ["provider", "running_provider", "service", "world"]


@pytest.fixture
def service() -> Iterator[RecordingServer]:
    """A service that calls may go through to, and that takes every token."""
    with RecordingServer(lambda _: Reply()) as service:
        yield service


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest, tmp_path: Path, service: RecordingServer) -> Iterator[World]:
    """A broker of either kind that nobody is connected to."""
    if request.param == "fake":
        made: World = FakeWorld(service)
    elif PROGRAM.exists():
        made = RealWorld(tmp_path, request.getfixturevalue("provider"), service)
    else:
        pytest.skip("cargo build -p tokentoss-broker makes the program")
    yield made
    made.close()
