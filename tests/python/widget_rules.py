"""What must hold of the widgets of a world: after each step, once all is put right, and in the end."""

from __future__ import annotations

from ipywidgets.widgets import widget as ipywidgets_internals
from tokentoss import AuthWidget, TokenTossError
from tokentoss.callback import claims, lease
from tokentoss.widgets.sign_in_traits import FOLLOW_LINK
from widget_world import USERS, Tab, World


def check(world: World) -> None:
    """What holds after every step."""
    accounts = [manager.account for manager in world.managers]
    assert all(one is None or one.subject in USERS for one in accounts), "nobody else's account"
    running = {thread.name for thread in world.clock.threads}
    for widget in world.widgets:
        if widget.comm is None:
            assert widget._attempt.hand_off is None
            continue
        shown = world.secrets_in({name: getattr(widget, name) for name in widget.own_traits()})
        assert not shown, f"a trait holds {shown}"
        assert not widget.sealed_tokens, "an envelope is left"
        hand_off = widget._attempt.hand_off
        if widget.ticket:
            assert hand_off is not None, "a button that nobody hears"
            assert widget.ticket["id"] == hand_off.id
            assert not hand_off.done.is_set(), "a button for what is over"
            assert not hand_off.is_deciding
        elif not widget.is_authenticated:
            assert widget.error_code, "neither a token nor a button nor a reason"
        if widget.code:
            assert "tokentoss-code" in running, "a code that nobody asks about"
        if widget.status == FOLLOW_LINK:
            assert world.clock.timers, "a link without an end"
        world.seen["token" if widget.is_authenticated else "code" if widget.code else widget.status] += 1
        assert bool(widget.choice.get("accounts") is not None) is widget.is_choosing, "an old list"
        if widget.is_authenticated and not widget._asks_for_more and not widget.is_choosing:
            assert not widget.ticket
            waiting = [one for one in widget._waiters._outcomes if not one.done()]
            assert not waiting, "somebody waits although it has happened"
    for widget, outcome in world.outcomes:
        assert outcome.done() or widget.comm is not None, "somebody waits for a widget that is closed"


def settle(world: World) -> AuthWidget:
    """Put everything outside right: a page that asks sees a token that serves, or a button."""
    world.provider.mode, world.clock.error = "ok", 0.0
    world.storage.write_fails = world.storage.read_fails = None
    while world.undo:
        world.undo.pop()()
    widget = next((one for one in reversed(world.widgets) if one.comm is not None), None) or world.run_cell()
    for _ in range(8):
        world.say(widget, {"type": "ping", "id": 1})
        assert widget.is_authenticated is widget.auth_manager.is_authenticated, (
            "a page that asks is told what is so"
        )
        if not widget.is_authenticated or can_call(widget):
            break
        world.clock.pass_by(61.0)
    assert can_call(widget) or widget.ticket or widget.error_code, f"limbo: {widget.status}"
    return widget


def sign_in_once_more(world: World, widget: AuthWidget) -> None:
    """Whatever the widget shows leads to a button, from there to a token, and back."""
    if widget.is_authenticated:
        world.say(widget, {"type": "sign_out"})
    world.say(widget, {"type": "ask_for_ticket"})
    assert widget.ticket
    assert not widget.is_authenticated
    outcome = widget._outcome(blocking=True)
    widget.set_state({"sealed_tokens": Tab(world, widget).envelope("ada", "tokens")})
    assert outcome.result(0).subject == "ada"
    assert widget.is_authenticated
    assert widget.status.startswith("Signed in")
    widget.auth_manager.sign_out()
    assert widget.ticket


def can_call(widget: AuthWidget) -> bool:
    try:
        return bool(widget.auth_manager.id_token)
    except TokenTossError:
        return False


def leave(world: World) -> None:
    """Close everything, and look at what is left."""
    for widget in world.widgets:
        widget.close()
    world.clock.pass_by(3.0)
    for _ in range(400):
        able = world.clock.runnable()
        if not able:
            if not world.clock.threads:
                break
            world.clock.pass_by(1.0)
        for thread in able:
            thread.resume()
    assert world.clock.threads == [], "a thread is left"
    assert world.clock.timers == [], "a clock is left"
    assert lease._listeners == {}, "a listener is left"
    assert claims.claims._claims == {}, "a redirect URI is left"
    kept = list(ipywidgets_internals._instances.values())
    assert not [widget for widget in world.widgets if any(widget is one for one in kept)], "a widget is left"
    assert all(outcome.done() for _, outcome in world.outcomes), "a cell is left waiting"
