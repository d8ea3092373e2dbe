from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import ipywidgets.widgets.widget as internals
import pytest
import tokentoss
from conftest import RecordingComm
from fake_provider import CLIENT_ID, Answer, FakeProvider
from page import Page
from test_auth_manager import signed_in
from tokentoss import (
    GOOGLE,
    AuthManager,
    AuthWidget,
    ClientConfig,
    ConfigurationError,
    FileStorage,
    GoogleAuthWidget,
    MemoryStorage,
    TokenTossError,
)
from tokentoss.callback import lease as lease_module
from tokentoss.exceptions import StorageError
from tokentoss.widgets import assets

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")
UNTOUCHED = {
    "status": "Click to sign in",
    "error": "",
    "error_code": "",
    "user_email": "",
    "is_authenticated": False,
}


@pytest.fixture
def widget(make_manager: Make) -> AuthWidget:
    return AuthWidget(auth_manager=make_manager())


def shown(widget: AuthWidget) -> dict[str, Any]:
    return {name: getattr(widget, name) for name in UNTOUCHED}


def sent(widget: AuthWidget) -> list[dict[str, Any]]:
    comm = widget.comm
    assert isinstance(comm, RecordingComm)
    return [message["data"] for message in comm.sent if message["type"] == "comm_msg"]


def updates(widget: AuthWidget) -> list[dict[str, Any]]:
    return [data["state"] for data in sent(widget) if data["method"] == "update"]


def customs(widget: AuthWidget) -> list[dict[str, Any]]:
    return [data["content"] for data in sent(widget) if data["method"] == "custom"]


