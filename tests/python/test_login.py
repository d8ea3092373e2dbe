"""``tokentoss.login()``: in a notebook, a terminal, a script, and with a broker."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import IPython
import pytest
import tokentoss
from broker_steps import until
from command_steps import Store
from fake_provider import Answer, FakeProvider
from page import Page
from test_cli_sign_in import User, typing
from test_widget import from_page
from tokentoss import (
    AuthManager,
    AuthWidget,
    BrokerManager,
    ClientSecretsNotFoundError,
    ConfigurationError,
    FileStorage,
    NoCredentialsError,
    SignInError,
    TokenTossError,
    error_codes,
)
from tokentoss.broker import FakeBroker
from tokentoss.storage.token_data import iso_time

ADA, GRACE = "ada@example.com", "grace@example.com"


@pytest.fixture
def user(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> User:
    return User(fake, monkeypatch)


class Notebook:
    """A kernel with a page in front of it, or none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kernel = SimpleNamespace(_allow_stdin=True, get_parent=dict)
        self.shown: list[AuthWidget] = []
        self.act: Callable[[AuthWidget], None] = lambda widget: None
        monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=self.kernel))
        monkeypatch.setattr(IPython.display, "display", self.display)

    def display(self, widget: AuthWidget) -> None:
        self.shown.append(widget)
        widget._repr_mimebundle_()
        # The page acts while the cell waits.
        threading.Thread(target=self.act, args=(widget,), daemon=True).start()


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch, recorded: None) -> Any:
    notebook = Notebook(monkeypatch)
    yield notebook
    for widget in notebook.shown:
        widget.close()


def refused(code: str, **arguments: Any) -> TokenTossError:
    with pytest.raises(TokenTossError) as failure:
        tokentoss.login(**arguments)
    assert failure.value.code == code
    return failure.value


# Somebody is signed in already


@pytest.mark.usefixtures("configured")
def test_a_stored_account_is_used_as_it_is(store: Store, fake: FakeProvider, notebook: Notebook) -> None:
    store()
    manager = tokentoss.login()
    assert isinstance(manager, AuthManager)
    assert manager.user_email == ADA
    assert manager.credentials is not None
    assert notebook.shown == []
    assert fake.calls("/token") == 0


@pytest.mark.usefixtures("configured")
def test_a_stored_account_whose_grant_has_ended_signs_in_anew(
    store: Store, fake: FakeProvider, user: User
) -> None:
    store(expiry=iso_time(time.time() - 10), id_token_lifetime=-10)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    user.sit_down()
    credentials = tokentoss.login(provider=fake.issuer).credentials
    assert credentials is not None
    assert credentials.valid
    assert "Opening your browser" in user.saw


@pytest.mark.usefixtures("configured")
def test_a_stored_account_that_cannot_be_renewed_now_is_kept(store: Store, fake: FakeProvider) -> None:
    store(expiry=iso_time(time.time() - 10), id_token_lifetime=-10)
    fake.answers["/token"] = Answer(503)
    assert tokentoss.login(provider=fake.issuer).user_email == ADA


@pytest.mark.usefixtures("configured")
def test_what_a_stored_account_was_not_granted(store: Store, fake: FakeProvider) -> None:
    store()
    manager = tokentoss.login(provider=fake.issuer, scopes=["openid", "drive"])
    assert manager.missing_scopes == ["drive"]


