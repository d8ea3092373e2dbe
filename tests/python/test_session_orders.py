"""Random sequences of events leave a session with a token, a sign-in button or a running clock.

The provider is a model of a token endpoint with one-use refresh tokens, and the clocks are simulated, so that
thousands of orders run in seconds. An order that failed is named by its seed.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from fake_provider import CLIENT_ID
from tokentoss import AuthManager, ClientConfig, MemoryStorage, Provider, StorageError, TokenTossError
from tokentoss.oauth import id_token
from tokentoss.oauth.client_authentication import Form
from tokentoss.oauth.token_endpoint import refusal_of
from tokentoss.oauth.token_response import TokenRequestError, TokenResponse, tokens_in
from tokentoss.session import refresh
from tokentoss.session.doubtful_tokens import doubts
from tokentoss.util.base64url import b64url
from tokentoss.util.http import Answer

ORDERS = 10_000
LENGTH = 8
ISSUER = "https://idp.example"
PROVIDER = Provider(
    "Model", ISSUER, ISSUER + "/auth", ISSUER + "/token", ISSUER + "/keys", rotation="one-use"
)
REFUSALS = {
    "invalid_grant": Answer(400, {}, b'{"error": "invalid_grant"}'),
    "interaction_required": Answer(400, {}, b'{"error": "interaction_required"}'),
    "invalid_request": Answer(400, {}, b'{"error": "invalid_request"}'),
    "invalid_client": Answer(401, {}, b'{"error": "invalid_client"}'),
    "busy": Answer(503, {}, b""),
    "throttled": Answer(429, {"Retry-After": "20"}, b""),
    "portal": Answer(200, {}, b"<html>"),
}


class World:
    """The provider's truth, the clocks, and one manager with the model of its widget."""

    def __init__(self) -> None:
        self.true_time = 1_900_000_000.0
        self.clock_error = 0.0
        self.mode = "ok"
        self.loses_answers = False
        self.storage_fails = False
        self.alive: dict[str, str] = {}
        self.count = 0
        doubts._until.clear()
        self.storage = Storage(self)
        self.manager = AuthManager(ClientConfig(CLIENT_ID), provider=PROVIDER, storage=self.storage)
        self.shows_button = not self.manager.is_authenticated
        self.manager.observe_session(self.follow)

    def follow(self) -> None:
        self.shows_button = not self.manager.is_authenticated

    def now(self) -> float:
        return self.true_time + self.clock_error

    def sleep(self, seconds: float) -> None:
        self.true_time += seconds

    def granted(self, user: str) -> dict[str, Any]:
        self.count += 1
        self.alive[user] = f"refresh-{user}-{self.count}"
        claims = {"iss": ISSUER, "aud": CLIENT_ID, "sub": user, "jti": self.count}
        claims |= {"iat": int(self.true_time), "exp": int(self.true_time) + 3600}
        parts = [b64url(json.dumps(part).encode()) for part in ({"alg": "RS256"}, claims)]
        return {
            "access_token": f"access-{user}-{self.count}",
            "id_token": ".".join([*parts, "c2ln"]),
            "refresh_token": self.alive[user],
            "expires_in": 3600,
            "token_type": "Bearer",
        }

    def answer(self, form: Form) -> Answer:
        self.true_time += 0.1
        user = form["refresh_token"].split("-")[1]
        if self.mode == "half" and self.alive.get(user) == form["refresh_token"]:
            granted = self.granted(user)
            return Answer(200, {}, json.dumps({"refresh_token": granted["refresh_token"]}).encode())
        if self.mode in REFUSALS:
            return REFUSALS[self.mode]
        if self.alive.get(user) != form["refresh_token"]:
            # A token that was used before: the family ends.
            self.alive.pop(user, None)
            return REFUSALS["invalid_grant"]
        granted = self.granted(user)
        return Answer(200, {}, b"{" if self.loses_answers else json.dumps(granted).encode())

    def ask(self, _endpoint: str, form: Form) -> TokenResponse:
        if self.mode == "down":
            self.true_time += 4.0
            raise TokenRequestError("token_endpoint_unreachable", is_transient=True)
        answer = self.answer(form)
        outcome = refusal_of(answer, ISSUER, form) or tokens_in(answer.json_object() or {})
        if isinstance(outcome, TokenRequestError):
            raise outcome
        return outcome


class Storage(MemoryStorage):
    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def _write(self, records: Any) -> None:
        if self.world.storage_fails:
            raise StorageError(code="storage_unwritable")
        super()._write(records)

    def _read(self) -> Any:
        if self.world.storage_fails and self.world.count % 3 == 0:
            raise StorageError(code="storage_unreadable")
        return super()._read()


