"""The built gallery, and a page of it for each widget and theme."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.conftest import browser  # noqa: F401
from playwright.sync_api import Browser

from looks.sheet import ROOT, Sheet, open_sheet


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run keep what it sees."""
    parser.addoption(
        "--renew-pictures",
        action="store_true",
        help="keep pictures of the widgets as they look now, in place of those that are kept",
    )


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built gallery."""
    built = subprocess.run(
        ["node", ROOT / "widget-esm" / "gallery" / "build.mjs", tmp_path_factory.mktemp("gallery")],
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(built.stdout.strip()).parent


@pytest.fixture(scope="module")
def sheet(request: pytest.FixtureRequest, browser: Browser, gallery: Path) -> Iterator[Sheet]:  # noqa: F811
    """The page of a widget in a look."""
    widget, look = request.param
    with open_sheet(browser, gallery, widget, look) as sheet:
        yield sheet
