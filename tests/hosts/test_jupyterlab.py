"""JupyterLab as it comes."""

from __future__ import annotations

import pytest
from e2e.jupyterlab import JupyterLab, sends

from hosts import jupyter
from hosts.ways import ON_A_SERVER, WITHOUT_OPENERS, KernelExchange, ways


@ways(*ON_A_SERVER, KernelExchange())
@pytest.mark.host("JupyterLab 4")
def test_signs_in(tmp_path, context, way, provider, iap_api, scan, record):
    with JupyterLab(tmp_path) as lab:
        record("signed in", jupyter.sign_in(context, lab, way, provider, iap_api, scan))


@ways(*WITHOUT_OPENERS)
@pytest.mark.host("JupyterLab 4 with Cross-Origin-Opener-Policy: same-origin")
def test_signs_in_without_an_opener(tmp_path, context, way, provider, iap_api, scan, record):
    """C18: the page gives its popups up, from their first page on; one click is enough."""
    headers = {"Cross-Origin-Opener-Policy": "same-origin"}
    with JupyterLab(tmp_path, options=[sends(headers)]) as lab:
        record(way.result, jupyter.sign_in(context, lab, way, provider, iap_api, scan))
