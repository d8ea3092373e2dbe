"""Changing to another account: a stored one, or a sign-in that asks for the account."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import tokentoss
from broker_steps import Make as MakeBrokered
from broker_steps import offered, say, until
from fake_provider import Answer, FakeProvider
from page import Page
from test_accounts import of, sign_in
from test_widget import from_page, message
from test_widget_link import Link
from tokentoss import GOOGLE, AuthManager, AuthWidget, FileStorage, MemoryStorage, Provider, StorageError
from tokentoss.broker import FakeBroker
from tokentoss.oauth import catalogue, discovery
from tokentoss.widgets import account_choice

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")
ADA, BOB = "ada@example.com", "bob@example.com"


def two_accounts(make_manager: Make, fake: FakeProvider) -> AuthManager:
    """A manager to which bob signed in before ada."""
    for user in ("bob", "ada"):
        sign_in(make_manager(storage=FileStorage()), fake, user)
    tokentoss.CREDENTIALS = None
    return make_manager(storage=FileStorage())


def choices(widget: AuthWidget) -> dict[str, str]:
    return {entry["name"]: entry["id"] for entry in widget.choice["accounts"]}


def parameters(widget: AuthWidget) -> dict[str, str]:
    found: dict[str, str] = widget.ticket["provider"]["authorization_params"]
    return found


def test_another_account_signs_in_beside_the_first(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(storage=FileStorage())
    sign_in(manager, fake, "ada")
    widget = AuthWidget(auth_manager=manager)
    assert widget.choice == {"offered": True}
    message(widget, {"type": "choose_account"})
    assert widget.choice == {"offered": True, "accounts": [], "current": ADA, "provider_asks": True}
    assert parameters(widget)["prompt"] == "select_account"
    assert widget.ticket["login_hint"] is None, "a hint would name the account that is not wanted"
    assert (manager.is_authenticated, widget.user_email) == (True, ADA), "who is signed in stays so meanwhile"
    ticket = widget.ticket["id"]
    for content in ({"type": "ping", "id": 1}, {"type": "choose_account"}, {"type": "ask_for_ticket"}):
        message(widget, content)
    assert widget.ticket["id"] == ticket, "a popup that is open by now goes on"
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake, {"sub": "bob", "email": BOB}))
    assert (widget.user_email, widget.ticket, widget.choice) == (BOB, {}, {"offered": True})
    assert widget.status == f"Signed in as {BOB}", "it is no surprise that this is somebody else"
    assert [account.email for account in manager.accounts()] == [BOB, ADA]
    assert make_manager(storage=FileStorage()).user_email == BOB, "the latest sign-in is the default"


def test_the_same_account_again_ends_the_choice(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=two_accounts(make_manager, fake))
    message(widget, {"type": "choose_account"})
    sign_in(widget.auth_manager, fake, "ada")
    assert (widget.user_email, widget.ticket, widget.choice) == (ADA, {}, {"offered": True})


def test_a_stored_account_is_used_without_a_sign_in(make_manager: Make, fake: FakeProvider) -> None:
    manager = two_accounts(make_manager, fake)
    widget, beside = AuthWidget(auth_manager=manager), AuthWidget(auth_manager=manager)
    message(widget, {"type": "choose_account"})
    assert list(choices(widget)) == [BOB], "who is in use is no choice"
    message(widget, {"type": "use_account", "id": choices(widget)[BOB]})
    assert (widget.user_email, beside.user_email) == (BOB, BOB)
    assert (widget.ticket, widget.choice, beside.choice) == ({}, {"offered": True}, {"offered": True})
    assert widget.status == f"Signed in as {BOB}"
    assert make_manager(storage=FileStorage()).user_email == BOB, "from now on by default"


def test_the_account_in_use_is_kept(make_manager: Make, fake: FakeProvider) -> None:
    manager = two_accounts(make_manager, fake)
    widget = AuthWidget(auth_manager=manager)
    message(widget, {"type": "choose_account"})
    ticket = widget.ticket
    message(widget, {"type": "keep_account"})
    assert (widget.user_email, widget.ticket, widget.choice) == (ADA, {}, {"offered": True})
    from_page(widget, sealed_tokens=Page(ticket).envelope(fake, {"sub": "bob", "email": BOB}))
    assert manager.user_email == ADA, "what was given up is over"
    sign_in(manager, fake, "bob")
    assert manager.previous_user == ADA, "now it is a surprise again"


@pytest.mark.parametrize(
    "content",
    [
        {"type": "use_account"},
        {"type": "use_account", "id": None},
        {"type": "use_account", "id": ["x"]},
        {"type": "use_account", "id": BOB},
        {"type": "use_account", "id": "guessed"},
    ],
)
def test_only_an_entry_of_the_list_can_be_chosen(
    make_manager: Make, fake: FakeProvider, content: dict[str, Any]
) -> None:
    manager = two_accounts(make_manager, fake)
    widget = AuthWidget(auth_manager=manager)
    key = manager.accounts()[1].key
    for one in (content, {"type": "use_account", "id": key}):
        message(widget, one)
        assert manager.user_email == ADA
    message(widget, {"type": "choose_account"})
    for one in (content, {"type": "use_account", "id": key}):
        message(widget, one)
        assert manager.user_email == ADA
    assert list(choices(widget)) == [BOB]


def test_an_entry_is_good_once(make_manager: Make, fake: FakeProvider) -> None:
    manager = two_accounts(make_manager, fake)
    widget = AuthWidget(auth_manager=manager)
    message(widget, {"type": "choose_account"})
    chosen = {"type": "use_account", "id": choices(widget)[BOB]}
    message(widget, chosen)
    manager.use_account(ADA)
    message(widget, chosen)
    assert manager.user_email == ADA, "twice"
    message(widget, {"type": "choose_account"})
    message(widget, chosen)
    assert manager.user_email == ADA, "late"


def test_the_list_holds_nothing_that_helps_elsewhere(make_manager: Make, fake: FakeProvider) -> None:
    manager = two_accounts(make_manager, fake)
    widget = AuthWidget(auth_manager=manager)
    assert BOB not in json.dumps(widget.get_state(), default=str), "only while it is asked for"
    message(widget, {"type": "choose_account"})
    state = json.dumps(widget.get_state(), default=str)
    for account in manager.accounts():
        assert account.key not in state
    for tokens in manager._store.stored():
        assert not {part for part in (tokens.access_token, tokens.refresh_token) if part in state}


def test_a_stored_account_whose_session_ended_is_asked_to_sign_in(
    make_manager: Make, fake: FakeProvider
) -> None:
    storage = MemoryStorage()
    manager = make_manager(storage=storage)
    storage.save(of(fake, "bob", created_at="2020-01-01T00:00:00Z"))
    sign_in(manager, fake, "ada")
    widget = AuthWidget(auth_manager=manager)
    message(widget, {"type": "choose_account"})
    message(widget, {"type": "use_account", "id": choices(widget)[BOB]})
    assert manager.user_email == ADA, "the account in use stays"
    assert widget.ticket["login_hint"] == BOB
    assert "select_account" not in parameters(widget).get("prompt", ""), "it is known which account"
    assert widget.notice
    assert widget.error == "", "an ended session is no error"


def test_a_storage_that_cannot_be_read_leaves_the_sign_in(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = AuthWidget(auth_manager=manager)

    def fail() -> Any:
        raise StorageError(code="storage_unreadable", subject="tokens.json")

    monkeypatch.setattr(manager, "accounts", fail)
    message(widget, {"type": "choose_account"})
    assert widget.error_code == "storage_unreadable"
    assert widget.ticket
    assert widget.choice["accounts"] == []


def test_a_failed_sign_in_offers_another_account(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=make_manager())
    assert widget.choice == {}, "nobody has signed in yet"
    ticket = widget.ticket["id"]
    report = {"type": "report", "ticket": ticket, "page": 1, "number": 1, "phase": "failed"}
    message(widget, report | {"code": "access_denied", "subject": ""})
    assert widget.choice == {"offered": True}
    message(widget, {"type": "choose_account"})
    assert parameters(widget)["prompt"] == "select_account"
    assert widget.choice["current"] == ""


def test_a_link_asks_for_the_account_too(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = AuthWidget(auth_manager=manager)
    message(widget, {"type": "choose_account"})
    link = Link(widget, fake).parameters
    assert link["prompt"] == "select_account"
    assert "login_hint" not in link
    widget.close()


def test_prompts_are_asked_together() -> None:
    parameters = GOOGLE.asking_for_account({"access_type": "offline", "prompt": "consent"})
    assert parameters == {"access_type": "offline", "prompt": "select_account consent"}
    assert GOOGLE.asking_for_account({"prompt": "none"}) == {"prompt": "select_account"}


def test_who_cannot_ask_is_not_asked() -> None:
    """The catalogue gives each provider's parameters for asking for another account."""
    asks = {
        name: catalogue.members_of(
            name, {one: member["example"] for one, member in catalogue.parameters_of(name).items()}
        ).get("account_choice_params")
        for name in catalogue.names()
    }
    assert asks["box"] == {}, "its documents name no such parameter"
    assert asks["google"] is None, "the default, select_account"
    assert asks["microsoft"] is None
    assert asks["gitlab"] == {"prompt": "login"}
    assert Provider.named("box").asking_for_account({"a": "b"}) == {"a": "b"}


