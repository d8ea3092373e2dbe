"""The archives, built once a session as `npm run package` builds them, and the providers to sign in at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import archives
import pytest
from fake_provider import FakeProvider, SigningKey
from servers.fixtures import provider, running_provider

from packages.built import Built

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["provider", "running_provider"]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Wheel, source archive and bill of materials: those in TOKENTOSS_DIST, or made here and now."""
    made = os.environ.get("TOKENTOSS_DIST")
    if made:
        endings = ("tokentoss-*.whl", "tokentoss-*.tar.gz", "tokentoss-*.cdx.json")
        return Built(*(next(Path(made).resolve().glob(ending)) for ending in endings))
    return Built(*archives.build(tmp_path_factory.mktemp("archives")))


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    """A provider whose tokens a test makes."""
    provider = FakeProvider(SigningKey("key-1"))
    yield provider
    provider.close()
