"""JupyterLite with a broker below the site's own origin, where a proxy puts it."""

from __future__ import annotations

import pytest
from broker.local_provider import settings
from broker.running import PROGRAM, Broker
from e2e import leaks, popup
from e2e.kept_by_broker import of_kind
from e2e.widget import Widget
from servers.ports import free_port

from hosts.lite.server import JupyterLite, LiteNotebook
from hosts.lite.site import built_site
from hosts.reverse_proxy import ReverseProxy

ADA = "ada@example.com"
KEY = "k" * 43
INSTALL = "%pip install -q tokentoss"

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="cargo build -p tokentoss-broker makes it")


@pytest.fixture
def port():
    """Where the broker listens."""
    return free_port()


@pytest.fixture
def site(tmp_path, iap_api, port):
    """The site behind a proxy, which hands `/v1/` over to the broker."""
    with (
        JupyterLite(built_site()) as lite,
        ReverseProxy(tmp_path, lite.address, routes={"/v1": f"http://127.0.0.1:{port}"}) as proxy,
    ):
        lite.origin = iap_api.cors_origin = proxy.origin
        yield lite
        iap_api.cors_origin = None


@pytest.fixture
def broker(request, site, provider, port, tmp_path):
    """The program, with sign-ins by the way that the test names."""
    key = tmp_path / "caller.key"
    key.touch(mode=0o600)
    key.write_text(KEY)
    url = f"http://127.0.0.1:{port}"
    of_provider = settings(provider, url, way=request.param)
    if request.param == "deposit":
        provider.change(callback_pages=[site.callback_page])
        of_provider += f'callback_pages = ["{site.callback_page}"]\n'
    else:
        provider.change(callback_pages=[f"{url}/callback"])
    of_person = f'[callers.ada]\nkeys = ["{key}"]\ntenant = "lab"\nuser = "ada"\n'
    pages = f'pages = ["{site.origin}"]\n'
    with Broker(tmp_path, f"{pages}{of_provider}{of_person}", port=port) as broker:
        yield broker


def notebook_of(context, site, provider, iap_api):
    show = f"""from tokentoss import AuthWidget, Broker, IAPClient, Provider
provider = Provider.discover({provider.issuer!r}, name="the local provider")
broker = Broker({site.origin!r}, {KEY!r}, provider="local")
widget = AuthWidget(provider=provider, broker=broker)
display(widget)"""
    call = f"print(IAPClient({iap_api.base_url!r}, auth_manager=widget.auth_manager).get_json('/api/data'))"
    return LiteNotebook(context, site, [INSTALL, show, call])


@pytest.mark.parametrize("broker", ["deposit"], indirect=True)
def test_the_code_is_sealed_to_the_broker(context, site, provider, iap_api, broker, scan):
    """The page deposits the code, and neither refresh token nor client secret reaches the browser."""
    with notebook_of(context, site, provider, iap_api) as notebook:
        notebook.run_cell(0)
        notebook.run_cell(1)
        widget = Widget(notebook.page)
        widget.wait_ready()
        provider.forget_requests()
        window = widget.open_popup()
        popup.sign_in(window, ADA)
        popup.wait_closed(window)
        widget.wait_status(f"Signed in as {ADA}")
        notebook.run_cell(2)
        assert ADA in notebook.output(2)
        (exchange,) = provider.exchanges()
        assert "client_secret" in exchange["body"]
        assert "origin" not in exchange["headers"], "the broker asked, and no page"
        kept = of_kind(provider.secrets(), "refresh_token", "client_secret")
        assert of_kind(kept, "refresh_token")
        assert leaks.find(kept, leaks.pages(notebook.page, scan.traffic)) == []


@pytest.mark.parametrize("broker", ["page"], indirect=True)
def test_the_brokers_own_pages_sign_in(context, site, provider, iap_api, broker):
    """The popup shows the broker's pages at the broker's own origin, and a call finds the account."""
    with notebook_of(context, site, provider, iap_api) as notebook:
        notebook.run_cell(0)
        notebook.run_cell(1)
        widget = Widget(notebook.page)
        widget.wait_ready()
        window = widget.open_popup()
        window.get_by_role("button", name="Continue").click()
        popup.sign_in(window, ADA)
        popup.wait_closed(window)
        notebook.run_cell(2)
        assert ADA in notebook.output(2)
