"""JupyterLab behind a hardened Content-Security-Policy.

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


@ways(*ON_A_SERVER)
@pytest.mark.host("JupyterLab, hardened Content-Security-Policy")
def test_signs_in(tmp_path, context, way, provider, iap_api, scan, record):
    headers = {"Content-Security-Policy": POLICY}
    with JupyterLab(tmp_path, options=[sends(headers)]) as lab:
        record("signed in", jupyter.sign_in(context, lab, way, provider, iap_api, scan))
