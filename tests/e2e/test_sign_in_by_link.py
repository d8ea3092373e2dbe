"""Whole sign-ins that the kernel runs, in a JupyterLab whose policy forbids WebAssembly.

JupyterLab itself does not run under a policy that forbids it, so the browser is made to refuse it as such a
policy would; Voila, among the hosts, has the policy.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from e2e import cells, leaks, popup
from e2e.browser import local_context
from e2e.conftest import shares_page
from e2e.kept_page import KeptPage
from e2e.kernel import KernelClient
from e2e.kernel_messages import record
from e2e.notebook import Notebook
from e2e.waiting import until
from e2e.widget import PATIENCE_MS, Widget

ADA = "ada@example.com"
REFUSE = """
WebAssembly.instantiate = WebAssembly.compile = () =>
  Promise.reject(new WebAssembly.CompileError("violates the Content Security Policy directive"));
"""


@pytest.fixture(scope="module")
def kept_page(browser):
    with KeptPage(browser, prepare=lambda context: context.add_init_script(REFUSE)) as kept:
        yield kept


@pytest.fixture
def context(context, request):
    if not shares_page(request):
        context.add_init_script(REFUSE)
    return context


@pytest.fixture
def far_context(far_browser):
    with local_context(far_browser) as context:
        record(context)
        context.add_init_script(REFUSE)
        yield context


def show(notebook):
    """Display the widget and have it show a link."""
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_status("security policy forbids WebAssembly")
    widget.click(widget.use_link_button)
    expect(widget.sign_in_link).to_be_visible(timeout=PATIENCE_MS)
    return widget


def follow(widget):
    """Follow the link, to a window that knows nothing of this page."""
    window = widget.open_popup(widget.sign_in_link)
    popup.answer_login(window, ADA)
    assert window.evaluate("() => window.opener === null")
    return window


def expect_end(window, text):
    """Wait for the last page, which has no code in its address any more."""
    expect(window.get_by_role("status")).to_contain_text(text, timeout=PATIENCE_MS)
    assert "?" not in window.url


@pytest.mark.kept_page
@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_signs_in_out_and_in_again(open_notebook, provider, iap_api, kind):
    notebook = open_notebook(
        cells.show_widget(provider, getattr(provider, kind)), cells.call_api(iap_api), "widget.sign_out()"
    )
    for _ in range(2):
        widget = show(notebook)
        window = follow(widget)
        popup.sign_in(window, ADA)
        expect_end(window, f"\u2068{ADA}\u2069. You can close this window")
        widget.wait_status(f"Signed in as {ADA}")
        notebook.run_cell(1)
        assert ADA in notebook.output(1)
        widget.click(widget.sign_out_button)
        widget.wait_status("security policy forbids WebAssembly")
    assert len(provider.exchanges()) == 2


def test_nothing_secret_is_left_behind(open_notebook, context, provider):
    """A sign-in by link leaves no verifier, token, code or state in the page or its files (C5, C70)."""
    traffic = leaks.Traffic(context)
    notebook = open_notebook(cells.show_widget(provider, provider.confidential))
    observer = notebook.kernel
    observer.value("1")
    widget = show(notebook)
    window = follow(widget)
    with KernelClient(notebook.lab, notebook.lab.kernel_of(notebook.path.name)) as insider:
        secrets = {"code verifier": insider.value("widget._attempt.hand_off.in_kernel._verifier")}
        with window.expect_request(lambda request: "code=" in request.url) as callback:
            popup.sign_in(window, ADA)
        expect_end(window, "Signed in")
        widget.wait_status(f"Signed in as {ADA}")
        for name in ("access_token", "id_token", "refresh_token"):
            secrets[name] = insider.value(f"widget.auth_manager.token_data.{name}")
    answer = parse_qs(urlsplit(callback.value.url).query)
    secrets |= {"code": answer["code"][0], "client secret": provider.confidential.client_secret}
    notebook.save()
    found = leaks.places(notebook, observer, traffic)
    assert leaks.find(secrets, {**found, "what the page sent": traffic.sent}) == []
    # Who listens to the kernel hears the link, and could as well ask for one.
    del found["iopub of a second client"], found[leaks.TO_PAGE]
    assert leaks.find({"state": answer["state"][0]}, found) == []


def test_pasting_the_address_of_a_page_that_does_not_load(
    lab, far_context, provider, unreachable_port, request
):
    """A pasted address signs in, and a wrong one is only reported."""
    source = cells.show_widget(provider, provider.confidential, redirect_ports=[unreachable_port])
    path = lab.write_notebook(f"{request.node.name}.ipynb", [source])
    with Notebook(far_context, lab, path) as notebook:
        widget = show(notebook)
        expect(widget.paste_field).to_be_hidden()
        window = follow(widget)
        popup.sign_in(window, ADA)
        address = popup.wait_unreachable(window, f"http://127.0.0.1:{unreachable_port}/?")
        widget.page.bring_to_front()
        widget.show_trouble()
        code = address.partition("code=")[2].partition("&")[0]
        widget.paste(code)
        expect(widget.paste_problem).to_contain_text("That's only the code", timeout=PATIENCE_MS)
        widget.paste(address.replace("state=", "state=x"))
        expect(widget.paste_problem).to_contain_text("belongs to another sign-in", timeout=PATIENCE_MS)
        assert provider.exchanges() == []
        widget.paste(address)
        widget.wait_status(f"Signed in as {ADA}")
        assert notebook.kernel.until("widget.is_authenticated")
        assert len(provider.exchanges()) == 1


@pytest.mark.kept_page
def test_the_callback_page_of_the_server_says_what_to_copy(open_notebook, lab, provider):
    """The callback page shows its address, and pasting it signs in."""
    provider.change(callback_pages=[lab.callback_page])
    notebook = open_notebook(cells.show_web_widget(provider, provider.confidential, lab.callback_page))
    widget = show(notebook)
    expect(widget.paste_field).to_be_visible(timeout=PATIENCE_MS)
    window = follow(widget)
    popup.sign_in(window, ADA)
    expect_end(window, "Copy the address of this page, and paste it in your notebook.")
    address = window.get_by_label("Address of this page").input_value()
    widget.page.bring_to_front()
    widget.paste(address)
    widget.wait_status(f"Signed in as {ADA}")


@pytest.mark.kept_page
def test_declining_says_so_in_both_places_and_the_next_link_works(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    widget = show(notebook)
    window = widget.open_popup(widget.sign_in_link)
    popup.answer_login(window, ADA)
    popup.decline(window)
    expect_end(window, "Access wasn't granted:")
    widget.wait_status("Access wasn't granted:")
    widget.click(widget.use_link_button)
    window = follow(widget)
    popup.sign_in(window, ADA)
    expect_end(window, "Signed in")
    widget.wait_status(f"Signed in as {ADA}")


@pytest.mark.kept_page
def test_a_link_that_was_given_up_signs_nobody_in(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    widget = show(notebook)
    window = follow(widget)
    widget.page.bring_to_front()
    widget.click(widget.cancel_button)
    widget.wait_status("security policy forbids WebAssembly")
    notebook.kernel.until("widget.status == 'Click to sign in'")
    popup.sign_in(window, ADA)
    window.get_by_text("belongs to another sign-in").wait_for()
    assert provider.exchanges() == []


@pytest.mark.kept_page
def test_the_kernel_restarts_in_between(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    widget = show(notebook)
    window = follow(widget)
    notebook.restart_kernel()
    widget.wait_status("un the cell again")
    expect(widget.sign_in_link).to_be_hidden()
    popup.sign_in(window, ADA)
    popup.wait_unreachable(window, "http://127.0.0.1:")
    assert provider.exchanges() == []
    widget = show(notebook)
    window = widget.open_popup(widget.sign_in_link)
    popup.sign_in(window, ADA)
    expect_end(window, "Signed in")
    widget.wait_status(f"Signed in as {ADA}")


@pytest.mark.kept_page
@pytest.mark.parametrize("call", ["widget.wait(timeout=120)", "await widget.signed_in(timeout=120)"])
def test_a_cell_that_waits_goes_on(open_notebook, provider, call):
    """A waiting cell returns after the user signs in by a link that was shown before."""
    notebook = open_notebook(
        cells.show_widget(provider, provider.public), f"account = {call}\nprint(account.email)"
    )
    widget = show(notebook)
    notebook.start_cell(1)
    notebook.wait_kernel("busy")
    window = follow(widget)
    popup.sign_in(window, ADA)
    expect_end(window, "Signed in")
    notebook.wait_kernel("idle")
    assert until(lambda: notebook.output(1), "the cell to end") == f"{ADA}\n"
    widget.wait_status(f"Signed in as {ADA}")
