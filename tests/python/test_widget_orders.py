"""Random sequences of events keep the rules of sign-in widgets.

After each step a widget shows a token, a button or a next step, or a clock runs that ends what it shows; no
trait holds a secret; in the end nothing is left behind. An order that fails is made again without the steps
that do not matter, and the rest is printed with its seed.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Iterator

import comm
import pytest
from conftest import RecordingComm
from simulated_time import Clock
from tokentoss.callback import claims, lease, listener
from tokentoss.handoff import kernel_sign_in, relay, sign_in
from tokentoss.oauth import device_authorization, id_token, token_endpoint
from tokentoss.session import current_tokens, refresh
from tokentoss.session.doubtful_tokens import doubts
from tokentoss.session.live_managers import LiveManagers
from tokentoss.session.token_manager import TokenManager
from tokentoss.util import http
from tokentoss.widgets import base, device_code, waiters
from tokentoss.widgets.auth import AuthWidget
from tokentoss.widgets.sign_in_traits import FOLLOW_LINK
from widget_rules import check, leave, settle, sign_in_once_more
from widget_steps import STEPS, Step
from widget_world import QuietServer, World

WORLDS = 500
"""Kernels; each goes through one order after another, so that most begin in the middle of something."""

ORDERS = 20
"""Orders of each: 10,000 in all, in about 30 seconds of a processor."""

LENGTH = 3
"""Steps of each."""

PARTS = 4


class Simulation:
    """Runs orders in worlds of their own, of which one at a time is the process's."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.seen: Counter[str] = Counter()

    def begin(self, seed: int) -> World:
        world, patch = World(seed), self._patch
        primitives = world.clock.primitives()
        for module in (device_code, relay, sign_in, kernel_sign_in, listener, device_authorization):
            patch.setattr(module, "threading", primitives)
        # A step ends sessions: a thread would keep the lock of a widget while time stands still.
        patch.setattr(current_tokens, "endings", world.endings)
        patch.setattr(world.endings, "look_again", lambda: None)
        ports = iter(range(20_000, 60_000))
        patch.setattr(listener, "listen", lambda _host, port: [port or next(ports)])
        patch.setattr(listener, "_Server", lambda port, *_: QuietServer(world.clock, port))
        patch.setattr(TokenManager, "_live", LiveManagers())
        for module in (token_endpoint, http):
            patch.setattr(module, "call", world.provider.answer)
        self._turn(world.clock)
        doubts._until.clear()
        world.begin()
        return world

    def _turn(self, clock: Clock) -> None:
        self._patch.setattr(time, "time", clock.wall)
        self._patch.setattr(time, "monotonic", clock.monotonic)
        self._patch.setattr(time, "sleep", clock.sleep)

    def run(self, seed: int, steps: list[tuple[Step, int]]) -> str:
        """Run one step after another, each with dice of its own; return what went wrong."""
        world = self.begin(seed)
        try:
            for step, own_seed in steps:
                step(world, random.Random(own_seed))
                check(world)
            sign_in_once_more(world, settle(world))
            check(world)
            leave(world)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the order is to be named
            return f"{type(failure).__name__}: {failure} (line {line_of(failure)})"
        finally:
            self.seen += world.seen
            for widget in world.widgets:
                widget.close()
            lease._listeners.clear()
            claims.claims._claims.clear()
        return ""


def settle_step(world: World, _dice: random.Random) -> None:
    settle(world)


def line_of(failure: BaseException) -> str:
    trace, lines = failure.__traceback__, []
    while trace is not None:
        lines.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(lines[-4:])


def steps_of(seed: int) -> list[tuple[Step, int]]:
    """The orders of a world, one after another; between two of them everything outside is put right."""
    dice = random.Random(seed)
    steps: list[tuple[Step, int]] = []
    for _ in range(ORDERS):
        steps += [(step, dice.randrange(2**32)) for step in dice.choices(STEPS, k=LENGTH)]
        steps.append((settle_step, 0))
    return steps


def shrunk(simulation: Simulation, seed: int, steps: list[tuple[Step, int]]) -> list[tuple[Step, int]]:
    """Leave out what does not matter, largest parts first."""
    size = len(steps) // 2
    while size:
        start = 0
        while start < len(steps):
            fewer = steps[:start] + steps[start + size :]
            if simulation.run(seed, fewer):
                steps = fewer
            else:
                start += size
        size //= 2
    return steps


@pytest.fixture
def simulation(monkeypatch: pytest.MonkeyPatch, own_world: None) -> Iterator[Simulation]:
    del own_world
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    monkeypatch.setattr(id_token, "_check_signature", lambda *_: True)
    monkeypatch.setattr(sign_in.HandOff, "prepare", lambda _: None)
    monkeypatch.setattr(refresh, "PATIENCE", 6.0)
    monkeypatch.setattr(device_code, "_drawn", lambda page: f"a picture of {page}")
    logging.disable(logging.CRITICAL)
    with monkeypatch.context() as patch:
        yield Simulation(patch)
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_order_ends_in_limbo(simulation: Simulation, part: int) -> None:
    for seed in range(part, WORLDS, PARTS):
        steps = steps_of(seed)
        if simulation.run(seed, steps):
            steps = shrunk(simulation, seed, steps)
            names = ", ".join(f"{step.__name__}({own_seed})" for step, own_seed in steps)
            raise AssertionError(f"seed {seed} [{names}]: {simulation.run(seed, steps)}")
    reached = {"token", "code", "Click to sign in", FOLLOW_LINK}
    assert all(simulation.seen[one] > WORLDS / PARTS for one in reached), f"orders get far: {simulation.seen}"


def silent(*_: object) -> None:
    """Do nothing, where something must be done."""


@pytest.mark.parametrize(
    ("owner", "name", "symptom"),
    [
        (waiters.Waiters, "signed_in", "somebody waits although"),
        (waiters.Waiters, "failed", "somebody waits for a widget"),
        (claims.Claims, "give_back", "a redirect URI is left"),
        (listener.LoopbackListener, "release", "a thread is left"),
        (kernel_sign_in.KernelSignIn, "cancel", "a clock is left"),
        (AuthWidget, "_session_changed", "told what is so"),
        (base.SyncedWidget, "_sealed_arrived", "an envelope is left"),
    ],
)
def test_faults_are_found(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, symptom: str
) -> None:
    """The rules detect each fault that is put into the widgets' methods."""
    monkeypatch.setattr(owner, name, silent)
    assert any(symptom in simulation.run(seed, steps_of(seed)) for seed in range(60))
