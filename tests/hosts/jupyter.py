"""A whole sign-in on a Jupyter server: sign in, call the API, save, look for leaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from e2e import cells, leaks
from e2e.jupyterlab import WIDGET_MANAGER
from e2e.notebook import Notebook
from e2e.widget import Widget

from hosts.ways import CallbackPage

if TYPE_CHECKING:
    from e2e.jupyterlab import JupyterLab
    from playwright.sync_api import BrowserContext
    from servers.iap_api import IapLikeApi
    from servers.provider import LocalProvider

    from hosts.ways import Loopback

ADA = "ada@example.com"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def sign_in(
    context: BrowserContext, lab: JupyterLab, way: Loopback, provider: LocalProvider, iap_api: IapLikeApi
) -> float:
    """The whole sign-in in a new notebook, which is saved with the state of its widgets and scanned.

    Returns the milliseconds from the click until the widget named the user.
    """
    if isinstance(way, CallbackPage):
        way.page = lab.callback_page
    lab.set_setting(WIDGET_MANAGER, {"saveState": True})
    source = [way.show_widget(provider, provider.confidential), cells.call_api(iap_api)]
    path = lab.write_notebook("sign-in.ipynb", source)
    traffic = leaks.Traffic(context)
    with Notebook(context, lab, path) as notebook:
        observer = notebook.kernel
        observer.value("1")
        notebook.run_cell(0)
        milliseconds = way.sign_in(Widget(notebook.page), ADA)
        # Read before the browser forgets the bodies of old answers.
        secrets = traffic.secrets()
        observer.until("widget.is_authenticated")
        notebook.run_cell(1)
        assert f"'email': '{ADA}'" in notebook.output(1)
        notebook.save()
        state = json.loads(path.read_text())["metadata"]["widgets"][WIDGET_STATE]["state"]
        assert any(model["state"].get("user_email") == ADA for model in state.values()), "no state was saved"
        assert leaks.find(secrets, leaks.places(notebook, observer, traffic)) == []
    return milliseconds
