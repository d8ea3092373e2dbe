"""JupyterHub: a user's JupyterLab behind the hub's sign-in and its proxy."""

from __future__ import annotations

import pytest

from hosts import jupyter
from hosts.jupyterhub import USER, JupyterHub
from hosts.ways import CallbackPage, Loopback, ways


def log_in(context, hub):
    """The user signs in at the hub, which has nothing to do with the widget's provider."""
    page = context.new_page()
    page.goto(f"{hub.origin}/hub/login")
    page.fill("#username_input", USER)
    page.click("#login_submit")
    page.wait_for_url(f"**{hub.base_path}/**")
    page.close()


@ways(Loopback(), CallbackPage())
@pytest.mark.host("JupyterHub 6")
def test_signs_in(tmp_path, context, way, provider, iap_api, record):
    with JupyterHub(tmp_path, headers={}) as hub:
        log_in(context, hub)
        record("signed in", jupyter.sign_in(context, hub, way, provider, iap_api))
