"""JupyterLab as it comes."""

from __future__ import annotations

import pytest
from e2e.jupyterlab import JupyterLab

from hosts import jupyter
from hosts.ways import CallbackPage, Loopback, Paste, ways


@ways(Loopback(), Paste(), CallbackPage())
@pytest.mark.host("JupyterLab 4")
def test_signs_in(tmp_path, context, way, provider, iap_api, scan, record):
    with JupyterLab(tmp_path) as lab:
        record("signed in", jupyter.sign_in(context, lab, way, provider, iap_api, scan))
