"""The language of a widget: the chosen one, or else that of the page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from fake_provider import FakeProvider
from test_accounts import sign_in
from tokentoss import AuthManager, AuthWidget, ConfigureWidget, error_codes, texts
from tokentoss.exceptions import error_for
from tokentoss.widgets.language import OF_PAGE
from tokentoss.widgets.sign_in_traits import failure_traits

Make = Callable[..., AuthManager]
ROOT = Path(__file__).parents[2]
ENGLISH_ENOUGH = ["en", "en-GB", "default", "tlh", "", None, 7, ["de"]]


def page_says(widget: AuthWidget | ConfigureWidget, language: object) -> None:
    widget._take_message(widget, {"type": "language", "language": language}, [])


def test_english_is_the_page_s_own(widget: AuthWidget) -> None:
    for language in ENGLISH_ENOUGH:
        page_says(widget, language)
        assert widget.texts == {}


def test_a_page_in_german(widget: AuthWidget) -> None:
    widget.publish(**failure_traits(error_for("loopback_unavailable", "127.0.0.1:8765")))
    assert widget.error.startswith("Python can't listen on 127.0.0.1:8765.")
    page_says(widget, "de-DE")
    assert widget.texts["language"] == "de"
    assert widget.error.startswith("Python kann auf 127.0.0.1:8765 keine Verbindungen annehmen.")
    widget.publish(**failure_traits(error_for("popup_closed", "127.0.0.1:43713")))
    assert widget.error.startswith("Das Popup scheint geschlossen zu sein.")
    assert "43713" not in widget.error
    assert (widget.error_code, widget.error_detail) == ("popup_closed", "127.0.0.1:43713")
    widget.publish(error="", error_code="")
    assert (widget.error, widget.error_detail) == ("", "")
    # Exceptions are not the page's.
    assert str(error_for("popup_closed")).startswith("The popup")
    page_says(widget, "en")
    assert widget.texts == {}


def test_who_is_signed_in_is_said_in_german(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    widget = AuthWidget(auth_manager=manager)
    sign_in(manager, fake, "ada")
    assert widget.status == "Signed in as ada@example.com"
    page_says(widget, "de")
    assert widget.status == "Angemeldet als ada@example.com"
    manager.sign_out()
    page_says(widget, "en")
    sign_in(manager, fake, "ada")
    page_says(widget, "en")
    assert widget.status == "Signed in as ada@example.com"


def test_the_end_of_a_session_is_said_in_german(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(max_session_lifetime_hours=1)
    widget = AuthWidget(auth_manager=manager)
    sign_in(manager, fake, "ada")
    with time_machine.travel(time.time() + 3601):
        assert manager.id_token is None
        assert widget.notice == error_codes.sentence("session_expired", "1 h")
        page_says(widget, "de")
        german = error_codes.sentence("session_expired", "1 h", language="de")
        assert (widget.notice, widget.error) == (german, "")
        assert german.startswith("Ihre Sitzung")
        # Also one that ends later.
        sign_in(manager, fake, "ada")
    with time_machine.travel(time.time() + 7300):
        assert manager.id_token is None
        assert widget.notice == german


def test_the_chosen_language_is_that_of_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "de")
    form = ConfigureWidget()
    page_says(form, "en-US")
    assert form.texts["language"] == "de"
    assert form.texts["errors"]["configuration_unsealed"].startswith("Der Client konnte nicht")
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "en")
    page_says(form, "de")
    assert ConfigureWidget().texts == {}


def test_a_page_gets_what_it_can_say(widget: AuthWidget) -> None:
    page_says(widget, "de")
    sent = widget.texts["errors"].keys()
    assert sent == {row["code"] for row in error_codes.table().values() if row["in_flow"]} | {*OF_PAGE}
    assert widget.texts["subjects"].keys() <= sent
    bundled = (ROOT / "scripts" / "bundle.mjs").read_text()
    said = re.search(r"const SENTENCES = \[(.*?)\]", bundled, re.DOTALL)
    assert said is not None
    assert set(re.findall(r'"(\w+)"', said[1])) <= set(sent)
