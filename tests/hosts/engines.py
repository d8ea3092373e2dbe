"""Browsers with other engines than Chromium, kept on this machine, with their popup blockers on."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.waiting import PATIENCE_SECONDS
from selenium import webdriver
from selenium.webdriver.firefox.service import Service as GeckoService
from selenium.webdriver.webkitgtk.service import Service as WebKitService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from selenium.webdriver.remote.webdriver import WebDriver

TARGET = Path(__file__).resolve().parents[2] / "target"
# Nobody listens there, so what is not on this machine is not found.
NOWHERE = "127.0.0.1"
NOWHERE_PORT = 9
FIREFOX_PREFERENCES = {
    # WebDriver switches the popup blocker off.
    "dom.disable_open_during_load": True,
    "network.proxy.type": 1,
    "network.proxy.http": NOWHERE,
    "network.proxy.http_port": NOWHERE_PORT,
    "network.proxy.ssl": NOWHERE,
    "network.proxy.ssl_port": NOWHERE_PORT,
    "network.proxy.no_proxies_on": "localhost, 127.0.0.1",
}
SCREEN = "1100x800x24"


@dataclass(frozen=True)
class Engine:
    """A browser under the name that the table has for it; `start` yields it with a new, empty profile."""

    name: str
    start: Callable[[Path], AbstractContextManager[WebDriver]]


@contextmanager
def firefox(folder: Path) -> Iterator[WebDriver]:
    """Firefox ESR without a screen."""
    browser = _find("Firefox ESR", "firefox-esr", "on Debian: apt-get install firefox-esr")
    driver = _find(
        "geckodriver",
        "geckodriver",
        "cargo install geckodriver --locked --root target/geckodriver",
        TARGET / "geckodriver" / "bin" / "geckodriver",
    )
    options = webdriver.FirefoxOptions()
    options.binary_location = browser
    options.add_argument("-headless")
    for name, value in FIREFOX_PREFERENCES.items():
        options.set_preference(name, value)
    home = folder / "firefox-home"
    home.mkdir()
    service = GeckoService(
        driver,
        log_output=str(folder / "geckodriver.log"),
        env={**os.environ, "HOME": str(home), "MOZ_CRASHREPORTER_DISABLE": "1"},
    )
    with _session(webdriver.Firefox(options=options, service=service)) as session:
        yield session


@contextmanager
def webkit(folder: Path) -> Iterator[WebDriver]:
    """WebKitGTK's small browser on a virtual screen."""
    driver = _find("WebKitWebDriver", "WebKitWebDriver", "on Debian: apt-get install webkit2gtk-driver")
    screen = _find("Xvfb", "Xvfb", "on Debian: apt-get install xvfb")
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    if not browsers:
        pytest.skip("WebKitGTK's MiniBrowser is missing: on Debian: apt-get install webkit2gtk-driver")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(browsers[-1])
    options.add_argument("--automation")
    home = folder / "webkit-home"
    home.mkdir()
    with _display(screen) as display:
        proxy = f"http://{NOWHERE}:{NOWHERE_PORT}"
        environment = {
            **os.environ,
            "HOME": str(home),
            "DISPLAY": display,
            "GDK_BACKEND": "x11",
            "http_proxy": proxy,
            "https_proxy": proxy,
            "no_proxy": "localhost,127.0.0.1",
            "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
        }
        service = WebKitService(driver, log_output=str(folder / "webkit.log"), env=environment)
        with _session(webdriver.WebKitGTK(options=options, service=service)) as session:
            yield session


@contextmanager
def _session(session: WebDriver) -> Iterator[WebDriver]:
    session.set_script_timeout(PATIENCE_SECONDS)
    session.set_page_load_timeout(PATIENCE_SECONDS)
    try:
        yield session
    finally:
        session.quit()


@contextmanager
def _display(xvfb: str) -> Iterator[str]:
    """A virtual screen that chooses its number itself."""
    reading, writing = os.pipe()
    command = [xvfb, "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as numbers:
        number = numbers.readline().strip()
    try:
        yield f":{number}"
    finally:
        process.terminate()
        process.wait()


def _find(name: str, command: str, how: str, otherwise: Path | None = None) -> str:
    """Path of a program; the test is skipped where it is not installed."""
    if otherwise is not None and otherwise.exists():
        return str(otherwise)
    path = shutil.which(command)
    if path is None:
        pytest.skip(f"{name} is missing: {how}")
    return path


ENGINES = (Engine("Firefox ESR", firefox), Engine("WebKitGTK", webkit))
