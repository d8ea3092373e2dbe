"""A whole sign-in on a Jupyter server: sign in, call the API, save, look for leaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from e2e import cells
from e2e.jupyterlab import WIDGET_MANAGER
from e2e.notebook import Notebook
from e2e.widget import Widget

from hosts.ways import CallbackPage

if TYPE_CHECKING:
    from e2e.jupyterlab import JupyterLab
    from playwright.sync_api import BrowserContext
    from servers.iap_api import IapLikeApi
    from servers.provider import LocalProvider

    from hosts.scan import Scan
    from hosts.ways import Loopback

ADA = "ada@example.com"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def sign_in(
    context: BrowserContext,
    lab: JupyterLab,
    way: Loopback,
    provider: LocalProvider,
    iap_api: IapLikeApi,
    scan: Scan,
) -> float:
    """The whole sign-in in a new notebook, which is saved with the state of its widgets and scanned.

    Returns the milliseconds from the click until the widget named the user.
    """
    if isinstance(way, CallbackPage):
        way.page = lab.callback_page
    lab.set_setting(WIDGET_MANAGER, {"saveState": True})
    source = [
        scan.log_everything + way.show_widget(provider),
        cells.call_api(iap_api),
        "print([widget.auth_manager, widget.credentials], str(widget.credentials))\nwidget.get_state()",
    ]
    path = lab.write_notebook("sign-in.ipynb", source)
    with Notebook(context, lab, path) as notebook:
        observer = notebook.kernel
        observer.value("1")
        notebook.run_cell(0)
        milliseconds = way.sign_in(Widget(notebook.page), ADA)
        observer.until("widget.is_authenticated")
        notebook.run_cell(1)
        assert f"'email': '{ADA}'" in notebook.output(1)
        notebook.run_cell(2)
        notebook.save()
        state = json.loads(path.read_text())["metadata"]["widgets"][WIDGET_STATE]["state"]
        assert any(model["state"].get("user_email") == ADA for model in state.values()), "no state was saved"
        others = {"iopub of a second client": b"\n".join(observer.frames)}
        assert scan.find(notebook.page, lab.origin, way.secrets, further=others) == []
    return milliseconds
