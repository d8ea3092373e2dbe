"""The package signs in at the provider of ``tokentoss demo`` and calls its API."""

from __future__ import annotations

import html
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from tokentoss import (
    AuthManager,
    ClientConfig,
    IAPClient,
    MemoryStorage,
    NoCredentialsError,
    Provider,
    ReauthRequiredError,
    ServiceUnauthenticatedError,
    TokenExchangeError,
)
from tokentoss.cli import demo as command
from tokentoss.cli import main
from tokentoss.demo import lab
from tokentoss.demo.api import PATH, DemoApi
from tokentoss.demo.grants import CLIENT_ID
from tokentoss.demo.notebook import notebook
from tokentoss.demo.provider import DemoProvider
from tokentoss.oauth.pkce import code_challenge

VERIFIER = "v" * 43
CALLBACK = "http://127.0.0.1:12345/"
ADA = "ada@example.com"


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoProvider]:
    with DemoProvider() as provider:
        yield provider


@pytest.fixture
def manager(demo: DemoProvider) -> AuthManager:
    provider = Provider.discover(demo.issuer)
    client = ClientConfig(
        CLIENT_ID, auth_uri=provider.authorization_endpoint, token_uri=provider.token_endpoint
    )
    return AuthManager(client, storage=MemoryStorage(), provider=provider)


@pytest.fixture
def api(demo: DemoProvider) -> Iterator[DemoApi]:
    with DemoApi(Provider.discover(demo.issuer)) as api:
        yield api


def ask(manager: AuthManager, **changed: str | None) -> requests.Response:
    """Open the sign-in page."""
    address = manager.get_authorization_url(code_challenge(VERIFIER), CALLBACK, "state-1")
    query: dict[str, Any] = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    query |= changed
    return requests.get(address.partition("?")[0], params=query, timeout=10)


def answer(page: requests.Response, **form: str) -> requests.Response:
    """Send a form of the page."""
    match = re.search(r'name="request" value="([^"]+)"', page.text)
    assert match is not None
    data = {"request": html.unescape(match[1]), **form}
    return requests.post(page.url.partition("?")[0], data=data, allow_redirects=False, timeout=10)


def members(back: requests.Response) -> dict[str, str]:
    assert back.status_code == 303
    assert back.headers["Location"].startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["Location"]).query).items()}


def sign_in(manager: AuthManager, email: str = ADA) -> dict[str, str]:
    told = members(answer(ask(manager), email=email))
    manager.exchange_code(told["code"], VERIFIER, CALLBACK)
    return told


def test_a_whole_sign_in_and_a_call(manager: AuthManager, api: DemoApi, demo: DemoProvider) -> None:
    told = sign_in(manager)
    assert (told["state"], told["iss"]) == ("state-1", demo.issuer)
    assert manager.user_email == ADA
    tokens = manager.token_data
    assert tokens is not None
    assert tokens.signature_checked
    client = IAPClient(base_url=api.base_url, auth_manager=manager)
    assert client.get_json(PATH)["email"] == ADA
    assert manager.userinfo()["name"] == "Ada"
    before = tokens.refresh_token
    manager.refresh_tokens()
    assert manager.token_data is not None
    assert manager.token_data.refresh_token != before
    assert client.get_json(PATH)["email"] == ADA
    assert manager.sign_out(revoke=True).error is None
    with pytest.raises(NoCredentialsError):
        client.get_json(PATH)


def test_the_page_says_what_it_is(manager: AuthManager) -> None:
    page = ask(manager, login_hint="lin@example.com")
    assert "no passwords" in page.text
    assert 'type="password"' not in page.text
    assert page.text.index("lin@example.com") < page.text.index(ADA)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    hostile = ask(manager, login_hint='"><script>@x', scope='openid "><img src=x>')
    assert "<script" not in hostile.text
    assert "<img" not in hostile.text


def test_nobody_signs_in(manager: AuthManager) -> None:
    assert members(answer(ask(manager), cancel="1"))["error"] == "access_denied"


@pytest.mark.parametrize("email", ["", "ada", "@", "a@b@c", "a b@c", "x" * 101 + "@y"])
def test_what_is_no_address_is_asked_again(manager: AuthManager, email: str) -> None:
    again = answer(ask(manager), email=email)
    assert again.status_code == 400
    assert "That is no e-mail address." in again.text
    assert "code" in members(answer(again, email="GRACE@example.com "))


