"""JupyterLab with its default settings."""

from __future__ import annotations

import pytest
from e2e.jupyterlab import JupyterLab, sends

from hosts import jupyter
from hosts.ways import ON_A_SERVER, WITHOUT_OPENERS, KernelExchange, ways


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    with JupyterLab(tmp_path_factory.mktemp("jupyterlab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def severing(tmp_path_factory):
    headers = {"Cross-Origin-Opener-Policy": "same-origin"}
    with JupyterLab(tmp_path_factory.mktemp("jupyterlab"), options=[sends(headers)]) as lab:
        yield lab


class TestPlain:
    @pytest.fixture
    def host_folder(self, plain):
        return plain.work_dir

    @ways(*ON_A_SERVER, KernelExchange())
    @pytest.mark.host("JupyterLab 4")
    def test_signs_in(self, context, plain, way, provider, iap_api, scan, record):
        record("signed in", jupyter.sign_in(context, plain, way, provider, iap_api, scan))


class TestSevering:
    @pytest.fixture
    def host_folder(self, severing):
        return severing.work_dir

    @ways(*WITHOUT_OPENERS)
    @pytest.mark.host("JupyterLab 4 with Cross-Origin-Opener-Policy: same-origin")
    def test_signs_in_without_an_opener(self, context, severing, way, provider, iap_api, scan, record):
        """One click signs in on a page whose popups never have an opener (C18)."""
        record(way.result, jupyter.sign_in(context, severing, way, provider, iap_api, scan))
