"""JupyterLab over plain http under a name: no secure context, hence no browser cryptography."""

from __future__ import annotations

import pytest
from e2e import kernel_messages
from e2e.browser import local_context, resolving, start
from e2e.jupyterlab import JupyterLab

from hosts import jupyter
from hosts.ways import EVERYWHERE, ways

NAME = "notebooks.test"


@pytest.fixture
def context(browser):
    """A browser that finds this machine under a name."""
    named = start(browser.browser_type, flags=resolving(f"MAP {NAME} 127.0.0.1"))
    with local_context(named, names={NAME}) as context:
        kernel_messages.record(context)
        yield context
    named.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with JupyterLab(
        tmp_path_factory.mktemp("jupyterlab"), options=["--ServerApp.allow_remote_access=True"]
    ) as lab:
        lab.origin = f"http://{NAME}:{lab.port}"
        yield lab


@pytest.fixture
def host_folder(lab):
    return lab.work_dir


@ways(*EVERYWHERE)
@pytest.mark.host("JupyterLab over http, not on loopback")
def test_signs_in(context, lab, way, provider, iap_api, scan, record):
    """The widget signs in on a page that is no secure context and lacks crypto.subtle (C21)."""
    provider.change(cors_origins=[lab.origin])
    page = context.new_page()
    page.goto(f"{lab.origin}/api/status")
    assert page.evaluate("[isSecureContext, crypto.subtle === undefined]") == [False, True]
    record("signed in", jupyter.sign_in(context, lab, way, provider, iap_api, scan))
