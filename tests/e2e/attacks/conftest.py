"""Pages of other origins than the kernel's own Jupyter server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers.static_host import StaticHost

from e2e import kernel_messages
from e2e.browser import local_context, resolving, start
from e2e.jupyterlab import JupyterLab
from e2e.kernel_versions import add_kernels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

NAME = "notebooks.test"


@pytest.fixture
def elsewhere() -> Iterator[StaticHost]:
    """A web host that has nothing to do with notebooks."""
    with StaticHost() as host:
        yield host


@pytest.fixture(scope="session")
def named_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """JupyterLab that the browser reaches under a name of which the server knows nothing."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    with JupyterLab(folder, options=["--ServerApp.allow_remote_access=True"]) as lab:
        add_kernels(lab)
        lab.origin = f"http://{NAME}:{lab.port}"
        yield lab


@pytest.fixture(scope="session")
def naming_browser(browser: Browser) -> Iterator[Browser]:
    """Chromium that finds this machine under that name."""
    named = start(browser.browser_type, flags=resolving(f"MAP {NAME} 127.0.0.1"))
    yield named
    named.close()


@pytest.fixture
def named_context(naming_browser: Browser) -> Iterator[BrowserContext]:
    """A fresh context of that browser."""
    with local_context(naming_browser, names={NAME}) as context:
        kernel_messages.record(context)
        yield context
