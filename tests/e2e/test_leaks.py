"""After a sign-in no secret of it is found anywhere but in the kernel's memory and the token storage."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys

import pytest
from servers.scripted_device import enter_code

from e2e import cells, leaks
from e2e.jupyterlab import WIDGET_MANAGER
from e2e.waiting import until
from e2e.widget import Widget

ADA = "ada@example.com"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"

# All loggers at their most talkative, but for the one that prints every message of every widget.
LOG_EVERYTHING = """
import logging, tokentoss
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("Comm").setLevel(logging.INFO)
tokentoss.enable_debug()
"""


@pytest.fixture
def state_is_saved(lab):
    """JupyterLab writes the state of widgets into notebooks, as the user can choose in its settings."""
    lab.set_setting(WIDGET_MANAGER, {"saveState": True})
    yield
    lab.set_setting(WIDGET_MANAGER, {"saveState": False})


@pytest.fixture
def traffic(context):
    return leaks.Traffic(context)


@pytest.mark.parametrize("opener", ["intact", "severed"])
def test_no_secret_is_left_anywhere(
    state_is_saved, traffic, open_notebook, provider, iap_api, tmp_path, opener
):
    """No secret is left in notebook, iopub, logs, console or page storage (C5, C49, C70, C72)."""
    if opener == "severed":
        provider.change(coop="same-origin")
    storage = f"FileStorage({str(tmp_path / 'tokens.json')!r})"
    notebook = open_notebook(
        LOG_EVERYTHING,
        cells.show_widget(provider, provider.confidential, storage=storage),
        "widget",
        cells.call_api(iap_api),
        "print([widget.auth_manager, widget.credentials], str(widget.credentials))\nwidget.get_state()",
    )
    notebook.run_cell(0)
    observer = notebook.kernel
    notebook.run_cell(1)
    Widget(notebook.page).sign_in(ADA)
    notebook.kernel.until("widget.is_authenticated")
    for index in (2, 3, 4):
        notebook.run_cell(index)
    assert f"'email': '{ADA}'" in notebook.output(3)
    notebook.save()

    leaked_if_found = leaks.secrets(provider, traffic)
    places = leaks.places(notebook, observer, traffic)

    assert {"client_secret", "refresh_token"} <= leaked_if_found.keys()
    state = json.loads(notebook.path.read_text())["metadata"]["widgets"][WIDGET_STATE]["state"]
    assert any(model["state"].get("user_email") == ADA for model in state.values()), (
        "the widget's state was not saved"
    )
    assert leaked_if_found["id_token"] in (tmp_path / "tokens.json").read_text(), "the tokens were not stored"
    places["notebook run by nbconvert"] = run_by_nbconvert(notebook).read_bytes()
    assert leaks.find(leaked_if_found, places) == []


def test_no_secret_of_a_code_is_left_anywhere(state_is_saved, traffic, open_notebook, provider):
    """After a sign-in by code, no device code or token is left anywhere (C70, C72)."""
    notebook = open_notebook(
        LOG_EVERYTHING, cells.show_widget(provider, provider.device), "widget", "widget.get_state()"
    )
    notebook.run_cell(0)
    observer = notebook.kernel
    notebook.run_cell(1)
    widget = Widget(notebook.page)
    widget.wait_ready()
    widget.use_code()
    widget.wait_code()
    notebook.save()
    before = notebook.path.read_bytes()
    page = widget.code_page.get_attribute("href").partition("?")[0]
    enter_code(page, widget.root.locator(".tokentoss-user-code").inner_text(), ADA)
    widget.wait_status(f"Signed in as {ADA}")
    for index in (2, 3):
        notebook.run_cell(index)
    notebook.save()

    needed = ("device_code", "access_token", "id_token", "refresh_token", leaks.SEALED[0])
    found = leaks.secrets(provider, traffic, needed)
    places = leaks.places(notebook, observer, traffic) | {"the notebook while the code was shown": before}
    assert leaks.find(found, places) == []


def run_by_nbconvert(notebook):
    """Execute the saved notebook headless; the stored tokens sign the widget in, nbclient saves its state."""
    result = notebook.path.with_name(f"executed-{notebook.path.name}")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "nbconvert",
            "--to",
            "notebook",
            "--execute",
            str(notebook.path),
            "--output",
            str(result),
        ],
        env=notebook.lab.env,
        check=True,
        capture_output=True,
    )
    executed = json.loads(result.read_text())
    state = executed["metadata"]["widgets"][WIDGET_STATE]["state"]
    assert any(model["state"].get("user_email") == ADA for model in state.values())
    return result


PLANTS = {
    "file notebooks/": "print({secret!r})",
    "iopub of a second client": "import ipywidgets\nipywidgets.Text(value={secret!r})",
    "messages to the page": "import ipywidgets\nipywidgets.Label(value={secret!r})",
    "file jupyterlab.log": "import os\nos.write(2, b{secret!r} + b'\\n')",
}
PAGE_PLANTS = {
    "browser console": "secret => console.log('token: ' + secret)",
    "localStorage of the page": "secret => localStorage.setItem('token', secret)",
    "sessionStorage of the page": "secret => sessionStorage.setItem('token', secret)",
    "document of the page": "secret => document.body.append(Object.assign(new Image(), { alt: secret }))",
    "history of the page": "secret => history.pushState(null, '', '#' + secret)",
    "storage of all pages": "secret => { document.cookie = 'token=' + secret; }",
}


def test_the_scan_finds_what_is_planted(traffic, open_notebook):
    """The leak scan finds a planted secret in every place, whole or shortened."""
    sentinels = {place: secrets.token_urlsafe(48) for place in (*PLANTS, *PAGE_PLANTS)}
    notebook = open_notebook(*(code.format(secret=sentinels[place][:30]) for place, code in PLANTS.items()))
    observer = notebook.kernel
    observer.value("1")
    for index in range(len(PLANTS)):
        notebook.run_cell(index)
    for place, script in PAGE_PLANTS.items():
        notebook.page.evaluate(script, sentinels[place])
    notebook.save()
    until(
        lambda: sentinels["file jupyterlab.log"][:30] in notebook.lab.log.read_text(), "the line in the log"
    )

    for place, sentinel in sentinels.items():
        found = leaks.find({"sentinel": sentinel}, leaks.places(notebook, observer, traffic))
        assert any(hit.startswith(f"sentinel in {place}") for hit in found), place
