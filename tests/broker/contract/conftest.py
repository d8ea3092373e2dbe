from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from contract_world import FakeWorld, RealWorld, World

BINARY = "TOKENTOSS_BROKER_BINARY"
"""Environment variable with the path of the broker's program, which the contract is tested against, too."""


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A broker of either kind, with a provider that the test has in its hands."""
    if request.param == "fake":
        made: World = FakeWorld()
    elif os.environ.get(BINARY):
        made = RealWorld(os.environ[BINARY])
    else:
        pytest.skip(f"{BINARY} names no broker")
    yield made
    made.close()
