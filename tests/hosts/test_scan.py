"""The leak scan of the hosts finds what is planted in each place that it searches."""

from __future__ import annotations

import secrets
from types import SimpleNamespace

import pytest
from e2e import leaks
from e2e.browser import local_context
from e2e.waiting import until
from servers.static_host import NOTEBOOK, StaticHost

from hosts.engines import ENGINES
from hosts.marimo import Marimo
from hosts.scan import LOG
from hosts.test_engines import left_behind
from hosts.voila import FONTS, Voila
from hosts.ways import Loopback

# What a kernel may give away, by the place where that shows.
IN_KERNEL = {
    f"file {LOG}": "logging.getLogger('planted').info('token: %s', {secret!r})",
    "messages to the page": "print({secret!r})\nimport ipywidgets\nplanted = ipywidgets.Label({secret!r})",
}
IN_PAGE = {
    "browser console": "secret => console.log('token: ' + secret)",
    "document of the page": "secret => document.body.append(Object.assign(new Image(), { alt: secret }))",
    "localStorage of the page": "secret => localStorage.setItem('token', secret)",
    "sessionStorage of the page": "secret => sessionStorage.setItem('token', secret)",
    "history of the page": "secret => history.pushState(null, '', '#' + secret)",
    "storage of all pages": "secret => { document.cookie = 'token=' + secret; }",
}
BROADCAST = "iopub of a second client"
TELL_HOST = "secret => fetch('/', { method: 'POST', body: secret }).then(() => null)"


@pytest.fixture
def context(browser):
    with local_context(browser, names={FONTS}) as context:
        yield context


def voila(folder, source, provider, iap_api):
    return Voila(folder, [f"{source}\ndisplay(planted, ipywidgets.Text())"])


def marimo(folder, source, provider, iap_api):
    return Marimo(folder, "run", f"{source}\n{Loopback().make_widget(provider)}", iap_api)


@pytest.mark.parametrize("serve", [voila, marimo], ids=lambda serve: serve.__name__)
def test_it_finds_what_is_planted(tmp_path, context, serve, provider, iap_api, scan):
    sentinels = {place: secrets.token_urlsafe(48) for place in (*IN_KERNEL, *IN_PAGE, "requests")}
    plants = "\n".join(code.format(secret=sentinels[place][:30]) for place, code in IN_KERNEL.items())
    with serve(tmp_path, scan.log_everything + plants, provider, iap_api) as server:
        page = context.new_page()
        page.goto(server.origin)
        planted = sentinels["messages to the page"][:30].encode()
        # Asking the page for something lets its events in.
        until(lambda: page.title() is not None and planted in scan.traffic.received, "the kernel's message")
        for place, script in IN_PAGE.items():
            page.evaluate(script, sentinels[place])
        page.evaluate(TELL_HOST, sentinels["requests"])
        if serve is voila:
            sentinels["messages to the kernel"] = secrets.token_urlsafe(48)
            page.locator("input[type=text]").fill(sentinels["messages to the kernel"])
            typed = sentinels["messages to the kernel"].encode()
            until(lambda: page.title() is not None and typed in scan.traffic.sent, "the page's message")
        places = scan.places(page) | scan.to_kernel(server.origin)
    for place, sentinel in sentinels.items():
        assert f"it in {place}" in leaks.find({"it": sentinel}, places), place


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_it_finds_what_another_engine_keeps(tmp_path, engine):
    kept = {place: script for place, script in IN_PAGE.items() if place in leaks.FRAMES}
    kept["cookies"] = IN_PAGE["storage of all pages"]
    sentinels = {place: secrets.token_urlsafe(48) for place in (*kept, f"file {LOG}", BROADCAST)}
    (tmp_path / LOG).write_text(sentinels[f"file {LOG}"])
    kernel = SimpleNamespace(frames=[sentinels[BROADCAST].encode()])
    with engine.start(tmp_path) as driver, StaticHost() as host:
        driver.get(host.origin + NOTEBOOK)
        for place, script in kept.items():
            driver.execute_script(f"({script})(arguments[0])", sentinels[place])
        places = left_behind(tmp_path, driver, kernel)
    for place, sentinel in sentinels.items():
        assert f"it in {place}" in leaks.find({"it": sentinel}, places), place
