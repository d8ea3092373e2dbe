"""The page that tests share carries nothing over from one test to the next."""

from __future__ import annotations

import pytest

from e2e.browser import ForeignRequestError
from e2e.kept_page import KeptPage
from e2e.notebook import Notebook

PERMISSION = "() => navigator.permissions.query({ name: 'clipboard-read' }).then(({ state }) => state)"
KEEP_SOMETHING = """async () => {
    localStorage.setItem('left', 'by a test');
    sessionStorage.setItem('left', 'by a test');
    document.cookie = 'left=behind';
    await caches.open('left');
    await new Promise((done) => { indexedDB.open('left').onsuccess = done; });
}"""
KEPT = """async () => [
    localStorage.length,
    sessionStorage.length,
    document.cookie.includes('left'),
    (await caches.keys()).length,
    (await indexedDB.databases()).length,
]"""


@pytest.fixture
def kept(browser):
    with KeptPage(browser) as kept:
        yield kept


@pytest.fixture
def use(lab, kept):
    """Use the page as a test does; `leave` is what it does there besides."""

    def use(name, leave):
        with kept.lend() as context:
            path = lab.write_notebook(f"{name}.ipynb", ["1"])
            with Notebook(context, lab, path, page=kept.page) as notebook:
                if kept.page is None:
                    kept.keep(notebook.page)
                leave(context, notebook.page)
                kept.close_documents()

    return use


def test_what_a_test_leaves_is_cleared(use, kept):
    def leave(context, page):
        seen.append(page)
        before.extend((page.evaluate(PERMISSION), context.cookies()))
        page.evaluate(KEEP_SOMETHING)
        context.grant_permissions(["clipboard-read"])
        context.route("**/api/me*", lambda route: route.abort())
        context.new_page()

    def look(context, page):
        assert context.pages == [page] == seen
        assert page.evaluate(KEPT) == [0, 0, False, 0, 0]
        assert [page.evaluate(PERMISSION), context.cookies()] == before
        assert page.evaluate("() => fetch('/api/me').then(({ status }) => status)") == 200
        assert (
            page.evaluate("() => [...jupyterapp.shell.widgets('main')].filter((one) => one.context).length")
            == 1
        )

    seen, before = [], []
    use("first", leave)
    use("second", look)


def test_a_page_in_another_state_is_given_up(use, kept):
    def ask(_context, page):
        page.evaluate("() => { void jupyterapp.commands.execute('help:about'); }")
        page.locator(".jp-Dialog").wait_for()

    def ask_elsewhere(_context, page):
        page.evaluate("() => fetch('http://elsewhere.example/').catch(() => {})")

    use("dialog", ask)
    assert kept.page is None
    with pytest.raises(ForeignRequestError):
        use("elsewhere", ask_elsewhere)
    assert kept.page is None
