"""One JupyterLab, one provider and one Chromium per session; a fresh browser context and kernel per test.

Tests that neither look at what a page or browser keeps nor change their context may share one context, and in
it one loaded page of JupyterLab: they are marked by `kept_page`.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from playwright.sync_api import Error as PageError
from servers.fixtures import provider, running_provider
from servers.iap_api import IapLikeApi
from servers.ports import free_port

from e2e import kernel_messages
from e2e.browser import launch, local_context, resolving, start
from e2e.jupyterlab import JupyterLab
from e2e.kept_page import KeptPage
from e2e.kernel_versions import add_kernels
from e2e.notebook import Notebook

if TYPE_CHECKING:
    from pathlib import Path

    from servers.provider import LocalProvider

__all__ = ["provider", "running_provider"]

OpenNotebook = Callable[..., Notebook]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium with its popup blocker on."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def unreachable_port() -> int:
    """A port that a kernel can listen on, while nobody listens there on the machine of `far_browser`."""
    return free_port()


@pytest.fixture(scope="session")
def far_browser(browser: Browser, unreachable_port: int) -> Iterator[Browser]:
    """Chromium as on another machine than the kernel's, as far as that port goes."""
    far = start(browser.browser_type, flags=resolving(f"MAP 127.0.0.1:{unreachable_port} ~NOTFOUND"))
    yield far
    far.close()


@pytest.fixture(scope="session")
def iap_api(running_provider: LocalProvider) -> Iterator[IapLikeApi]:
    """The API behind the IAP-like proxy, open to every client and to everyone but Mallory."""
    clients = (running_provider.public, running_provider.confidential, running_provider.device)
    audiences = [client.client_id for client in clients]
    allowed = ("ada@example.com", "grace@example.com")
    with IapLikeApi(running_provider.issuer, audiences=audiences, allowed_users=allowed) as api:
        yield api


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """JupyterLab with a kernel for each version of ipykernel."""
    with JupyterLab(tmp_path_factory.mktemp("jupyterlab")) as lab:
        add_kernels(lab)
        yield lab


@pytest.fixture
def place(lab: JupyterLab) -> Iterator[Path]:
    """Where the client is stored; there is none at the start, and other tests do not see it."""
    path = lab.home / ".config" / "tokentoss" / "client_secrets.json"
    shutil.rmtree(path.parent, ignore_errors=True)
    yield path
    shutil.rmtree(path.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def kept_page(browser: Browser) -> Iterator[KeptPage]:
    """The page that marked tests share."""
    with KeptPage(browser) as kept:
        yield kept


@pytest.fixture(scope="session")
def far_kept_page(far_browser: Browser) -> Iterator[KeptPage]:
    """The same in that browser; `kept_page` of the tests with it."""
    with KeptPage(far_browser) as kept:
        yield kept


@pytest.fixture
def foreign_names() -> Collection[str]:
    """Hosts off this machine that a module's pages ask for; the resolver leads them nowhere."""
    return ()


@pytest.fixture
def context(
    browser: Browser, request: pytest.FixtureRequest, tmp_path: Path, foreign_names: Collection[str]
) -> Iterator[BrowserContext]:
    """A fresh browser context, which fails the test if a page asks for anything off this machine.

    With the mark `kept_page`, that of the tests before, cleared of what they left there.
    """
    kept: KeptPage | None = request.getfixturevalue("kept_page") if shares_page(request) else None
    with kept.lend() if kept else fresh_context(browser, foreign_names) as context:
        yield context
        if request.node.stash.get(FAILED, False):
            for number, page in enumerate(context.pages):
                page.screenshot(path=tmp_path / f"page-{number}.png")
            request.node.add_report_section("teardown", "screenshots", f"pages as they were: {tmp_path}")
            if kept:
                kept.stop()


@contextmanager
def fresh_context(browser: Browser, names: Collection[str] = ()) -> Iterator[BrowserContext]:
    """A browser context of its own, whose pages count their kernel messages; `names` as for `only_local`."""
    with local_context(browser, names=names) as context:
        kernel_messages.record(context)
        yield context


def shares_page(request: pytest.FixtureRequest) -> bool:
    """Whether a test is marked for the page that is kept."""
    return request.node.get_closest_marker("kept_page") is not None


@pytest.fixture
def open_notebook(
    lab: JupyterLab, context: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Open notebooks with the given cells; their kernels end with the test."""
    numbers = itertools.count()
    kept: KeptPage | None = request.getfixturevalue("kept_page") if shares_page(request) else None

    opened: list[Notebook] = []

    with ExitStack() as notebooks:

        def open_notebook(*cells: str, kernel: str = "python3") -> Notebook:
            name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
            number = next(numbers)
            path = lab.write_notebook(f"{name}-{number}.ipynb", list(cells), kernel=kernel)
            # Only one notebook of a test is in that page.
            if not kept or number:
                opened.append(notebooks.enter_context(Notebook(context, lab, path)))
                return opened[-1]
            notebook = notebooks.enter_context(Notebook(context, lab, path, page=kept.page))
            opened.append(notebook)
            if kept.page is None:
                kept.keep(notebook.page)
            notebooks.callback(kept.close_documents)
            return notebook

        yield open_notebook
        if request.node.stash.get(FAILED, False):
            for notebook in opened:
                with suppress(PageError):
                    request.node.add_report_section("teardown", "notebook", notebook.state())


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark of tests that share a page."""
    config.addinivalue_line(
        "markers", "kept_page: in the page of JupyterLab that other tests have used, which saves its loading"
    )


FAILED: pytest.StashKey[bool] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a failure, so that the fixtures can keep evidence of it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report
