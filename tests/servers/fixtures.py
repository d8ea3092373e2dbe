"""The provider that the suites share: one process a session, plain at the start of each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from servers.provider import LocalProvider

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProvider]:
    """The provider's process; tests use `provider`."""
    with LocalProvider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def provider(running_provider: LocalProvider) -> Iterator[LocalProvider]:
    """The provider, plain at the start of each test."""
    running_provider.reset()
    yield running_provider
    running_provider.reset()
