"""JupyterLab below a path prefix and behind a reverse proxy."""

from __future__ import annotations

import pytest
from e2e.jupyterlab import JupyterLab

from hosts import jupyter
from hosts.reverse_proxy import ReverseProxy
from hosts.ways import ON_A_SERVER, ways


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with (
        JupyterLab(folder / "jupyter", base_path="/sites/notebooks/ada") as lab,
        ReverseProxy(folder, f"http://127.0.0.1:{lab.port}") as proxy,
    ):
        # The tests' own calls stay with the server; pages come by way of the proxy.
        lab.origin = proxy.origin
        yield lab


@pytest.fixture
def host_folder(lab):
    """The proxy's files are there, too."""
    return lab.work_dir.parent


@ways(*ON_A_SERVER)
@pytest.mark.host("JupyterLab behind a prefix and a reverse proxy")
def test_signs_in(context, lab, way, provider, iap_api, scan, record):
    record("signed in", jupyter.sign_in(context, lab, way, provider, iap_api, scan))
