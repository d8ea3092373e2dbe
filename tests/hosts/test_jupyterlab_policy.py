"""JupyterLab with a strict Content-Security-Policy.

It cannot start without 'unsafe-eval', as it makes functions of strings, and that includes leave to run
WebAssembly; so a policy without such leave is tested with Voila.
"""

from __future__ import annotations

import pytest
from e2e.jupyterlab import JupyterLab, sends

from hosts import jupyter
from hosts.ways import ON_A_SERVER, ways

POLICY = (
    "default-src 'self'; frame-ancestors 'self'; object-src 'none'; base-uri 'self'; "
    "img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "worker-src 'self' blob:; connect-src *; script-src 'self' blob: 'unsafe-eval'"
)
HEADERS = {"Content-Security-Policy": POLICY}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with JupyterLab(tmp_path_factory.mktemp("jupyterlab"), options=[sends(HEADERS)]) as lab:
        yield lab


@pytest.fixture
def host_folder(lab):
    return lab.work_dir


@ways(*ON_A_SERVER)
@pytest.mark.host("JupyterLab, hardened Content-Security-Policy")
def test_signs_in(context, lab, way, provider, iap_api, scan, record):
    record("signed in", jupyter.sign_in(context, lab, way, provider, iap_api, scan))