def call(world: World, which: str) -> bool:
    """Make a call, and tell whether it got a valid token. One that gets none leaves a button or an error.

    After a refusal there may be nothing newer than the token that was refused.
    """
    manager = world.manager
    try:
        if which == "refused":
            token = manager.access_token_after(manager.access_token or "")
        else:
            token = manager.id_token if which == "id_token" else manager.access_token
    except TokenTossError:
        assert world.shows_button is not manager.is_authenticated
        return False
    if token is None and (which != "refused" or not manager.is_authenticated):
        assert not manager.is_authenticated
        assert world.shows_button
        return False
    assert manager.is_authenticated
    assert not world.shows_button
    return True


def sign_in(world: World, dice: random.Random) -> None:
    response = tokens_in(world.granted(dice.choice(["ada", "bob"])))
    assert isinstance(response, TokenResponse)
    refusal = ""
    try:
        world.manager.accept(response, nonce=None)
    except TokenTossError as failure:
        refusal = failure.code
    assert refusal in {"", "clock_skew", "id_token_expired"}
    assert refusal or not world.shows_button


def sign_out(world: World, _dice: random.Random) -> None:
    world.manager.sign_out()
    assert world.shows_button
    assert not world.manager.is_authenticated


def sign_out_elsewhere(world: World, _dice: random.Random) -> None:
    if not world.storage_fails:
        world.storage.clear()


def wait(world: World, dice: random.Random) -> None:
    world.sleep(dice.choice([1.0, 20.0, 70.0, 1800.0, 3500.0, 4000.0, 50_000.0]))


def change_provider(world: World, dice: random.Random) -> None:
    world.mode = dice.choice(["ok", "ok", "ok", "down", "half", *REFUSALS])


def lose_answers(world: World, _dice: random.Random) -> None:
    world.loses_answers = not world.loses_answers


def break_storage(world: World, _dice: random.Random) -> None:
    world.storage_fails = not world.storage_fails


def jump(world: World, dice: random.Random) -> None:
    world.clock_error = dice.choice([0.0, 45.0, -45.0, 600.0, -600.0, 90_000.0, -90_000.0])


def end_grants(world: World, _dice: random.Random) -> None:
    world.alive.clear()


def call_something(world: World, dice: random.Random) -> None:
    call(world, dice.choice(["id_token", "access_token", "refused"]))


ACTIONS: list[Callable[[World, random.Random], None]] = [
    *[call_something] * 3,
    *[wait] * 2,
    *[change_provider] * 2,
    *[sign_in] * 2,
    sign_out,
    sign_out_elsewhere,
    lose_answers,
    break_storage,
    jump,
    end_grants,
]


def settle(world: World) -> None:
    """Put everything outside right; what is left of the session must now come to an end within minutes."""
    world.mode, world.loses_answers, world.storage_fails, world.clock_error = "ok", False, False, 0.0
    for _ in range(8):
        if call(world, "id_token") and call(world, "access_token"):
            return
        if world.shows_button:
            assert not world.manager.is_authenticated
            return
        world.sleep(61.0)
    raise AssertionError(f"limbo: {world.manager.last_error}")


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[World]:
    worlds: list[World] = []
    monkeypatch.setattr(id_token, "_check_signature", lambda *_: True)

    def ask(endpoint: str, form: Form) -> TokenResponse:
        return worlds[-1].ask(endpoint, form)

    def sleep(seconds: float) -> None:
        worlds[-1].sleep(seconds)

    monkeypatch.setattr(refresh, "ask_for_tokens", ask)
    monkeypatch.setattr(refresh, "PATIENCE", 6.0)
    monkeypatch.setattr(time, "time", lambda: worlds[-1].now() if worlds else 1_900_000_000.0)
    monkeypatch.setattr(time, "monotonic", lambda: worlds[-1].true_time if worlds else 1_900_000_000.0)
    monkeypatch.setattr(time, "sleep", sleep)
    return worlds


def test_no_order_ends_in_limbo(simulated: list[World]) -> None:
    ends = {"token": 0, "button": 0}
    for seed in range(ORDERS):
        dice = random.Random(seed)
        world = World()
        simulated[:] = [world]
        actions = dice.choices(ACTIONS, k=LENGTH)
        try:
            for action in actions:
                action(world, dice)
            settle(world)
        except Exception as failure:
            names = ", ".join(action.__name__ for action in actions)
            raise AssertionError(f"seed {seed} ({names}): {failure!r}") from failure
        ends["button" if world.shows_button else "token"] += 1
    assert min(ends.values()) > ORDERS / 20, f"the orders reach both ends: {ends}"
