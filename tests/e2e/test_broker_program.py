"""The broker's program behind a widget in a real JupyterLab."""

from __future__ import annotations

import pytest
from broker.local_provider import settings
from broker.running import PROGRAM, Broker
from playwright.sync_api import expect
from servers.ports import free_port

from e2e import popup
from e2e.jupyterlab import JupyterLab, sends
from e2e.kept_by_broker import assert_not_in_kernel
from e2e.kernel_versions import add_kernels
from e2e.waiting import until
from e2e.widget import Widget

ADA = "ada@example.com"

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="cargo build -p tokentoss-broker makes it")


@pytest.fixture
def way():
    return "page"


@pytest.fixture
def key_file(tmp_path):
    key = tmp_path / "caller.key"
    key.touch(mode=0o600)
    key.write_text("k" * 43)
    return key


@pytest.fixture
def broker(lab, provider, way, key_file, tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    if way == "page":
        provider.change(callback_pages=[f"{url}/callback"])
    of_laptop = f"""
pages = ["{lab.origin}"]
{settings(provider, url, way=way)}
[callers.laptop]
keys = ["{key_file}"]
tenant = "demo"
user = "ada"
"""
    with Broker(tmp_path, of_laptop, port=port) as broker:
        yield broker


@pytest.fixture
def show(broker, provider, key_file):
    return f"""import pathlib
from tokentoss import AuthWidget, Broker, IAPClient, Provider
provider = Provider.discover({provider.issuer!r}, name="the local provider")
key = pathlib.Path({str(key_file)!r}).read_text()
widget = AuthWidget(provider=provider, broker=Broker({broker.origin!r}, key, provider="local"))
display(widget)"""


class TestDeposit:
    """Sign-ins whose code the page seals to the broker and the kernel passes on."""

    @pytest.fixture
    def way(self):
        return "deposit"

    def test_signs_in_and_keeps_the_refresh_token_from_the_kernel(
        self, open_notebook, provider, iap_api, broker, show
    ):
        call = f"IAPClient({iap_api.base_url!r}, auth_manager=widget.auth_manager).get_json('/api/data')"
        notebook = open_notebook(show, call)
        notebook.run_cell(0)
        widget = Widget(notebook.page)
        widget.wait_ready()
        provider.forget_requests()
        window = widget.open_popup()
        popup.sign_in(window, ADA)
        popup.wait_closed(window)
        widget.wait_status(f"Signed in as {ADA}")
        notebook.run_cell(1)
        assert f"'email': '{ADA}'" in notebook.output(1)

        # The broker redeemed the code, with its secret, and nobody else asked for tokens.
        (exchange,) = provider.exchanges()
        assert set(exchange["body"]) >= {"code", "code_verifier", "client_secret"}
        assert "origin" not in exchange["headers"], "no page asked"
        assert_not_in_kernel(notebook, provider, "code_verifier")

        widget.click(widget.sign_out_button)
        widget.wait_idle()
        assert not notebook.kernel.value("widget.is_authenticated")


class TestSevered:
    """Sign-ins on a page whose policy separates it from its popups."""

    @pytest.fixture(scope="class")
    def lab(self, tmp_path_factory):
        policy = {"Cross-Origin-Opener-Policy": "same-origin"}
        with JupyterLab(tmp_path_factory.mktemp("jupyterlab"), options=[sends(policy)]) as lab:
            add_kernels(lab)
            yield lab

    def test_the_code_of_the_window_signs_in(self, open_notebook, broker, show):
        notebook = open_notebook(show)
        notebook.run_cell(0)
        widget = Widget(notebook.page)
        widget.wait_ready()
        window = widget.open_popup()
        window.get_by_role("button", name="Continue").click()
        popup.sign_in(window, ADA)
        shown = window.get_by_label("Confirmation")
        expect(shown).to_be_visible()
        field = notebook.page.get_by_label("Code of the popup")
        field.fill("WRONG222")
        field.press("Enter")
        expect(notebook.page.get_by_text("not what the broker's page shows")).to_be_visible()
        assert not notebook.kernel.value("widget.is_authenticated")
        field.fill(shown.inner_text())
        field.press("Enter")
        widget.wait_status(f"Signed in as {ADA}")
        until(lambda: notebook.kernel.value("bool(widget.auth_manager.id_token)"), "the ID token")