@pytest.mark.parametrize(
    ("supported", "prompt"),
    [
        (None, "select_account"),
        (["none", "login"], "login"),
        (["login", "select_account"], "select_account"),
        (["none"], "select_account"),
    ],
)
def test_metadata_says_what_can_be_asked(fake: FakeProvider, supported: Any, prompt: str) -> None:
    fake.answers["/.well-known/openid-configuration"] = fake_metadata(fake, supported)
    provider = Provider.discover(fake.issuer, fresh=True)
    assert provider.account_choice_params == {"prompt": prompt}


def test_what_is_known_of_an_issuer_comes_first(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known empty account_choice_params of an issuer replace the default ones."""
    monkeypatch.setattr(discovery, "members_for_issuer", lambda _: {"account_choice_params": {}})
    assert Provider.discover(fake.issuer, fresh=True).account_choice_params == {}


def fake_metadata(fake: FakeProvider, supported: Any) -> Any:
    members = {} if supported is None else {"prompt_values_supported": supported}
    return Answer.json(fake.metadata(**members))


def test_a_hint_never_gives_somebody_elses_tokens(make_manager: Make, fake: FakeProvider) -> None:
    sign_in(make_manager(storage=FileStorage()), fake, "ada")
    tokentoss.CREDENTIALS = None
    manager = make_manager(storage=FileStorage())
    assert manager.user_email == ADA
    assert tokentoss.CREDENTIALS is not None
    widget = AuthWidget(auth_manager=manager, login_hint=BOB)
    assert (widget.is_authenticated, widget.user_email, widget.error) == (False, "", "")
    assert (widget.credentials, manager.id_token, tokentoss.CREDENTIALS) == (None, None, None)
    assert widget.ticket["login_hint"] == BOB
    assert widget.choice == {"offered": True}
    manager.reload()
    assert manager.account is None, "not later, either"
    assert manager.sign_out().account is None
    assert make_manager(storage=FileStorage()).user_email == ADA, "ada is signed in elsewhere as before"


def test_a_hint_finds_the_stored_account(make_manager: Make, fake: FakeProvider) -> None:
    two_accounts(make_manager, fake)
    for hint in (BOB, BOB.upper(), "bob", f"{fake.issuer}#bob"):
        widget = AuthWidget(auth_manager=make_manager(storage=FileStorage()), login_hint=hint)
        assert widget.user_email == BOB, hint
        assert widget.ticket == {}
    assert make_manager(storage=FileStorage()).user_email == ADA, "a hint changes no default"


def test_a_hint_and_somebody_else_who_signs_in(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=make_manager(), login_hint=BOB)
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert widget.user_email == ADA, "the user chose so on the provider's page"
    widget.request_scopes("more")
    assert widget.ticket["login_hint"] == ADA, "more is asked of who is signed in"


def test_a_broker_lists_its_accounts(broker: FakeBroker, brokered: MakeBrokered) -> None:
    broker.connect("google", email=BOB, subject="b")
    broker.connect("google", email=ADA, subject="a")
    widget = brokered(login_hint=ADA)
    widget._repr_mimebundle_()
    until(lambda: widget.is_authenticated)
    assert widget.user_email == ADA
    message(widget, {"type": "choose_account"})
    until(lambda: widget.choice.get("accounts"))
    assert widget.choice["provider_asks"] is False, "a broker's pages do not pass the wish on"
    message(widget, {"type": "use_account", "id": choices(widget)[BOB]})
    until(lambda: widget.user_email == BOB)
    assert widget.choice == {"offered": True}


def test_two_clicks_ask_a_slow_broker_once(
    broker: FakeBroker, brokered: MakeBrokered, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.connect("google", email=BOB, subject="b")
    broker.connect("google", email=ADA, subject="a")
    widget = brokered(login_hint=ADA)
    widget._repr_mimebundle_()
    until(lambda: widget.is_authenticated)
    message(widget, {"type": "choose_account"})
    until(lambda: widget.choice.get("accounts"))
    begun: list[Callable[[], None]] = []

    def put_off(work: Callable[[], None], _name: str) -> bool:
        begun.append(work)
        return True

    monkeypatch.setattr(account_choice, "in_thread", put_off)
    chosen = {"type": "use_account", "id": choices(widget)[BOB]}
    message(widget, chosen)
    message(widget, chosen)
    assert len(begun) == 1
    begun[0]()
    assert widget.user_email == BOB


def test_a_broker_connects_another_account(broker: FakeBroker, brokered: MakeBrokered) -> None:
    broker.connect("google", email=ADA)
    widget = brokered()
    widget._repr_mimebundle_()
    until(lambda: widget.is_authenticated)
    message(widget, {"type": "choose_account"})
    attempt = offered(broker, widget)
    assert "login_hint" not in attempt.asked, "a hint would name the account that is not wanted"
    assert widget.broker["url"].endswith(f"/connect/{attempt.id}?account=another")
    say(widget, "opened", attempt.id)
    broker.sign_in(attempt, email=BOB)
    until(lambda: widget.user_email == BOB)
    assert (widget.choice, widget.status) == ({"offered": True}, f"Signed in as {BOB}")


def test_a_broker_never_gives_somebody_elses_tokens(broker: FakeBroker, brokered: MakeBrokered) -> None:
    broker.connect("google", email=ADA)
    widget = brokered(login_hint=BOB)
    attempt = offered(broker, widget)
    assert attempt.asked["login_hint"] == BOB
    assert not widget.is_authenticated
    assert widget.auth_manager.access_token is None
