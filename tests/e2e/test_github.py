"""GitHub's token endpoint cannot be read by pages: the code goes to the kernel."""

from __future__ import annotations

import pytest
from servers.github_like import TOKEN, USER, GitHubLike

from e2e import popup
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page


@pytest.fixture
def github():
    with GitHubLike() as server:
        yield server


def show(github, secret_file):
    """A cell that makes a widget of GitHub's data with the addresses of the stand-in."""
    provider = github.provider()
    names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "identity_endpoint")
    addresses = {name: getattr(provider, name) for name in names}
    return f"""
import dataclasses, pathlib
from tokentoss import AuthWidget, MemoryStorage, Provider

provider = dataclasses.replace(Provider.named("github"), **{addresses!r})
secret = pathlib.Path({str(secret_file)!r}).read_text()
widget = AuthWidget(
    provider=provider, client_id={github.client.client_id!r}, client_secret=secret, storage=MemoryStorage()
)
display(widget)"""


@pytest.fixture
def notebook(open_notebook, github, tmp_path):
    secret_file = tmp_path / "client_secret"
    secret_file.touch(mode=0o600)
    secret_file.write_text(github.client.client_secret)
    notebook = open_notebook(show(github, secret_file))
    notebook.run_cell(0)
    return notebook


def test_signs_in(notebook, github):
    widget = Widget(notebook.page)
    widget.wait_ready()
    assert widget.sign_in_button.inner_text() == "Sign in with GitHub"
    popup.wait_closed(widget.open_popup())
    widget.wait_status(f"Signed in as {USER['login']}")
    notebook.kernel.until("widget.is_authenticated")
    asked = [request for request in github.requests if request.path == TOKEN]
    assert [request.headers["Origin"] for request in asked] == [None], "the page asked"


def test_a_user_who_declines(notebook, github):
    github.declines = True
    widget = Widget(notebook.page)
    widget.open_popup()
    notebook.kernel.until("widget.error_code == 'access_denied'")
    assert github.forms(TOKEN) == []
    github.declines = False
    popup.wait_closed(widget.open_popup())
    widget.wait_status(f"Signed in as {USER['login']}")
