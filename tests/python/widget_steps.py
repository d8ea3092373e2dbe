"""What pages, users, providers, storages and clocks do to the widgets of a world, one step at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tokentoss import StorageError, TokenTossError
from widget_world import REFUSALS, USERS, Tab, World

PURPOSES = ("tokens", "code", "device_tokens")
PHASES = ("ready", "waiting", "code", "signing_in", "failed")
JUNK = (
    None,
    7,
    "",
    [],
    {"type": None},
    {"type": "\ud800"},
    {"x": []},
    -1.5,
    "\ud800",
    {"type": "deliver", "sealed": {}},
)

Step = Callable[[World, random.Random], None]


def some(world: World, dice: random.Random) -> Tab | None:
    """A page; a new one now and then, which another one may have been until it was loaded again."""
    shown = [one for one in world.widgets if one.comm is not None and one.ticket]
    if shown and (not world.tabs or dice.random() < 0.3):
        world.tabs.append(Tab(world, dice.choice(shown)))
        del world.tabs[:-4]
    return dice.choice(world.tabs) if world.tabs else None


def send(world: World, dice: random.Random, act: Callable[[], object]) -> None:
    """Let something reach the kernel: now, later, twice, or after what was sent after it."""
    chance = dice.random()
    if chance < 0.75:
        act()
        world.hear()
    if chance > 0.6:
        world.flight.append(act)


def arrive(world: World, dice: random.Random) -> None:
    if world.flight:
        world.flight.pop(dice.randrange(len(world.flight)))()
        world.hear()


def comm_step(world: World, dice: random.Random) -> None:
    """Something that a page says over the comm."""
    tab = some(world, dice)
    if tab is None:
        return
    number = int(world.clock.true_time * 10) - dice.choice([0, 0, 0, 50])
    report = {"type": "report", "ticket": tab.page.ticket["id"], "page": tab.number, "number": number}
    report |= {
        "phase": dice.choice(PHASES),
        "code": dice.choice(["access_denied", "popup_blocked", "nonsense"]),
    }
    report["way"] = dice.choice([None, "paste", "callback_page", 7])
    link = {"ticket": tab.page.ticket["id"]}
    content: Any = dice.choice(
        [
            tab.page.introduction(),
            tab.page.register_message(),
            *[report] * 3,
            {"type": "ask_for_link"} | link,
            {"type": "drop_link"} | link,
            {"type": "ask_for_code"},
            {"type": "drop_code"},
            {"type": "ask_for_ticket"},
            {"type": "sign_out"},
            {"type": "draw_qr", "page": "https://idp.example/enter"},
            {"type": "ping", "id": dice.choice([1, "x", None, "\ud800"])},
            {"type": "paste", "address": dice.choice(JUNK)} | link,
        ]
    )
    send(world, dice, lambda: world.say(tab.widget, content))


def forged(world: World, dice: random.Random) -> None:
    """Something malformed over the comm, or from somebody who reads everything and is not the page."""
    tab = some(world, dice)
    if tab is None:
        return
    name, junk = (
        dice.choice(["ticket", "key", "sealed", "origin", "type", "page", "phase", "id"]),
        dice.choice(JUNK),
    )
    content = dice.choice(
        [tab.page.introduction(), tab.page.register_message(), {"type": "deliver", "sealed": "x"}]
    )
    if dice.random() < 0.5:
        world.say(tab.widget, junk if dice.random() < 0.2 else content | {name: junk})
        world.hear()
        return
    stranger = Tab(world, tab.widget) if tab.widget.ticket else tab
    if dice.random() < 0.5:
        stranger.post("_register", stranger.page.registration(proof=dice.choice([None, "made up"])))
    sealed = stranger.envelope("mallory", dice.choice(PURPOSES[:2]), proof=dice.choice([None, "made up"]))
    manager = tab.widget.auth_manager
    account = manager.account
    answer = stranger.post("_deliver", {"page_token": tab.page_token or "made up", "sealed": sealed})
    # What is decided already is answered as it was.
    is_over = tab.widget.ticket.get("id") != tab.page.ticket["id"]
    assert answer is None or answer["code"] or is_over, "a stranger's envelope signs nobody in"
    assert manager.account == account


def registers(world: World, tab: Tab, dice: random.Random) -> None:
    if dice.random() < 0.5:
        world.say(tab.widget, tab.page.introduction())
        world.hear()
    if dice.random() < 0.3:
        world.say(tab.widget, tab.page.register_message())
        world.hear()
        return
    members = tab.page.registration()
    answer = tab.post("_register", members)
    if answer is not None and "confirm" in answer:
        answer = tab.post("_register", members | {"confirm": answer["confirm"]})
    if answer is not None and "answer" in answer:
        opened = tab.page_told(answer["answer"])
        world.secrets.add(opened)


def popup(world: World, dice: random.Random) -> None:
    """A click: the page registers, the provider answers, and the envelope takes one way or several."""
    tab = some(world, dice)
    if tab is None:
        return
    registers(world, tab, dice)
    page, user, purpose = tab.page, dice.choice(USERS), dice.choice(PURPOSES[:2])
    if dice.random() < 0.6:
        query = f"code={world.provider.code(user, page.nonce)}&state={page.state}"
        tab.page_token = tab.token_in(tab.callback(query)) or tab.page_token
    if dice.random() < 0.3:
        send(world, dice, lambda: tab.post("_relay", {"page_token": tab.page_token}))
    sealed = tab.envelope(user, purpose)
    ways = [
        lambda: tab.post("_deliver", {"page_token": tab.page_token, "sealed": sealed}),
        lambda: tab.widget.comm is None or tab.widget.set_state({"sealed_tokens": sealed}),
        lambda: world.say(tab.widget, {"type": "deliver", "ticket": page.ticket["id"], "sealed": sealed}),
    ]
    for way in dice.sample(ways, dice.choice([1, 1, 2, 3])):
        send(world, dice, way)


def link(world: World, dice: random.Random) -> None:
    """A sign-in by link: the address is pasted, or the listener gets the answer, or both."""
    tab = some(world, dice)
    if tab is None:
        return
    world.say(tab.widget, {"type": "ask_for_link"})
    world.hear()
    if not tab.link:
        return
    query = tab.answer_of_link(dice.choice(USERS)) if dice.random() < 0.8 else "error=access_denied&state=x"
    address = f"{tab.page.ticket['redirect_uri']}?{query}"
    paste = {"type": "paste", "ticket": tab.page.ticket["id"], "address": address}
    for way in dice.sample(
        [lambda: tab.callback(query), lambda: world.say(tab.widget, paste)], dice.choice([1, 2])
    ):
        send(world, dice, way)


def code(world: World, dice: random.Random) -> None:
    """A sign-in by code, of the kernel or of the page."""
    tab = some(world, dice)
    if tab is None:
        return
    if dice.random() < 0.5:
        report = {"type": "report", "ticket": tab.page.ticket["id"], "page": tab.number, "phase": "code"}
        world.say(tab.widget, report | {"number": int(world.clock.true_time * 10)})
        sealed = tab.envelope(dice.choice(USERS), "device_tokens")
        send(world, dice, lambda: tab.widget.comm is None or tab.widget.set_state({"sealed_tokens": sealed}))
        return
    world.say(tab.widget, {"type": "ask_for_code"})
    run_threads(world, dice)
    for device, user in world.provider.device.items():
        if user == "?" and dice.random() < 0.7:
            world.provider.device[device] = dice.choice([*USERS, *USERS, ""])
    world.clock.pass_by(5.0)
    run_threads(world, dice)


def run_threads(world: World, dice: random.Random) -> None:
    for _ in range(dice.choice([1, 2, 6])):
        able = world.clock.runnable()
        if able:
            dice.choice(able).resume()
            world.hear()


def wait(world: World, dice: random.Random) -> None:
    world.clock.pass_by(dice.choice([0.3, 3.0, 20.0, 70.0, 700.0, 3500.0, 4000.0, 50_000.0]))


def jump(world: World, dice: random.Random) -> None:
    world.clock.error = dice.choice([0.0, 45.0, -45.0, 600.0, -600.0, 90_000.0, -90_000.0])


def call(world: World, dice: random.Random) -> None:
    manager = dice.choice(world.managers)
    with suppress(TokenTossError):
        _ = dice.choice([lambda: manager.id_token, lambda: manager.access_token_after("old")])()


def sign_out(world: World, dice: random.Random) -> None:
    dice.choice(
        [
            dice.choice(world.managers).sign_out,
            lambda: dice.choice(world.widgets).sign_out(),
            world.storage.clear,
        ]
    )()


def ask_for_more(world: World, dice: random.Random) -> None:
    dice.choice(world.widgets).request_scopes("calendar")


def run_again(world: World, dice: random.Random) -> None:
    if len([one for one in world.widgets if one.comm is not None]) < 3:
        world.run_cell(anew=dice.random() < 0.3)


def close(world: World, dice: random.Random) -> None:
    dice.choice(world.widgets).close()
    if all(one.comm is None for one in world.widgets):
        world.run_cell()


def choose(world: World, dice: random.Random) -> None:
    """A page asks for another account, gives that up, or names one of a list that may be old."""
    widget = dice.choice(world.widgets)
    listed = [one["id"] for one in widget.choice.get("accounts", ())]
    said = [{"type": "choose_account"}] * 3 + [{"type": "keep_account"}, {"type": "use_account", "id": "x"}]
    said += [{"type": "use_account", "id": name} for name in listed]
    content = dice.choice(said)
    send(world, dice, lambda: world.say(widget, content))


def await_it(world: World, dice: random.Random) -> None:
    """A cell waits: to its end, or until another step ends it."""
    widget = dice.choice(world.widgets)
    if dice.random() < 0.7:
        world.outcomes.append((widget, widget._outcome(blocking=dice.random() < 0.5)))
        return
    try:
        account = widget.wait(0) if dice.random() < 0.8 else asyncio.run(widget.signed_in(0))
        assert account.subject in USERS
    except TokenTossError as failure:
        assert failure.code  # noqa: PT017 - which one depends on the order


def observe(world: World, dice: random.Random) -> None:
    """The user's code hears of changes, and raises or acts."""
    widget = dice.choice(world.widgets)

    def act(_change: Any) -> None:
        chance = dice.random()
        if chance < 0.3:
            raise RuntimeError("of the user's")
        if chance < 0.4:
            widget.close()
        elif chance < 0.6:
            widget.auth_manager.sign_out()
        elif chance < 0.7:
            widget.request_scopes("calendar")

    trait = dice.choice(["is_authenticated", "status", "error_code", "code", "ticket", "sealed_tokens"])
    widget.observe(act, trait)
    world.undo.append(lambda: widget.unobserve(act, trait))


def change_provider(world: World, dice: random.Random) -> None:
    world.provider.mode = dice.choice(["ok", "ok", "ok", "down", *REFUSALS])


def end_sessions(world: World, dice: random.Random) -> None:
    """Sessions end by the clock, which may be wrong."""
    if dice.random() < 0.3:
        world.clock.pass_by(86_400.0)
    world.endings._turn()


def end_grants(world: World, _dice: random.Random) -> None:
    world.provider.end_grants()


def break_storage(world: World, dice: random.Random) -> None:
    failures = [None, None, StorageError(code="storage_unwritable"), OSError("full"), KeyError("x")]
    world.storage.write_fails, world.storage.read_fails = dice.choice(failures), dice.choice(failures)


STEPS: list[Step] = [
    *[popup] * 4,
    *[comm_step] * 5,
    *[arrive] * 3,
    *[run_threads] * 2,
    *[wait] * 2,
    *[await_it] * 2,
    *[call] * 2,
    *[forged, link, code, change_provider, break_storage, jump, end_grants],
    *[sign_out, ask_for_more, choose, end_sessions, run_again, close, observe],
]
