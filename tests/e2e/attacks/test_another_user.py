"""Another user reads iopub of a kernel on TCP, which needs no key, and talks to the listener."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from page import Page

from e2e import cells, popup
from e2e.attacks.knowledge import tickets
from e2e.attacks.other_user import STRANGER, WAYS, OtherUser
from e2e.isolation import KERNELS_BY_PORT, RUNTIME
from e2e.jupyterlab import JupyterLab
from e2e.waiting import until
from e2e.widget import Widget

ADA = "ada@example.com"

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root can become another user"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with JupyterLab(tmp_path_factory.mktemp("jupyterlab"), kernels=KERNELS_BY_PORT) as lab:
        yield lab


@pytest.fixture
def stranger():
    with OtherUser() as stranger:
        assert stranger.user() == STRANGER
        yield stranger


@pytest.fixture
def notebook(open_notebook, lab, provider, stranger):
    """A notebook in whose kernel the stranger listens from the beginning."""
    notebook = open_notebook("'warm'", cells.show_widget(provider, provider.confidential))
    kernel_id = lab.kernel_of(notebook.path.name)
    connection = json.loads(Path(lab.env[RUNTIME], f"kernel-{kernel_id}.json").read_text())
    assert connection["transport"] == "tcp"
    stranger.listen_in(connection["iopub_port"])
    heard = []

    def hears() -> bool:
        notebook.run_cell(0)
        heard.extend(stranger.overheard())
        return bool(heard)

    until(hears, "the stranger to be connected")
    notebook.run_cell(1)
    Widget(notebook.page).wait_ready()
    return notebook


@pytest.fixture
def ticket(notebook, stranger):
    """What the stranger has learnt."""
    heard = []

    def ticket():
        heard.extend(stranger.overheard())
        return list(tickets(heard))

    return until(ticket, "a ticket on iopub")[-1]


def requests_of(page):
    """Everything that a page, or a popup, could ask the listener for."""
    posts = {
        "/tokentoss/register": page.registration(),
        "/tokentoss/where": {"ticket": page.ticket["id"], "key": page.registration()["key"]},
        "/tokentoss/relay": {"page_token": "x"},
        "/tokentoss/deliver": {"page_token": "x", "sealed": page.seal(b"{}")},
    }
    authority = urlsplit(page.listener).netloc
    for path in ("/tokentoss/start", f"{page.path}?code=c&state={page.state}"):
        yield f"GET {path} HTTP/1.1\r\nHost: {authority}\r\n\r\n"
    for path, content in posts.items():
        body = json.dumps(content)
        headers = {
            "Host": authority,
            "Origin": page.listener,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        yield f"POST {path} HTTP/1.1\r\n{lines}\r\n{body}"


@pytest.mark.parametrize("how", WAYS)
def test_every_request_is_refused(notebook, stranger, ticket, provider, how):
    """Every request of another user gets 403, and the user's own sign-in goes on."""
    page = Page(ticket)
    port = urlsplit(page.listener).port

    def refused():
        for request in requests_of(page):
            head, _, body = stranger.say(port, request, how=how).partition("\r\n\r\n")
            assert head.startswith("HTTP/1.1 403 "), request
            assert json.loads(body) == {"code": "peer_of_another_user"}, request

    refused()
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    refused()
    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    widget.wait_status(f"Signed in as {ADA}")
    assert notebook.kernel.until("widget.user_email") == ADA
    assert len(provider.exchanges()) == 1


def test_the_same_request_from_the_owner_is_answered(notebook, stranger, ticket):
    """The same request is answered if the kernel's own user sends it."""
    page = Page(ticket)
    assert page.register(says_yes=False).json()["client_id"] == ticket["client_id"]
