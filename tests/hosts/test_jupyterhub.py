"""JupyterHub: a user's JupyterLab behind the hub's sign-in and its proxy."""

from __future__ import annotations

import pytest
from e2e.browser import local_context

from hosts import jupyter
from hosts.jupyterhub import JupyterHub
from hosts.scan import Scan
from hosts.ways import ON_A_SERVER, WITHOUT_OPENERS, PageOfEnvironment, ways

COOP = "Cross-Origin-Opener-Policy"


def log_in(context, hub):
    """The user signs in at the hub, which has nothing to do with the widget's provider."""
    page = context.new_page()
    page.goto(f"{hub.origin}/hub/login")
    page.fill("#username_input", hub.user)
    page.click("#login_submit")
    page.wait_for_url(f"**{hub.base_path}/**")
    page.close()


def opened_page_finds_its_opener(context, hub):
    """Whether a page that one of the hub's pages opens, and that is of another origin, can speak to it."""
    page = context.new_page()
    page.goto(f"{hub.origin}{hub.base_path}/api/status")
    elsewhere = hub.origin.replace("localhost", "127.0.0.1")
    with context.expect_page() as opened:
        page.evaluate("address => void window.open(address)", f"{elsewhere}/hub/login")
    opened.value.wait_for_load_state()
    found = opened.value.evaluate("() => window.opener !== null")
    opened.value.close()
    page.close()
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    with JupyterHub(tmp_path_factory.mktemp("jupyterhub"), headers={}) as hub:
        yield hub


@pytest.fixture(scope="module")
def severing(tmp_path_factory):
    with JupyterHub(tmp_path_factory.mktemp("jupyterhub"), headers={COOP: "same-origin"}) as hub:
        yield hub


@pytest.fixture(scope="module")
def allowing(tmp_path_factory):
    headers = {COOP: "same-origin-allow-popups"}
    with JupyterHub(tmp_path_factory.mktemp("jupyterhub"), headers=headers) as hub:
        yield hub


class TestPlain:
    @pytest.fixture
    def host_folder(self, plain):
        return plain.work_dir

    @ways(*ON_A_SERVER)
    @pytest.mark.host("JupyterHub 6")
    def test_signs_in(self, context, plain, way, provider, iap_api, scan, record):
        log_in(context, plain)
        record("signed in", jupyter.sign_in(context, plain, way, provider, iap_api, scan))


@ways(PageOfEnvironment())
@pytest.mark.host("JupyterHub 6")
def test_signs_all_users_in(tmp_path, browser, context, way, provider, iap_api, scan, record):
    """Two users of a hub sign in with one redirect URI that is registered for the hub."""
    with JupyterHub(tmp_path, headers={}, names_callback_page=True) as hub:
        log_in(context, hub)
        record("signed in", jupyter.sign_in(context, hub, way, provider, iap_api, scan))
        hub.turn_to("grace")
        with local_context(browser) as other:
            scan = Scan(other, provider, tmp_path)
            log_in(other, hub)
            jupyter.sign_in(other, hub, way, provider, iap_api, scan)


class TestSevering:
    @pytest.fixture
    def host_folder(self, severing):
        return severing.work_dir

    @ways(*WITHOUT_OPENERS)
    @pytest.mark.host("JupyterHub 6 with Cross-Origin-Opener-Policy: same-origin")
    def test_signs_in_without_an_opener(self, context, severing, way, provider, iap_api, scan, record):
        """One click signs in on a page whose popups never have an opener (C18)."""
        log_in(context, severing)
        assert not opened_page_finds_its_opener(context, severing)
        record(way.result, jupyter.sign_in(context, severing, way, provider, iap_api, scan))


class TestAllowing:
    @pytest.fixture
    def host_folder(self, allowing):
        return allowing.work_dir

    @ways(*ON_A_SERVER)
    @pytest.mark.host("JupyterHub 6 with Cross-Origin-Opener-Policy: same-origin-allow-popups")
    def test_signs_in_with_popups_allowed(self, context, allowing, way, provider, iap_api, scan, record):
        log_in(context, allowing)
        assert opened_page_finds_its_opener(context, allowing)
        record("signed in", jupyter.sign_in(context, allowing, way, provider, iap_api, scan))
