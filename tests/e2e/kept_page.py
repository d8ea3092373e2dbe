"""JupyterLab's page, loaded once for many tests: loading it costs more than most tests do in it.

A test leaves neither document, cookie, storage, permission nor further window behind. A page that it left in
another state than that is given up, with its browser context, and so is one after a failure.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import Error
from servers.stoppable import Stoppable

from . import kernel_messages
from .browser import local_context, only_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Request

# What JupyterLab itself keeps of closed documents grows slowly.
USES = 30

# Disposed, a document asks nothing, and its kernel can end without a word of the page.
CLOSE_DOCUMENTS = """() => {
    for (const document of [...window.jupyterapp.shell.widgets('main')]) {
        if (document.context) document.dispose();
    }
}"""
# All that an origin keeps, without its cookies.
STORAGE = "file_systems,indexeddb,local_storage,service_workers,cache_storage,interest_groups,shared_storage"
CLEAR_STORAGE = "() => { sessionStorage.clear(); localStorage.clear(); }"
IS_TIDY = """() =>
    ![...window.jupyterapp.shell.widgets('main')].some(({ context }) => context) &&
    !document.querySelector('.jp-Dialog, .Toastify__toast, .tokentoss')"""


class KeptPage(Stoppable):
    """Lends a browser context to one test after the other, and in it the page where JupyterLab is loaded.

    `prepare` is called with each new context, before its first page.
    """

    def __init__(
        self, browser: Browser, *, prepare: Callable[[BrowserContext], object] | None = None
    ) -> None:
        self._browser = browser
        self._prepare = prepare
        self._closing = ExitStack()
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self._cookies: list[Any] = []
        self._uses = 0

    def stop(self) -> None:
        """Close the page and its context."""
        self._context = self._page = None
        self._uses = 0
        self._closing.close()

    @contextmanager
    def lend(self) -> Iterator[BrowserContext]:
        """Yield the context for one test; one that calls `stop` has the next begin with another."""
        if self._context is None:
            self._context = self._closing.enter_context(local_context(self._browser))
            kernel_messages.record(self._context)
            if self._prepare:
                self._prepare(self._context)
        context, origins = self._context, set[str]()

        def note(request: Request) -> None:
            parts = urlsplit(request.url)
            origins.add(f"{parts.scheme}://{parts.netloc}")

        context.on("request", note)
        self._uses += 1
        try:
            with only_local(context):
                yield context
            if self._context is None:
                return
            context.remove_listener("request", note)
            tidy = self._tidy(context, origins)
        except Error:
            tidy = False
        except BaseException:
            self.stop()
            raise
        if not tidy or self._uses >= USES:
            self.stop()

    @property
    def page(self) -> Page | None:
        """The page with JupyterLab in it, once a test has loaded one."""
        return self._page

    def keep(self, page: Page) -> None:
        """Keep this page, in which JupyterLab has just been loaded."""
        assert self._context is not None
        self._page = page
        self._cookies = [*self._context.cookies()]

    def close_documents(self) -> None:
        """Close what is open in the page; to be done before their kernels end."""
        try:
            if self._page is not None:
                self._page.evaluate(CLOSE_DOCUMENTS)
        except Error:
            self.stop()

    def _tidy(self, context: BrowserContext, origins: set[str]) -> bool:
        page = self._page
        if page is None or page.is_closed():
            return False
        for other in context.pages:
            if other is not page:
                other.close()
        for routed in (context, page):
            routed.unroute_all(behavior="ignoreErrors")
        context.clear_permissions()
        session = context.new_cdp_session(page)
        for origin in origins:
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": STORAGE})
        session.detach()
        page.evaluate(CLEAR_STORAGE)
        self._restore_cookies(context)
        page.mouse.move(0, 0)
        return bool(page.evaluate(IS_TIDY))

    def _restore_cookies(self, context: BrowserContext) -> None:
        # Never without its own cookies: JupyterLab's next request would be given another user's name.
        kept = {_identity(cookie) for cookie in self._cookies}
        for cookie in context.cookies():
            if _identity(cookie) not in kept:
                name, domain, path = _identity(cookie)
                context.clear_cookies(name=name, domain=domain, path=path)
        context.add_cookies(self._cookies)


def _identity(cookie: Any) -> tuple[str, str, str]:
    """Return what tells a cookie from others (RFC 6265, section 5.3)."""
    return cookie["name"], cookie["domain"], cookie["path"]