def test_a_form_is_answered_once(manager: AuthManager) -> None:
    page = ask(manager)
    assert answer(page, email=ADA).status_code == 303
    assert answer(page, email=ADA).status_code == 400


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("client_id", "another"),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "http://127.0.0.1.evil.example/"),
        ("redirect_uri", "http://user@127.0.0.1/"),
        ("redirect_uri", "http://127.0.0.1:99999/"),
        ("redirect_uri", None),
        ("response_type", "token"),
        ("code_challenge", None),
        ("code_challenge_method", "plain"),
        ("scope", "email"),
        ("state", None),
    ],
)
def test_requests_that_lead_nowhere(manager: AuthManager, member: str, value: str | None) -> None:
    page = ask(manager, **{member: value})
    assert page.status_code == 400
    assert member in page.text
    assert "name=" not in page.text.partition("<main>")[2]


def test_a_code_is_for_one_use_and_its_verifier(manager: AuthManager) -> None:
    told = sign_in(manager)
    with pytest.raises(TokenExchangeError):
        manager.exchange_code(told["code"], VERIFIER, CALLBACK)
    told = members(answer(ask(manager), email=ADA))
    with pytest.raises(TokenExchangeError):
        manager.exchange_code(told["code"], "w" * 43, CALLBACK)


def test_a_refresh_token_is_for_one_use(manager: AuthManager, demo: DemoProvider) -> None:
    sign_in(manager)
    assert manager.token_data is not None
    form = {
        "grant_type": "refresh_token",
        "client_id": CLIENT_ID,
        "refresh_token": manager.token_data.refresh_token,
    }
    assert requests.post(demo.issuer + "/token", data=form, timeout=10).ok
    with pytest.raises(ReauthRequiredError):
        manager.refresh_tokens()


@pytest.mark.parametrize(
    ("origin", "is_told"),
    [
        ("http://localhost:8888", True),
        ("http://127.0.0.1:8888", True),
        ("https://evil.example", False),
        ("null", False),
        ("http://[", False),
    ],
)
def test_pages_of_this_computer_may_redeem_codes(demo: DemoProvider, origin: str, is_told: bool) -> None:
    refused = requests.post(
        demo.issuer + "/token",
        data={"grant_type": "authorization_code", "client_id": CLIENT_ID},
        headers={"Origin": origin},
        timeout=10,
    )
    assert refused.json() == {"error": "invalid_grant"}
    assert (refused.headers.get("Access-Control-Allow-Origin") == origin) is is_told


def test_other_names_and_addresses_do_not_lead_here(demo: DemoProvider) -> None:
    port = urlsplit(demo.issuer).port
    assert port is not None
    answered = requests.get(
        demo.issuer + "/.well-known/openid-configuration",
        headers={"Host": f"evil.example:{port}"},
        timeout=10,
    )
    assert answered.status_code == 421
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_the_api_takes_nobody_elses_token(manager: AuthManager, api: DemoApi) -> None:
    with DemoProvider() as other:
        provider = Provider.discover(other.issuer)
        client = ClientConfig(
            CLIENT_ID, auth_uri=provider.authorization_endpoint, token_uri=provider.token_endpoint
        )
        stranger = AuthManager(client, storage=MemoryStorage(), provider=provider)
        sign_in(stranger)
        with pytest.raises(ServiceUnauthenticatedError):
            IAPClient(base_url=api.base_url, auth_manager=stranger).get_json(PATH)
    sign_in(manager)
    with pytest.raises(Exception, match="404"):
        IAPClient(base_url=api.base_url, auth_manager=manager).get_json("/other")
    assert requests.get(api.base_url + PATH, timeout=10).status_code == 401


def test_the_notebook_is_one(api: DemoApi, demo: DemoProvider) -> None:
    nbformat = pytest.importorskip("nbformat")
    document = json.loads(notebook(demo.issuer, api.base_url))
    nbformat.validate(document)
    sources = [cell["source"] for cell in document["cells"] if cell["cell_type"] == "code"]
    assert demo.issuer in sources[0]
    assert api.base_url in sources[1]
    for source in sources:
        compile(source, "cell", "exec")


def test_without_jupyterlab_and_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab, "is_installed", lambda: False)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    assert main(["demo"]) == 1
    assert "`pip install jupyterlab`" in capsys.readouterr().out


def test_without_jupyterlab_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab, "is_installed", lambda: False)
    monkeypatch.setattr(command, "has_terminal", lambda: True)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    monkeypatch.setattr(command, "sign_in", sign_in)
    assert main(["demo"]) == 0
    said = capsys.readouterr().out
    assert "no passwords" in said
    assert f"Signed in as {ADA}" in said
    assert '"sample": "A-1"' in said
