"""A sign-in widget without a client shows the form in its place, and the button once there is one."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

import IPython
import pytest
import tokentoss
from fake_provider import FakeProvider
from ipywidgets import VBox
from ipywidgets.widgets import widget as ipywidgets_internals
from test_configure_widget import CLIENT_ID, FILE, SECRET, credentials, file, submit
from test_login import Notebook, notebook
from tokentoss import (
    GOOGLE,
    AuthWidget,
    BoxAuthWidget,
    ClientSecretsNotFoundError,
    ConfigureWidget,
    GoogleAuthWidget,
    Provider,
)

__all__ = ["notebook"]

VIEW = "application/vnd.jupyter.widget-view+json"
NEXT = "There's no OAuth client yet. Fill in the form above, then run this cell again."

pytestmark = pytest.mark.usefixtures("notebook")


def shown(widget: AuthWidget) -> VBox:
    """What the output of a cell shows of a widget."""
    bundle = widget._repr_mimebundle_()
    assert bundle is not None
    assert "Run this cell in a live notebook" in bundle[0]["text/html"]
    return ipywidgets_internals._instances[bundle[0][VIEW]["model_id"]]


def form_of(box: VBox) -> ConfigureWidget:
    form = box.children[0]
    assert isinstance(form, ConfigureWidget)
    return form


@pytest.mark.parametrize("make", [GoogleAuthWidget, AuthWidget, lambda: AuthWidget(provider=GOOGLE)])
def test_the_form_and_then_the_button(make: Any) -> None:
    widget = make()
    box = shown(widget)
    assert list(box.children) == [form_of(box)]
    assert (widget.is_authenticated, widget.ticket, widget.error_code) == (
        False,
        {},
        "client_secrets_missing",
    )

    submit(form_of(box), credentials())

    assert shown(widget) is box, "the output stays the same"
    assert list(box.children) == [form_of(box), widget]
    assert widget.auth_manager.client_config.client_id == CLIENT_ID
    assert (widget.status, widget.error, widget.error_code) == ("Click to sign in", "", "")
    assert widget.ticket["client_id"] == CLIENT_ID
    widget.close()
    assert box.comm is None
    assert form_of(box).comm is None


def test_nothing_else_is_to_be_had_before() -> None:
    widget = GoogleAuthWidget()
    assert (widget.credentials, widget.is_connected, widget.granted_scopes, widget.missing_scopes) == (
        None,
        False,
        [],
        [],
    )
    assert repr(widget) == "GoogleAuthWidget(provider='Google', is_authenticated=False)"
    for use in (
        lambda: widget.auth_manager,
        widget.wait,
        widget.sign_out,
        lambda: widget.request_scopes("drive"),
    ):
        with pytest.raises(ClientSecretsNotFoundError, match=NEXT):
            use()
    for kind in ("ping", "sign_out", "ask_for_code", "ask_for_ticket", "report", "introduce", "draw_qr"):
        if kind != "sign_out":
            widget._take_message(widget, {"type": kind}, [])
    widget.close()
    widget.close()


def test_a_task_that_waits_for_the_sign_in_waits_for_the_client_too(notebook: Notebook) -> None:
    widget = GoogleAuthWidget()
    outcome = widget._outcome(blocking=False)
    submit(form_of(shown(widget)), credentials())
    assert not outcome.done()
    widget.close()
    with pytest.raises(tokentoss.SignInError) as failure:
        outcome.result(0)
    assert failure.value.code == "widget_closed"


def test_what_was_refused_changes_nothing() -> None:
    widget = GoogleAuthWidget()
    box = shown(widget)
    submit(form_of(box), credentials(secret=""))
    assert len(box.children) == 1
    assert widget.error_code == "client_secrets_missing"
    submit(form_of(box), credentials())
    assert len(box.children) == 2


def test_a_view_in_a_box_of_the_users_finds_a_client_that_was_installed_otherwise() -> None:
    widget = GoogleAuthWidget()
    widget._take_message(widget, {"type": "ask_for_ticket"}, [])
    assert (widget.ticket, widget.error_code) == ({}, "client_secrets_missing")
    tokentoss.configure(client_id=CLIENT_ID, client_secret=SECRET)
    widget._take_message(widget, {"type": "ask_for_ticket"}, [])
    assert (widget.ticket["client_id"], widget.error) == (CLIENT_ID, "")


def test_a_client_of_another_provider_is_named_and_can_be_replaced(fake: FakeProvider) -> None:
    widget = GoogleAuthWidget()
    box = shown(widget)
    foreign = FILE["installed"] | {"auth_uri": fake.issuer + "/auth", "token_uri": fake.issuer + "/token"}
    submit(form_of(box), file({"installed": foreign}))
    assert list(box.children) == [form_of(box), widget]
    assert widget.error_code == "provider_required"
    submit(form_of(box), credentials())
    assert (widget.error, widget.auth_manager.client_config.client_id) == ("", CLIENT_ID)
    submit(form_of(box), credentials("2-b.apps.googleusercontent.com"))
    assert widget.ticket["client_id"] == "2-b.apps.googleusercontent.com"
    assert SECRET not in json.dumps(form_of(box).get_state(), default=str)


def test_widgets_beside_each_other_find_the_client_on_their_own() -> None:
    first, second = GoogleAuthWidget(), GoogleAuthWidget()
    submit(form_of(shown(first)), credentials())
    assert first.ticket
    assert not second.ticket
    assert GoogleAuthWidget().ticket, "the cell that is run again"


def test_it_is_collected_with_its_form() -> None:
    widget = GoogleAuthWidget()
    box, form = shown(widget), form_of(shown(widget))
    submit(form, credentials())
    kept = [weakref.ref(one) for one in (widget, box, form)]
    widget.let_go()
    form.let_go()
    del widget, box, form
    gc.collect()
    assert [one() for one in kept] == [None] * 3


# Where nobody can fill it in, or it would not help


def refused(make: Any) -> None:
    with pytest.raises(ClientSecretsNotFoundError):
        make()


def test_a_program_that_executes_the_notebook(notebook: Notebook) -> None:
    notebook.kernel._allow_stdin = False
    refused(GoogleAuthWidget)


def test_an_app_that_several_people_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an app for several people, a missing client raises instead of showing the form."""
    monkeypatch.setenv("TOKENTOSS_APP_HOST", "1")
    refused(GoogleAuthWidget)


def test_a_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named client file that is missing raises instead of showing the form."""
    refused(lambda: GoogleAuthWidget(client_secrets_path=tmp_path / "none.json"))
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(tmp_path / "none.json"))
    refused(GoogleAuthWidget)


def test_a_provider_that_the_form_is_not_for(fake: FakeProvider) -> None:
    refused(BoxAuthWidget)
    refused(lambda: AuthWidget(provider=fake.provider()))
    refused(lambda: tokentoss.login(provider=Provider.named("box")))


@pytest.mark.parametrize("kernel", [None, "terminal"])
def test_no_notebook(monkeypatch: pytest.MonkeyPatch, kernel: str | None) -> None:
    monkeypatch.setattr(IPython, "get_ipython", lambda: None if kernel is None else object())
    refused(GoogleAuthWidget)


# The same in one call


def test_login_shows_it_as_well(notebook: Notebook) -> None:
    with pytest.raises(ClientSecretsNotFoundError, match=NEXT):
        tokentoss.login()
    (widget,) = notebook.shown
    submit(form_of(shown(widget)), credentials())
    assert widget.ticket["client_id"] == CLIENT_ID
