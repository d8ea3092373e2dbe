"""Several accounts at a broker: the widget says so and lets the user choose."""

from __future__ import annotations

import pytest
from broker_steps import ADA, Make, until
from tokentoss import AuthWidget, NoCredentialsError, texts
from tokentoss.broker import BrokerClient, FakeBroker
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.session.summary import said_of

BOB = "bob@example.com"


@pytest.fixture
def widget(broker: FakeBroker, brokered: Make) -> AuthWidget:
    """A widget that is shown while two accounts are connected, and has found that out."""
    for subject, email in (("ada", ADA), ("bob", BOB)):
        broker.connect("google", subject=subject, email=email)
    widget = brokered()
    widget._repr_mimebundle_()
    until(lambda: widget.error_code)
    return widget


def say(widget: AuthWidget, **content: object) -> None:
    widget._take_message(None, content, None)


def listed(widget: AuthWidget) -> dict[str, str]:
    """The accounts that the page offers, by how they are shown."""
    until(lambda: widget.choice.get("accounts"))
    return {one["name"]: one["id"] for one in widget.choice["accounts"]}


def test_the_user_chooses_one(broker: FakeBroker, widget: AuthWidget) -> None:
    assert widget.error_code == "account_ambiguous"
    assert widget.error == (
        f"Several accounts are connected at {broker.url}. "
        "Choose one in the widget, or name it as account= in your code."
    )
    assert (widget.status, widget.is_authenticated) == (f"Error: {widget.error}", False)
    names = listed(widget)
    assert set(names) == {ADA, BOB}
    say(widget, type="use_account", id=names[BOB])
    until(lambda: widget.is_authenticated)
    assert (widget.user_email, widget.error, widget.is_choosing) == (BOB, "", False)
    say(widget, type="use_account", id=names[ADA])
    assert widget.user_email == BOB, "chosen once"


def test_or_signs_in_with_another_one(broker: FakeBroker, widget: AuthWidget) -> None:
    until(lambda: widget.broker)
    assert widget.broker["url"].endswith("?account=another")
    broker.sign_in(broker.attempts[widget.broker["id"]], subject="eve", email="eve@example.com")
    until(lambda: widget.is_authenticated)
    assert widget.user_email == "eve@example.com"


def test_clicks_lead_on(widget: AuthWidget) -> None:
    """After each click, the widget still offers the choice of accounts."""
    for _ in range(2):
        say(widget, type="keep_account")
        until(lambda: widget.error_code == "account_ambiguous")
        assert set(listed(widget)) == {ADA, BOB}
        say(widget, type="ask_for_ticket")
        assert widget.choice["offered"]
        until(lambda: widget.broker)
        assert set(listed(widget)) == {ADA, BOB}
    say(widget, type="choose_account")
    assert widget.is_choosing


@pytest.mark.parametrize("code", ["storage_unavailable", "caller_forbidden"])
def test_another_account_stays_offered_after_any_failure(
    broker: FakeBroker, brokered: Make, code: str
) -> None:
    broker.failures = [{"code": code}] * 2
    widget = brokered()
    widget._repr_mimebundle_()
    for _ in range(2):
        until(lambda: widget.error_code == code)
        assert widget.choice == {"offered": True}
        say(widget, type="ask_for_ticket")
        assert widget.choice == {"offered": True}
    until(lambda: widget.broker)
    assert (widget.choice, widget.error) == ({"offered": True}, "")


def test_who_waits_hears_of_it(broker: FakeBroker, brokered: Make) -> None:
    """wait() raises account_ambiguous if several accounts are connected."""
    for subject, email in (("ada", ADA), ("bob", BOB)):
        broker.connect("google", subject=subject, email=email)
    widget = brokered()
    with pytest.raises(NoCredentialsError) as caught:
        widget.wait(20)
    assert caught.value.code == "account_ambiguous"
    assert set(listed(widget)) == {ADA, BOB}


def test_in_german(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "de")
    for subject in ("ada", "bob"):
        broker.connect("google", subject=subject)
    said = f"Bei {broker.url} sind mehrere Konten verbunden. Wählen Sie eines"
    with pytest.raises(NoCredentialsError) as caught:
        BrokerClient(broker.broker()).get_valid_provider_access_token("google")
    assert str(caught.value).startswith(said)
    assert (caught.value.code, caught.value.subject) == ("account_ambiguous", broker.url)
    failure = BrokerManager(broker.broker()).sign_out().error
    assert failure is not None
    assert str(failure).startswith(said)
    for one in (failure, caught.value):
        assert said_of(one, "de").startswith(said)
        assert said_of(one, "en") == one.in_english()
        assert one.in_english().startswith(f"Several accounts are connected at {broker.url}.")
