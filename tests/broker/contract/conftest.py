from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from broker.running import PROGRAM
from contract_world import FakeWorld, RealWorld, World
from servers.fixtures import provider, running_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


__all__ = ["provider", "running_provider", "world"]


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A broker of either kind that nobody is connected to."""
    if request.param == "fake":
        made: World = FakeWorld()
    elif PROGRAM.exists():
        made = RealWorld(tmp_path, request.getfixturevalue("provider"))
    else:
        pytest.skip("cargo build -p tokentoss-broker makes the program")
    yield made
    made.close()
