"""Notebook 7, whose page shows one document."""

from __future__ import annotations

import pytest
from e2e.jupyterlab import JupyterLab

from hosts import jupyter
from hosts.ways import ON_A_SERVER, ways


class Notebook7(JupyterLab):
    """A server whose pages hold one notebook each."""

    def url(self, notebook, *, workspace=None):
        return f"{self.origin}{self.base_path}/notebooks/{notebook}?token={self.token}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Notebook7(tmp_path_factory.mktemp("notebook"), application="notebook") as lab:
        yield lab


@pytest.fixture
def host_folder(lab):
    return lab.work_dir


@ways(*ON_A_SERVER)
@pytest.mark.host("Notebook 7")
def test_signs_in(context, lab, way, provider, iap_api, scan, record):
    record("signed in", jupyter.sign_in(context, lab, way, provider, iap_api, scan))
