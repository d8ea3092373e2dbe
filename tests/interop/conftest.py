"""One JupyterLab and one Chromium for all, and each provider for the tests with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.conftest import (
    browser,
    context,
    foreign_names,
    kept_page,
    open_notebook,
    pytest_configure,
    pytest_runtest_makereport,
)
from e2e.jupyterlab import JupyterLab
from servers.iap_api import IapLikeApi

from interop.parties import PARTIES, Party

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "browser",
    "context",
    "foreign_names",
    "kept_page",
    "open_notebook",
    "pytest_configure",
    "pytest_runtest_makereport",
]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """JupyterLab with the kernel of the environment."""
    with JupyterLab(tmp_path_factory.mktemp("jupyterlab")) as lab:
        yield lab


@pytest.fixture(scope="session", params=list(PARTIES))
def party(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Party]:
    """Each provider in turn."""
    with PARTIES[request.param](tmp_path_factory.mktemp(request.param)) as party:
        yield party


@pytest.fixture(scope="session")
def api(party: Party) -> Iterator[IapLikeApi]:
    """The API behind the IAP-like proxy, which checks ID tokens with a library of its own."""
    with IapLikeApi(party.issuer, audiences=(party.client_id,)) as api:
        yield api
