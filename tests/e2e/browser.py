"""Chromium as Debian ships it, driven by Playwright, kept on this machine and with its popup blocker on."""

from __future__ import annotations

import ipaddress
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import expect

from .waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from playwright.sync_api import Browser, BrowserContext, BrowserType, Playwright, Request

# Five seconds otherwise, which a busy machine takes now and then.
expect.set_options(timeout=PATIENCE_SECONDS * 1000)

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
RESOLVER = "--host-resolver-rules="
# The same rules as in FLAGS, for those who put further ones before them: an exclusion would undo those.
LOCAL_NAMES = "MAP 127.0.0.1 127.0.0.1, MAP localhost 127.0.0.1, MAP * ~NOTFOUND"
# Each window would load pages of Chromium's own for its address bar, which cost as much as a small site.
ADDRESS_BAR_PAGES = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
# Of two such lists Chromium takes the last, so this one also names what Playwright switches off.
FEATURES_OFF = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    *ADDRESS_BAR_PAGES,
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(FEATURES_OFF)}",
    f"{RESOLVER}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
# Playwright switches the popup blocker off; a sign-in by popup is tested with it on.
UNWANTED_DEFAULTS = ("--disable-popup-blocking",)
LOCAL_SCHEMES = {"data", "blob", "about", "chrome-error"}


class BrowserMissingError(RuntimeError):
    """No Chromium on PATH."""


class ForeignRequestError(AssertionError):
    """A page asked for something that is not on this machine."""


def chromium_path() -> str:
    """Path of an installed Chromium or Chrome."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    message = f"none of {', '.join(NAMES)} is on PATH; on Debian: apt-get install chromium"
    raise BrowserMissingError(message)


def resolving(*rules: str) -> list[str]:
    """FLAGS with rules for the resolver before those that keep everything on this machine."""
    return [*FLAGS, f"{RESOLVER}{', '.join((*rules, LOCAL_NAMES))}"]


def launch(playwright: Playwright, *, headless: bool = True, flags: Sequence[str] = ()) -> Browser:
    """Start Chromium with a new, empty profile, and on request with more flags."""
    return start(playwright.chromium, headless=headless, flags=[*FLAGS, *flags])


def start(chromium: BrowserType, *, headless: bool = True, flags: Sequence[str] = FLAGS) -> Browser:
    """The same, where Playwright runs already, and with other flags."""
    return chromium.launch(
        executable_path=chromium_path(),
        headless=headless,
        args=list(flags),
        ignore_default_args=list(UNWANTED_DEFAULTS),
    )


def is_local(url: str, names: Collection[str] = ()) -> bool:
    """Whether a request stays on this machine, as one to the `names` does, too."""
    parts = urlsplit(url)
    if parts.scheme in LOCAL_SCHEMES:
        return True
    host = parts.hostname or ""
    if host == "localhost" or host in names:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def only_local(context: BrowserContext, names: Collection[str] = ()) -> Iterator[None]:
    """Fail in the end if a page of the context asked for anything that is not on this machine.

    `names` are further hosts that pages may ask for: the browser's resolver leads them here, or nowhere.
    """
    foreign: list[str] = []

    def note(request: Request) -> None:
        if not is_local(request.url, names):
            foreign.append(f"{request.method} {request.url}")

    context.on("request", note)
    yield
    context.remove_listener("request", note)
    if foreign:
        raise ForeignRequestError("\n".join(foreign))


@contextmanager
def local_context(
    browser: Browser, *, names: Collection[str] = (), **options: object
) -> Iterator[BrowserContext]:
    """Yield a fresh browser context; fails in the end if one of its pages asked for anything elsewhere.

    `names` are as for `only_local`.
    """
    context = browser.new_context(viewport={"width": 1100, "height": 800}, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    with only_local(context, names):
        try:
            yield context
        finally:
            context.close()
