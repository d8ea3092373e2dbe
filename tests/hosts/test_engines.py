"""JupyterLab in Firefox and WebKit: a whole sign-in by popup, and one whose popup loses its opener."""

from __future__ import annotations

import contextlib
import time

import pytest
from e2e import cells, leaks
from e2e.jupyterlab import WIDGET_MANAGER, JupyterLab, sends
from e2e.kernel import KernelClient
from e2e.notebook import KERNEL, PANEL, READY
from e2e.popup import CONSENT_FORM, LOGIN_FIELD, PASSWORD_FIELD, SUBMIT
from e2e.waiting import until
from selenium.common.exceptions import (
    NoSuchElementException,
    NoSuchWindowException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By

from hosts.engines import ENGINES
from hosts.scan import host_files, log_everything
from hosts.ways import Loopback

ADA = "ada@example.com"
RUN_CELL = f"""
const [index, done] = arguments;
{PANEL}
panel.content.activeCellIndex = index;
panel.content.deselectAll();
window.jupyterapp.commands.execute("notebook:run-cell").then(() => done(true), error => done(String(error)));
"""
OUTPUT = f"{PANEL} return JSON.stringify(panel.content.model.cells.get(arguments[0]).sharedModel.outputs);"


SAVE = """
const done = arguments[0];
window.jupyterapp.commands.execute("docmanager:save").then(() => done(true), error => done(String(error)));
"""


def every_engine(host):
    """The same test in each browser, as a row each."""
    rows = [pytest.param(engine, marks=pytest.mark.host(host, browser=engine.name)) for engine in ENGINES]
    return pytest.mark.parametrize("engine", rows, ids=lambda engine: engine.name)


def present(driver, selector):
    """The element that a user sees, if it is there."""
    try:
        element = driver.find_element(By.CSS_SELECTOR, selector)
        return element if element.is_displayed() and element.is_enabled() else None
    except (NoSuchElementException, StaleElementReferenceException):
        return None


def wait(driver, selector):
    return until(lambda: present(driver, selector), selector)


def answer_provider(driver):
    wait(driver, LOGIN_FIELD).send_keys(ADA)
    wait(driver, PASSWORD_FIELD).send_keys("any")
    wait(driver, SUBMIT).click()
    wait(driver, f"{CONSENT_FORM} {SUBMIT}")


def approve(driver):
    # The window may be gone before the click's answer is back.
    with contextlib.suppress(NoSuchWindowException):
        wait(driver, f"{CONSENT_FORM} {SUBMIT}").click()


def sign_in(driver, *, severed):
    """Click like a user, answer in the popup; returns the milliseconds until the widget names the user."""
    page = driver.current_window_handle
    button = wait(driver, ".tokentoss-sign-in")
    started = time.perf_counter()
    button.click()
    popup = until(lambda: next(iter(set(driver.window_handles) - {page}), None), "the popup")
    driver.switch_to.window(popup)
    answer_provider(driver)
    assert driver.execute_script("return window.opener === null") is severed
    approve(driver)
    driver.switch_to.window(page)
    status = driver.find_element(By.CSS_SELECTOR, ".tokentoss-status")
    until(lambda: status.text == f"Signed in as {ADA}", f"the user's name (now: {status.text!r})")
    milliseconds = (time.perf_counter() - started) * 1000
    until(lambda: driver.window_handles == [page], "the popup to close")
    return milliseconds


def run_cell(driver, index):
    assert driver.execute_async_script(RUN_CELL, index) is True


def whole_sign_in(tmp_path, engine, way, provider, iap_api, *, severed=False, options=()):
    source = [
        log_everything(tmp_path) + way.show_widget(provider),
        cells.call_api(iap_api),
    ]
    with engine.start(tmp_path) as driver, JupyterLab(tmp_path / "jupyter", options=options) as lab:
        lab.set_setting(WIDGET_MANAGER, {"saveState": True})
        path = lab.write_notebook("sign-in.ipynb", source)
        driver.get(lab.url(path.name))
        ready = f"const status = 'idle'; {KERNEL} return Boolean({READY});"
        until(lambda: driver.execute_script(ready), "the page's kernel")
        kernel_id = until(lambda: lab.kernel_of(path.name), "the notebook's kernel")
        with KernelClient(lab, kernel_id) as kernel:
            kernel.value("1")
            run_cell(driver, 0)
            milliseconds = sign_in(driver, severed=severed)
            kernel.until("widget.is_authenticated")
            run_cell(driver, 1)
            assert f"'email': '{ADA}'" in driver.execute_script(OUTPUT, 1)
            assert driver.execute_async_script(SAVE) is True
            assert ADA in path.read_text(), "no state was saved"
            found = provider.secrets()
            assert {*leaks.OF_A_CODE} - {*leaks.SEALED} <= found.keys(), "the sign-in was not seen completely"
            assert leaks.find(found, left_behind(tmp_path, driver, kernel)) == []
    return milliseconds


def left_behind(folder, driver, kernel):
    """What the host wrote, the kernel broadcast and the browser keeps of the notebook page."""
    kept = {name: driver.execute_script(f"return ({script})()") for name, script in leaks.FRAMES.items()}
    kept["cookies"] = repr(driver.get_cookies())
    places = {name: content.encode() for name, content in kept.items()}
    return host_files(folder) | places | {"iopub of a second client": b"\n".join(kernel.frames)}


loopback = pytest.mark.parametrize("way", [Loopback()], ids=lambda way: way.name)


@loopback
@every_engine("JupyterLab 4")
def test_signs_in(tmp_path, engine, way, provider, iap_api, record):
    record("signed in", whole_sign_in(tmp_path, engine, way, provider, iap_api))


@loopback
@every_engine("JupyterLab 4, Cross-Origin-Opener-Policy: same-origin at the provider")
def test_signs_in_without_an_opener(tmp_path, engine, way, provider, iap_api, record):
    """A popup that loses its opener signs in through the kernel (C18)."""
    provider.change(coop="same-origin")
    record("signed in", whole_sign_in(tmp_path, engine, way, provider, iap_api, severed=True))


@loopback
@every_engine("JupyterLab 4 with Cross-Origin-Opener-Policy: same-origin")
def test_signs_in_on_a_page_that_severs_popups(tmp_path, engine, way, provider, iap_api, record):
    """One click signs in on a page whose popups never have an opener (C18)."""
    headers = {"Cross-Origin-Opener-Policy": "same-origin"}
    milliseconds = whole_sign_in(
        tmp_path, engine, way, provider, iap_api, severed=True, options=[sends(headers)]
    )
    record("signed in", milliseconds)