def from_page(widget: AuthWidget, **state: Any) -> None:
    widget._handle_msg(
        {"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []}
    )


def message(widget: AuthWidget, content: Any) -> None:
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def test_ready_to_sign_in(widget: AuthWidget) -> None:
    assert shown(widget) == UNTOUCHED
    assert widget.branding == {"name": "Fake", "style": "generic"}
    assert widget.acknowledged == ""
    assert widget.ticket["redirect_uri"].startswith("http://127.0.0.1:")
    assert widget.ticket["client_id"] == CLIENT_ID


def test_a_sign_in_through_the_trait(widget: AuthWidget, fake: FakeProvider) -> None:
    ticket = widget.ticket
    sealed = Page(ticket).envelope(fake)
    before = len(updates(widget))
    from_page(widget, sealed_tokens=sealed)
    assert shown(widget) == UNTOUCHED | {
        "status": "Signed in as ada@example.com",
        "user_email": "ada@example.com",
        "is_authenticated": True,
    }
    assert (widget.sealed_tokens, widget.ticket, widget.acknowledged) == ("", {}, ticket["id"])
    emptied, decided = updates(widget)[before:]
    assert emptied == {"sealed_tokens": ""}, "emptied before anything else (C70)"
    assert decided["acknowledged"] == ticket["id"], "one message tells everything"
    assert decided["is_authenticated"] is True
    assert decided["ticket"] == {}
    assert tokentoss.CREDENTIALS is widget.credentials
    assert all(sealed not in str(data) for data in sent(widget)), "not echoed (C70)"


def test_no_secret_is_ever_in_a_trait_or_a_message(widget: AuthWidget, fake: FakeProvider) -> None:
    """No token, code or client secret is in a trait, a message or the repr after a sign-in (C70)."""
    page = Page(widget.ticket)
    token = page.reach_callback()
    page.post("/tokentoss/relay", page_token=token)
    from_page(widget, sealed_tokens=page.envelope(fake))
    tokens = widget.auth_manager.token_data
    assert tokens is not None
    everything = str(widget.comm.__dict__) + str(widget.get_state()) + repr(widget)
    for secret in (tokens.access_token, tokens.id_token, tokens.refresh_token, "secret-1", "the-code"):
        assert secret not in everything


def test_a_host_that_sets_traits_directly(widget: AuthWidget, fake: FakeProvider) -> None:
    widget.sealed_tokens = Page(widget.ticket).envelope(fake)
    assert widget.is_authenticated
    assert widget.sealed_tokens == ""


def test_a_replayed_envelope_is_refused(widget: AuthWidget, fake: FakeProvider) -> None:
    """An envelope that is replayed after a sign-out signs nobody in (C71)."""
    sealed = Page(widget.ticket).envelope(fake)
    from_page(widget, sealed_tokens=sealed)
    widget.sign_out()
    from_page(widget, sealed_tokens=sealed)
    assert not widget.is_authenticated
    assert widget.sealed_tokens == ""


def test_garbage_is_emptied_and_ignored(widget: AuthWidget, fake: FakeProvider) -> None:
    before = widget.ticket
    for garbage in ("x", "A" * 1000, "A" * 300_000):
        from_page(widget, sealed_tokens=garbage)
        assert widget.sealed_tokens == ""
    assert widget.ticket == before
    assert shown(widget) == UNTOUCHED
    from_page(widget, sealed_tokens=Page(before).envelope(fake))
    assert widget.is_authenticated


def test_a_refused_envelope_gets_a_sentence_and_a_new_ticket(widget: AuthWidget, fake: FakeProvider) -> None:
    ticket = widget.ticket
    from_page(widget, sealed_tokens=Page(ticket).envelope(fake, {"nonce": "other"}))
    assert widget.error_code == "id_token_nonce_mismatch"
    assert widget.status == f"Error: {widget.error}"
    assert widget.acknowledged == ticket["id"]
    assert widget.ticket["id"] != ticket["id"]
    assert widget.ticket["redirect_uri"] == ticket["redirect_uri"], "the same listener serves the next try"
    last = updates(widget)[-1]
    assert {"acknowledged", "error_code", "ticket", "status"} <= set(last), "in one message"
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert shown(widget)["error"] == ""
    assert widget.is_authenticated


def test_the_hosted_domain_is_checked(make_manager: Make, fake: FakeProvider) -> None:
    """An ID token without the configured hosted domain is refused (C58)."""
    widget = AuthWidget(auth_manager=make_manager(hosted_domain="example.com"))
    assert widget.ticket["hosted_domain"] == "example.com"
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert widget.error_code == "hosted_domain_mismatch"
    assert "example.com" in widget.error


def test_a_page_cannot_write_what_is_pythons(widget: AuthWidget) -> None:
    before = widget.get_state()
    from_page(
        widget,
        is_authenticated=True,
        status="x",
        error="x",
        error_code="x",
        user_email="eve",
        ticket={"a": 1},
        acknowledged="x",
        branding={"name": "evil"},
        _esm="evil",
        _css="evil",
    )
    after = widget.get_state()
    assert {name: after[name] for name in before if name not in {"_esm", "_css"}} == {
        name: before[name] for name in before if name not in {"_esm", "_css"}
    }
    assert "evil" not in str(sent(widget)), "nor is it echoed to other pages"


def test_sign_out(widget: AuthWidget, fake: FakeProvider) -> None:
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    message(widget, {"type": "sign_out"})
    assert shown(widget) == UNTOUCHED
    assert widget.ticket["id"]
    assert widget.auth_manager.storage.load() is None
    assert tokentoss.CREDENTIALS is None
    assert widget.credentials is None


def test_a_sign_out_that_cannot_remove_the_file_still_signs_out(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign-out that cannot delete the file signs out and reports it (C67)."""
    storage = FileStorage()
    widget = AuthWidget(auth_manager=make_manager(storage=storage))
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))

    def fail(self: Any, **_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.unlink", fail)
    message(widget, {"type": "sign_out"})
    assert not widget.is_authenticated
    assert widget.error_code == "storage_unwritable"
    assert widget.ticket["id"]


def test_stored_tokens_are_signed_in_at_once(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=signed_in(make_manager, fake, expires_in=-10))
    assert widget.status == "Signed in as ada@example.com"
    assert widget.ticket == {}
    assert not lease_module._listeners, "nothing listens while signed in (C28)"
    assert fake.requests == []


def test_a_corrupt_token_file_is_shown_and_survives(make_manager: Make) -> None:
    storage = FileStorage()
    storage.path.parent.mkdir(parents=True)
    storage.path.write_text("{")
    storage.path.chmod(0o600)
    widget = AuthWidget(auth_manager=make_manager(storage=storage))
    assert widget.error_code == "storage_corrupt"
    assert str(storage.path) in widget.error
    assert widget.ticket["id"], "signing in is still possible"
    assert storage.path.read_text() == "{"


def test_unreachable_keys_are_told(make_manager: Make, fake: FakeProvider) -> None:
    fake.answers["/keys"] = Answer(503)
    widget = AuthWidget(auth_manager=make_manager())
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert widget.is_authenticated
    assert widget.error_code == ""
    assert widget.status.startswith("Signed in as ada@example.com (")
    assert "signature" in widget.status


def test_an_unwritable_store_is_told(make_manager: Make, fake: FakeProvider, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    widget = AuthWidget(auth_manager=make_manager(storage=FileStorage(tmp_path / "file" / "t.json")))
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert widget.is_authenticated
    assert "couldn't be stored" in widget.status


def test_a_user_without_an_email(widget: AuthWidget, fake: FakeProvider) -> None:
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake, {"email": None}))
    assert widget.status == "Signed in as user-1"
    assert widget.user_email == ""


def test_reports_of_the_page(widget: AuthWidget, fake: FakeProvider) -> None:
    def report(**content: Any) -> None:
        named = {"type": "report", "ticket": widget.ticket.get("id", ""), "code": "", "subject": ""}
        message(widget, named | content)

    report(phase="waiting")
    assert widget.status == "Waiting for you in the popup…"
    report(phase="waiting", way="loopback")
    assert widget.status == "Waiting for you in the popup…"
    report(phase="waiting", way="callback_page")
    assert widget.status == "Waiting for you in the popup, which ends on the callback page…"
    report(phase="waiting", way="paste")
    assert widget.status == "Waiting for you in the popup, then for the address that it ends on…"
    for nonsense in ("<b>", 7, [], None):
        report(phase="waiting", way=nonsense)
        assert widget.status == "Waiting for you in the popup…"
    report(phase="signing_in", way="paste")
    assert widget.status == "Signing in…"
    report(phase="failed", code="access_denied")
    assert widget.error_code == "access_denied"
    assert widget.status == f"Error: {widget.error}"
    assert isinstance(widget.auth_manager.last_error, TokenTossError)
    report(phase="ready")
    assert shown(widget) == UNTOUCHED
    report(phase="failed", code="token_endpoint_unreachable", subject="<b>\nhost.example" + "x" * 999)
    assert "host.example" in widget.error
    assert "\n" not in widget.error
    assert len(widget.error) < 400
    before = shown(widget)
    report(phase="failed", code="no_such_code")
    report(phase="failed", code=["x"])
    report(phase="sideways")
    report(phase=None)
    report(phase="waiting", ticket="another")
    assert shown(widget) == before
    ticket = widget.ticket
    from_page(widget, sealed_tokens=Page(ticket).envelope(fake))
    before = shown(widget)
    report(phase="failed", code="access_denied", ticket=ticket["id"])
    assert shown(widget) == before, "nothing changes what Python knows"


def test_a_report_that_was_overtaken(widget: AuthWidget) -> None:
    """A report that is older than the page's last one is ignored."""

    def report(page: object, number: object, phase: str, code: str = "") -> str:
        named = {"type": "report", "ticket": widget.ticket["id"], "subject": ""}
        message(widget, named | {"page": page, "number": number, "phase": phase, "code": code})
        return widget.error_code

    assert report(0.25, 2, "failed", "popup_blocked") == "popup_blocked"
    assert report(0.25, 1, "waiting") == "popup_blocked", "said before"
    assert report(0.25, 2, "waiting") == "popup_blocked", "said twice"
    assert report(0.25, 3, "waiting") == ""
    assert report(0.75, 1, "failed", "access_denied") == "access_denied", "another page counts for itself"
    assert report(0.75, 2, "waiting") == ""
    for nonsense in ("1", None, [], {}):
        assert report(nonsense, nonsense, "failed", "access_denied") == "access_denied"
        assert report(0.75, 3, "waiting") == ""


@pytest.mark.parametrize(
    "content", [None, 5, "ping", [], {}, {"type": None}, {"type": "x"}, {"type": {"a": 1}}]
)
def test_other_messages_are_ignored(widget: AuthWidget, content: Any) -> None:
    message(widget, content)
    assert shown(widget) == UNTOUCHED
    assert customs(widget) == []


def test_ping(widget: AuthWidget) -> None:
    for number in (7, "a-1", 2.5):
        message(widget, {"type": "ping", "id": number})
    message(widget, {"type": "ping", "id": "x" * 999})
    message(widget, {"type": "ping", "id": {"a": 1}})
    assert customs(widget) == [{"type": "pong", "id": number} for number in (7, "a-1", 2.5)]


def test_a_ping_is_answered_with_all_that_may_have_been_lost(widget: AuthWidget, fake: FakeProvider) -> None:
    """A ping is answered with the current state, without sealed_tokens, and a pong (C20)."""
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    decided = widget.acknowledged
    before = len(sent(widget))
    message(widget, {"type": "ping", "id": 1})
    state, pong = sent(widget)[before:]
    assert pong["content"] == {"type": "pong", "id": 1}
    told = state["state"]
    assert (told["acknowledged"], told["is_authenticated"], told["ticket"]) == (decided, True, {})
    assert told["status"] == widget.status
    assert "sealed_tokens" not in told, "which is the page's to write"


def test_an_envelope_that_is_sent_again_as_a_message(widget: AuthWidget, fake: FakeProvider) -> None:
    """An envelope sent as a message counts once, even if it comes twice (C20, C71)."""
    ticket = widget.ticket
    sealed = Page(ticket).envelope(fake)
    for nonsense in (
        {"ticket": "another", "sealed": sealed},
        {"ticket": ticket["id"], "sealed": 7},
        {"ticket": ticket["id"], "sealed": "nonsense"},
        {"sealed": sealed},
    ):
        message(widget, {"type": "deliver"} | nonsense)
        assert shown(widget) == UNTOUCHED
    for _ in range(2):
        message(widget, {"type": "deliver", "ticket": ticket["id"], "sealed": sealed})
        assert widget.is_authenticated
        assert widget.acknowledged == ticket["id"]
    assert all(sealed not in str(data) for data in sent(widget)), "not echoed (C70)"
    assert len([one for one in updates(widget) if one.get("is_authenticated")]) == 1


def test_the_relay(widget: AuthWidget, fake: FakeProvider, eventually: Callable[..., Any]) -> None:
    """A relayed answer is sealed to the page and repeated until the ticket is decided (C20)."""
    page = Page(widget.ticket)
    token = page.reach_callback()
    assert page.post("/tokentoss/relay", page_token="wrong").status == 403
    assert page.post("/tokentoss/relay", page_token=token).json() == {"code": ""}
    assert page.post("/tokentoss/relay", page_token=token).json() == {"code": ""}
    eventually(lambda: len(customs(widget)) >= 2)
    relays = customs(widget)
    assert {name: relays[0][name] for name in ("type", "ticket")} == {
        "type": "relay",
        "ticket": page.ticket["id"],
    }
    opened = page.key.open(relays[0]["sealed"], page.context("callback"))
    assert opened == f"code=the-code&state={page.state}".encode()
    assert relays[0] == relays[-1]
    from_page(widget, sealed_tokens=page.envelope(fake))
    eventually(lambda: not [one for one in threading.enumerate() if one.name == "tokentoss-relay"])


def test_two_widgets_have_nothing_in_common(make_manager: Make, fake: FakeProvider) -> None:
    """Two widgets have different tickets, and one's envelope does not open in the other (C4)."""
    first, second = (AuthWidget(auth_manager=make_manager()) for _ in range(2))
    assert first.ticket["id"] != second.ticket["id"]
    from_page(second, sealed_tokens=Page(first.ticket).envelope(fake))
    assert not second.is_authenticated
    from_page(first, sealed_tokens=Page(first.ticket).envelope(fake))
    assert (first.is_authenticated, second.is_authenticated) == (True, False)


def test_widgets_of_one_manager_agree(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    first, second = (AuthWidget(auth_manager=manager) for _ in range(2))
    from_page(first, sealed_tokens=Page(first.ticket).envelope(fake))
    assert second.is_authenticated
    assert second.ticket == {}
    second.sign_out()
    assert shown(first) == UNTOUCHED
    assert first.ticket["id"]
    first.close()
    second.close()
    manager.clear()


def test_a_session_that_ends_by_itself_is_shown(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=signed_in(make_manager, fake, expires_in=-10))
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    with pytest.raises(TokenTossError):
        widget.auth_manager.refresh_tokens()
    assert not widget.is_authenticated
    assert widget.ticket["id"]
    fake.answers["/keys"] = Answer(503)


def test_signing_out_while_an_envelope_is_decided(widget: AuthWidget, fake: FakeProvider) -> None:
    """After a sign-out during a decision, widget and manager agree."""
    answer = fake.standard("/keys")
    answer.before = widget.sign_out
    fake.answers["/keys"] = answer
    ticket = widget.ticket
    from_page(widget, sealed_tokens=Page(ticket).envelope(fake))
    assert widget.is_authenticated == widget.auth_manager.is_authenticated
    assert widget.acknowledged == ticket["id"]
    assert bool(widget.ticket) != widget.is_authenticated


def test_everything_at_once(widget: AuthWidget, fake: FakeProvider) -> None:
    """Messages, deliveries and calls from many threads cause no deadlock and one sign-in."""
    page = Page(widget.ticket)
    token = page.reach_callback()
    sealed = page.envelope(fake)
    seen: list[bool] = []
    widget.observe(lambda change: seen.append(change["new"]), "is_authenticated")
    barrier = threading.Barrier(12)

    def run(action: Callable[[], Any]) -> None:
        barrier.wait()
        for _ in range(5):
            action()

    actions = [
        lambda: from_page(widget, sealed_tokens=sealed),
        lambda: page.post("/tokentoss/deliver", page_token=token, sealed=sealed),
        lambda: message(widget, {"type": "report", "ticket": page.ticket["id"], "phase": "signing_in"}),
        lambda: from_page(widget, sealed_tokens="garbage"),
    ]
    threads = [threading.Thread(target=run, args=(action,), daemon=True) for action in actions * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert seen == [True]
    assert widget.status == "Signed in as ada@example.com"
    assert widget.acknowledged == page.ticket["id"]


def test_close_ends_everything(widget: AuthWidget, fake: FakeProvider) -> None:
    """Closing a widget twice closes its listener, and later tokens are ignored (C28)."""
    page = Page(widget.ticket)
    (bound,) = lease_module._listeners.values()
    widget.close()
    widget.close()
    assert bound.closed.wait(20)
    from_page(widget, sealed_tokens=page.envelope(fake))
    assert not widget.auth_manager.is_authenticated


def test_a_widget_that_nobody_holds_gives_its_ticket_up(make_manager: Make) -> None:
    """A widget without references is collected, and its listener closes (C28)."""
    widget = AuthWidget(auth_manager=make_manager())
    (bound,) = lease_module._listeners.values()
    internals._instances.pop(widget.model_id)
    gone = weakref.ref(widget)
    widget.comm._msg_callback = None
    del widget
    gc.collect()
    assert gone() is None
    assert bound.closed.wait(20)


def test_a_representation_without_details(widget: AuthWidget, fake: FakeProvider) -> None:
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert repr(widget) == "AuthWidget(provider='Fake', is_authenticated=True)"
    (bundle, *_) = widget._repr_mimebundle_()
    assert bundle["text/plain"] == repr(widget)


def test_google(tmp_path: Any) -> None:
    widget = GoogleAuthWidget(client_id=" id ", client_secret="s", login_hint="ada@example.com")
    assert widget.branding == {"name": "Google", "style": "google"}
    assert widget.ticket["redirect_uri"].endswith("/")
    assert widget.ticket["client_id"] == "id"
    assert widget.ticket["login_hint"] == "ada@example.com"
    assert widget.ticket["provider"]["authorization_params"] == {
        "access_type": "offline",
        "prompt": "consent",
    }
    assert widget.auth_manager.provider is GOOGLE
    path = tmp_path / "c.json"
    path.write_text('{"installed": {"client_id": "file-id", "client_secret": "s"}}')
    assert GoogleAuthWidget(path).ticket["client_id"] == "file-id"
    assert GoogleAuthWidget(client_config=ClientConfig("c", "s")).ticket["client_id"] == "c"
    manager = AuthManager(ClientConfig("m", "s"), storage=MemoryStorage())
    assert GoogleAuthWidget(auth_manager=manager).auth_manager is manager


def test_google_refuses_what_is_not_googles(make_manager: Make) -> None:
    with pytest.raises(ConfigurationError, match="Google"):
        GoogleAuthWidget(auth_manager=make_manager())
    with pytest.raises(ConfigurationError) as refusal:
        GoogleAuthWidget(client_config=ClientConfig("c", "s", auth_uri="https://x.example/"))
    assert refusal.value.code == "provider_required"


@pytest.mark.parametrize("client_id", ["", " "])
def test_an_empty_client_id(client_id: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        AuthWidget(provider=GOOGLE, client_id=client_id)
    assert refusal.value.code == "client_id_invalid"


def test_no_client_at_all() -> None:
    with pytest.raises(FileNotFoundError, match=r"client_secrets\.json"):
        GoogleAuthWidget()


def test_scopes_lifetime_and_storage_arrive(fake: FakeProvider) -> None:
    storage = MemoryStorage()
    widget = AuthWidget(
        provider=fake.provider(),
        client_id="c",
        scopes=["openid", "x"],
        max_session_lifetime_hours=2,
        storage=storage,
    )
    manager = widget.auth_manager
    assert (manager.scopes, manager.max_session_lifetime_hours, manager.storage) == (
        ["openid", "x"],
        2,
        storage,
    )
    assert widget.ticket["scopes"] == ["openid", "x"]
    assert widget.ticket["client_secret_sealed"] is False


def test_the_front_end_is_carried_or_its_absence_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(assets, "_STATIC", tmp_path)
    assert "npm run build" in str(assets.front_end("auth.js"))
    assert assets.front_end("auth.css") == ""
    (tmp_path / "auth.js").write_text("export default {}")
    assert assets.front_end("auth.js") == "export default {}"


def test_a_refusal_is_told_by_the_sign_in_itself(fake: FakeProvider, make_manager: Make) -> None:
    """The widget shows its sign-in's own refusal, whatever last_error says (P12)."""
    manager = make_manager()
    widget = AuthWidget(auth_manager=manager)

    def meddled(hand_off: Any, refusal: Any) -> None:
        manager.last_error = StorageError(code="storage_unwritable")
        decided(hand_off, refusal)

    decided = widget._attempt.hand_off._decided
    widget._attempt.hand_off._decided = meddled
    page = Page(widget.ticket)
    from_page(widget, sealed_tokens=page.envelope(fake, {"nonce": "another"}))
    assert widget.error_code == "id_token_nonce_mismatch"