def test_a_client_that_is_named(configured: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store()
    monkeypatch.delenv("TOKENTOSS_CLIENT_SECRETS")
    with pytest.raises(ClientSecretsNotFoundError):
        tokentoss.login()
    assert tokentoss.login(client_secrets_path=configured).user_email == ADA
    # A client that is given is not the broker's.
    monkeypatch.setenv("TOKENTOSS_BROKER", "https://broker.example")
    assert tokentoss.login(client_secrets_path=str(configured)).user_email == ADA


def test_all_arguments_are_named() -> None:
    with pytest.raises(TypeError):
        tokentoss.login("google")  # type: ignore[misc]


# A notebook


@pytest.mark.usefixtures("configured")
def test_a_notebook_shows_the_widget_and_waits(fake: FakeProvider, notebook: Notebook) -> None:
    notebook.act = lambda widget: from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    manager = tokentoss.login(provider=fake.provider())
    (widget,) = notebook.shown
    assert isinstance(widget, AuthWidget)
    assert widget.auth_manager is manager
    assert manager.user_email == ADA
    assert tokentoss.login(provider=fake.provider()).user_email == ADA
    assert len(notebook.shown) == 1


@pytest.mark.usefixtures("configured")
def test_a_sign_in_that_fails_in_a_notebook(fake: FakeProvider, notebook: Notebook) -> None:
    notebook.act = lambda widget: from_page(
        widget, sealed_tokens=Page(widget.ticket).envelope(fake, {"nonce": "another"})
    )
    refused("id_token_nonce_mismatch", provider=fake.provider())


@pytest.mark.usefixtures("configured")
def test_nobody_signs_in(fake: FakeProvider, notebook: Notebook) -> None:
    failure = refused("wait_timed_out", provider=fake.provider(), timeout=0.05)
    assert isinstance(failure, SignInError)
    assert len(notebook.shown) == 1


@pytest.mark.usefixtures("configured")
def test_a_kernel_that_cannot_wait(
    fake: FakeProvider, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a kernel cannot wait, login() shows the button and raises login_impossible."""
    monkeypatch.setattr("tokentoss.callback.attempt.can_listen", lambda: False)
    failure = refused("login_impossible", provider=fake.provider())
    assert str(failure).endswith("Sign in with the button of AuthWidget(), and continue in the next cell.")
    assert len(notebook.shown) == 1


@pytest.mark.parametrize("host", ["app", "marimo"])
@pytest.mark.usefixtures("configured")
def test_hosts_that_show_widgets_only_after_the_code(
    fake: FakeProvider, notebook: Notebook, user: User, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """In marimo and apps, login() raises and uses no terminal or widget."""
    if host == "app":
        monkeypatch.setenv("TOKENTOSS_APP_HOST", "1")
    else:
        marimo = SimpleNamespace(running_in_notebook=lambda: True)
        monkeypatch.setitem(sys.modules, "marimo", marimo)
        monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    user.sit_down()
    failure = refused("login_impossible", provider=fake.provider())
    assert ("marimo" if host == "marimo" else "an app that several people use") in str(failure)
    assert (notebook.shown, user.opened) == ([], [])


@pytest.mark.usefixtures("configured")
def test_a_notebook_that_a_program_executes(fake: FakeProvider, notebook: Notebook) -> None:
    """In an executed notebook, login() raises and shows no widget."""
    notebook.kernel._allow_stdin = False
    refused("no_credentials_unattended", provider=fake.provider())
    assert notebook.shown == []


# A terminal, and none


@pytest.mark.usefixtures("configured")
def test_a_terminal(fake: FakeProvider, user: User, capsys: pytest.CaptureFixture[str]) -> None:
    user.sit_down()
    manager = tokentoss.login(provider=fake.issuer)
    assert manager.user_email == ADA
    assert [tokens.user_email for tokens in FileStorage().load_all()] == [ADA]
    assert capsys.readouterr().out == "", "the output is the script's own"
    assert "Opening your browser" in user.saw


@pytest.mark.usefixtures("configured")
def test_ipython_in_a_terminal(fake: FakeProvider, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IPython, "get_ipython", SimpleNamespace)
    user.sit_down()
    assert tokentoss.login(provider=fake.issuer).user_email == ADA


@pytest.mark.usefixtures("configured")
def test_a_script(fake: FakeProvider) -> None:
    failure = refused("no_credentials_unattended", provider=fake.issuer)
    assert isinstance(failure, NoCredentialsError)
    assert str(failure) == error_codes.sentence("no_credentials_unattended")
    for step in ("`tokentoss sign-in`", "TOKENTOSS_BROKER", "service account"):
        assert step in str(failure)


def test_a_script_without_a_client() -> None:
    with pytest.raises(ClientSecretsNotFoundError):
        tokentoss.login()


@pytest.mark.parametrize(
    ("provider", "code"), [("nobody", "provider_unknown"), ("http://a.example", "endpoint_insecure")]
)
def test_a_provider_that_is_none(provider: str, code: str) -> None:
    refused(code, provider=provider)


# A broker


@pytest.fixture
def asks(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    return broker


@pytest.mark.parametrize("named", [False, True])
def test_an_account_of_the_broker(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, configured: Path, store: Store, named: bool
) -> None:
    """login() with a broker uses the broker's account, not a stored one."""
    store(GRACE)
    broker.connect("google", email=ADA)
    if not named:
        monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
        monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    manager = tokentoss.login(broker=broker.broker() if named else None)
    assert isinstance(manager, BrokerManager)
    assert manager.user_email == ADA
    assert manager.id_token is not None


def test_a_notebook_with_a_broker(asks: FakeBroker, notebook: Notebook) -> None:
    def act(widget: AuthWidget) -> None:
        until(lambda: widget.broker)
        asks.sign_in(asks.attempts[widget.broker["id"]], email=ADA)

    notebook.act = act
    manager = tokentoss.login()
    assert isinstance(manager, BrokerManager)
    assert manager.user_email == ADA
    assert len(notebook.shown) == 1


def test_a_terminal_with_a_broker(asks: FakeBroker, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(user, asks, monkeypatch, lambda code: code + "\n")
    user.sit_down()
    manager = tokentoss.login()
    assert isinstance(manager, BrokerManager)
    assert manager.user_email == ADA
    assert not FileStorage().exists()


def test_a_script_with_a_broker(asks: FakeBroker) -> None:
    refused("no_credentials_unattended")
    asks.connect("google", email=ADA)
    asks.connect("google", subject="subject-2", email=GRACE)
    refused("account_ambiguous")


def test_a_broker_that_is_away(broker: FakeBroker) -> None:
    where = broker.broker()
    broker.close()
    refused("broker_unreachable", broker=where)


def test_a_broker_beside_a_client(asks: FakeBroker, configured: Path) -> None:
    failure = refused("broker_conflict", broker=asks.url, client_secrets_path=configured)
    assert isinstance(failure, ConfigurationError)


def test_an_app_whose_broker_names_no_user(asks: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app whose broker names no user raises broker_user_missing."""
    monkeypatch.setenv("TOKENTOSS_APP_HOST", "1")
    asks.connect("google", email=ADA)
    refused("broker_user_missing")
