"""JupyterHub with a broker as its service: one redirect URI for all users, refresh tokens in no kernel."""

from __future__ import annotations

import re
import secrets
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from broker.local_provider import settings
from broker.running import PROGRAM, Broker
from e2e import popup
from e2e.browser import local_context
from e2e.notebook import Notebook
from e2e.process_memory import found_in
from e2e.waiting import until
from e2e.widget import Widget
from playwright.sync_api import expect
from servers.ports import free_port

from hosts.jupyterhub import JupyterHub
from hosts.test_jupyterhub import log_in

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "broker" / "jupyterhub.md"
# The broker renews no token within half a minute of its making; the client waits as long as it is told to.
RENEW = """from tokentoss.broker import BrokerClient
client = BrokerClient(widget.auth_manager.broker)
first = client.get_valid_provider_access_token("local")
renewed = client.get_valid_provider_access_token("local", rejected=first.access_token, patience=60.0)"""
ADA, GRACE = "ada@example.com", "grace@example.com"
TIMEOUT = 60

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="cargo build -p tokentoss-broker makes it")


class Site:
    """A hub that is configured by the document's lines, and where its broker is."""

    def __init__(self, folder):
        self.service_token = secrets.token_hex(32)
        self.port = free_port()
        self.broker_url = f"http://127.0.0.1:{self.port}"
        token = folder / "hub.token"
        token.write_text(self.service_token)
        blocks = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
        (lines,) = (block for block in blocks if "JupyterHub.services" in block)
        lines = lines.replace("/etc/tokentoss/hub.token", str(token))
        lines = lines.replace("https://broker.example.org", self.broker_url)
        # Each test starts a broker of its own, so the hub starts none.
        lines = re.sub(r'^ *"(command|user)": .*\n', "", lines, flags=re.MULTILINE)
        self.ada = JupyterHub(folder, headers={}, site=lines)
        self.grace = self.ada.server_of("grace")

    def scopes_of_service(self):
        """What the hub lets the broker itself do."""
        headers = {"Authorization": f"token {self.service_token}"}
        answer = requests.get(f"{self.ada.origin}/hub/api/user", headers=headers, timeout=TIMEOUT)
        assert (answer.status_code, answer.json()["name"]) == (200, "tokentoss")
        return answer.json()["scopes"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    with site.ada:
        yield site


@pytest.fixture
def broker(site, provider, tmp_path):
    """A broker that knows nobody yet, at the address that the hub's kernels know."""
    token = tmp_path / "service.token"
    token.touch(mode=0o600)
    token.write_text(site.service_token)
    provider.change(callback_pages=[f"{site.broker_url}/callback"])
    hub = f"""
pages = ["{site.ada.origin}"]
{settings(provider, site.broker_url)}
[hubs.lab]
api_url = "{site.ada.origin}/hub/api"
service_token = "{token}"
"""
    with Broker(tmp_path, hub, port=site.port) as broker:
        yield broker


@pytest.fixture
def seat(browser, provider, broker):
    """Put a user before a notebook of the own server, in a browser of the own."""
    show = f"""from tokentoss import AuthWidget, Broker, Provider
import os
provider = Provider.discover({provider.issuer!r}, name="the local provider")
widget = AuthWidget(provider=provider, broker=Broker(os.environ["TOKENTOSS_BROKER"], provider="local"))
display(widget)"""
    with ExitStack() as seats:

        def seat(server):
            context = seats.enter_context(local_context(browser))
            log_in(context, server)
            path = server.write_notebook(f"{secrets.token_hex(4)}.ipynb", [show])
            notebook = seats.enter_context(Notebook(context, server, path))
            notebook.run_cell(0)
            return notebook

        yield seat


def sign_in(notebook, login):
    """Click, go through the broker's page, which names the user of the hub, and the provider's."""
    widget = Widget(notebook.page)
    widget.wait_ready()
    until(lambda: names_the_page(notebook), "a sign-in for the page, whose origin the kernel is told")
    window = widget.open_popup()
    go_on(window, notebook.lab.user, login)
    popup.wait_closed(window)
    widget.wait_status(f"Signed in as {login}")


def names_the_page(notebook):
    """Whether the broker's page knows to whom it may speak: until then it would show a code to copy."""
    address = notebook.kernel.until("widget.broker.get('url')")
    return notebook.lab.origin in requests.get(address, timeout=TIMEOUT).text


def go_on(window, user, login):
    expect(window.locator("dd", has_text=f"{user} (lab)")).to_be_visible()
    window.get_by_role("button", name="Continue").click()
    popup.sign_in(window, login)


def forget_popup(notebook):
    """Fail at every popup from now on."""
    notebook.page.context.on("page", lambda page: pytest.fail(f"a window opened: {page.url}"))


def redirect_uris(context, provider):
    """Collect the redirect URIs with which a browser goes to the provider."""
    seen = []

    def note(request):
        if request.url.startswith(f"{provider.issuer}/auth?"):
            seen.extend(parse_qs(urlsplit(request.url).query)["redirect_uri"])

    context.on("request", note)
    return seen


def of_kind(known, *kinds):
    return {name: value for name, value in known.items() if name.startswith(kinds)}


def pid_of(notebook):
    return notebook.kernel.value("__import__('os').getpid()")


def whose_token(notebook):
    """Whose the ID token is that the broker gives this kernel now."""
    claims = "__import__('jwt').decode(widget.auth_manager.id_token, options={'verify_signature': False})"
    return notebook.kernel.value(f"{claims}['email']")


def accounts_of(notebook):
    """The accounts that the broker tells this kernel of."""
    return notebook.kernel.value("[one.email for one in widget.auth_manager.accounts()]")


def test_the_service_may_do_nothing_at_the_hub(site):
    assert site.scopes_of_service() == []


def test_each_user_gets_the_own_account_alone(site, broker, provider, seat):
    ada, grace = seat(site.ada), seat(site.grace)
    used = [redirect_uris(one.page.context, provider) for one in (ada, grace)]
    sign_in(ada, ADA)
    of_ada = provider.secrets()
    sign_in(grace, GRACE)
    of_grace = {name: value for name, value in provider.secrets().items() if name not in of_ada}

    # Both from the broker's one page, which is all that is registered.
    assert used == [[f"{site.broker_url}/callback"]] * 2
    assert [whose_token(one) for one in (ada, grace)] == [ADA, GRACE]
    assert [accounts_of(one) for one in (ada, grace)] == [[ADA], [GRACE]]
    for notebook, own, others in ((ada, of_ada, of_grace), (grace, of_grace, of_ada)):
        # The scan can find something: a kernel has its own ID token in its memory.
        assert found_in(pid_of(notebook), of_kind(own, "id_token")) != []
        kept = of_kind(own, "refresh_token")
        assert kept, "the provider gave a refresh token"
        assert found_in(pid_of(notebook), kept | of_kind(of_ada, "client_secret")) == []
        foreign = of_kind(others, "refresh_token", "access_token", "id_token")
        assert len(foreign) >= 3
        assert found_in(pid_of(notebook), foreign) == []


def test_the_sign_out_of_one_leaves_the_other(site, broker, provider, seat):
    ada, grace = seat(site.ada), seat(site.grace)
    sign_in(ada, ADA)
    sign_in(grace, GRACE)
    Widget(grace.page).click(Widget(grace.page).sign_out_button)
    Widget(grace.page).wait_idle()
    assert accounts_of(grace) == []

    assert accounts_of(ada) == [ADA]
    assert whose_token(ada) == ADA
    # By the refresh token, which the broker still has and the provider still takes.
    ada.kernel.run(RENEW)
    assert ada.kernel.value("renewed.access_token != first.access_token")
    Widget(ada.page).wait_status(f"Signed in as {ADA}")
    grace.restart_kernel()
    grace.run_cell(0)
    Widget(grace.page).wait_ready()
    assert not grace.kernel.value("widget.is_authenticated")


def test_a_restarted_kernel_finds_the_account(site, broker, provider, seat):
    notebook = seat(site.ada)
    sign_in(notebook, ADA)
    before = pid_of(notebook)
    forget_popup(notebook)
    provider.forget_requests()
    notebook.restart_kernel()
    notebook.run_cell(0)
    Widget(notebook.page).wait_status(f"Signed in as {ADA}")
    assert pid_of(notebook) != before
    assert whose_token(notebook) == ADA
    assert provider.requests("/auth") == []


def test_a_page_that_was_sent_to_somebody_else_connects_nobody(site, broker, provider, seat):
    """A sign-in page followed by another user connects no account."""
    ada, grace = seat(site.ada), seat(site.grace)
    Widget(ada.page).wait_ready()
    address = ada.kernel.until("widget.broker.get('url')")
    page = f"{grace.lab.origin}{grace.lab.base_path}/lab"
    grace.page.goto(page, wait_until="domcontentloaded")
    # With an opener of the hub's origin, which all users' pages share.
    with grace.page.context.expect_page() as opened:
        grace.page.evaluate("address => void window.open(address)", address)
    window = opened.value
    go_on(window, "ada", GRACE)
    # The page shows what would have to be typed into a widget, and connects nothing.
    expect(window.get_by_label("Confirmation")).to_be_visible()
    expect(window.get_by_text("Give them to nobody")).to_be_visible()
    # It is back for good once Ada's widget asks for what the page shows.
    expect(ada.page.get_by_label("Code of the popup")).to_be_visible()
    assert [accounts_of(one) for one in (ada, grace)] == [[], []]
    assert not ada.kernel.value("widget.is_authenticated")


def test_another_notebook_of_the_same_user_follows(site, broker, provider, seat):
    """A sign-in or sign-out shows in the user's other notebooks."""
    one, two, grace = seat(site.ada), seat(site.ada), seat(site.grace)
    forget_popup(two)
    sign_in(one, ADA)
    Widget(two.page).wait_status(f"Signed in as {ADA}")
    assert whose_token(two) == ADA
    Widget(two.page).click(Widget(two.page).sign_out_button)
    Widget(one.page).wait_status("No account is connected here. Sign in.")
    Widget(one.page).wait_ready()
    Widget(grace.page).wait_idle()
    assert not grace.kernel.value("widget.is_authenticated")
