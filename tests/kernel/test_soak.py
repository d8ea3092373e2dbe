"""No call fails in three hours of virtual time with a provider that fails in every way (C64)."""

from __future__ import annotations

import random
from dataclasses import dataclass

import jwt
import pytest
from servers.recording import RecordingServer, Reply
from tokentoss import FileStorage, IAPClient
from tokentoss.session import app_host, default_credentials

from kernel.faults import FAULTS, FAULTS_WITHOUT_ROTATION, SILENT, SKEWS, WELL, give_up_after
from kernel.people import client_secrets, manager_at, refreshes, sign_in

HOURS = 3
STEP = 15
LIFETIME = 900
# Within four minutes before a token's end the provider is well for longer than the longest back-off.
LONGEST_OUTAGE, SHORTEST_HEALTH = 120, 90
# Seconds of the real clock that a request waits for a provider that does not answer.
PATIENCE = 0.5


@dataclass
class Weather:
    """What the provider suffers from, drawn anew whenever the last spell is over."""

    seed: random.Random
    faults: dict
    until: float = 0.0
    fault: str | None = None

    def at(self, second):
        if second >= self.until:
            if self.fault is None and second > 0:
                self.fault = self.seed.choice(sorted(self.faults))
                self.until = second + self.seed.uniform(STEP, LONGEST_OUTAGE)
            else:
                self.fault = None
                self.until = second + self.seed.uniform(SHORTEST_HEALTH, 4 * SHORTEST_HEALTH)
        return WELL | self.faults.get(self.fault, {})


@pytest.fixture
def service(provider):
    """A service that looks at a token's signature, issuer, audience and, to the second, expiry."""
    keys = jwt.PyJWKClient(provider.metadata()["jwks_uri"]).get_jwk_set()

    def answer(request):
        try:
            key = keys[jwt.get_unverified_header(request.bearer)["kid"]]
            jwt.decode(
                request.bearer,
                key,
                algorithms=["RS256"],
                issuer=provider.issuer,
                audience=provider.public.client_id,
            )
        except (jwt.PyJWTError, KeyError) as refusal:
            return Reply.json({"error": repr(refusal)}, 401)
        return Reply.json({})

    with RecordingServer(answer) as server:
        yield server


def configure_detached(provider, path, monkeypatch):
    monkeypatch.setattr(default_credentials, "_everybody", app_host.Visitor())
    monkeypatch.setenv("TOKENTOSS_TOKEN_FILE", str(path))
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(client_secrets(provider, path.parent)))


@pytest.mark.parametrize("rotate", [True, False], ids=["rotating", "not rotating"])
@pytest.mark.parametrize("seed", range(2))
def test_no_call_fails_in_three_hours(provider, service, clock, tmp_path, monkeypatch, rotate, seed):
    path = tmp_path / "tokens.json"
    provider.change(rotate=rotate, token_lifetime_seconds=LIFETIME)
    weather = Weather(random.Random(seed), FAULTS | ({} if rotate else FAULTS_WITHOUT_ROTATION))
    give_up_after(monkeypatch, PATIENCE, lambda: weather.fault in SILENT)
    managers = [sign_in(manager_at(provider, storage=FileStorage(path)))]
    managers.append(manager_at(provider, storage=FileStorage(path)))
    provider.forget_requests()
    suffered, failures = set(), []
    # A script beside the notebook knows the token file and the configured client, nothing else.
    configure_detached(provider, path, monkeypatch)
    clients = [
        *(IAPClient(service.origin(), auth_manager=manager) for manager in managers),
        IAPClient(service.origin(), provider=provider.issuer),
    ]
    for second in range(0, HOURS * 3600, STEP):
        switches = weather.at(second)
        suffered.add(weather.fault)
        clock.advance(STEP, skew=SKEWS.get(weather.fault, 0), **switches)
        for number, client in enumerate(clients):
            where = f"{second} s, {weather.fault or 'well'}, client {number}"
            try:
                answer = client.get("/data")
                if answer.status_code != 200:
                    failures.append(f"{where}: {answer.status_code} {answer.text}")
            except Exception as failure:  # noqa: BLE001 - every failure is a finding
                failures.append(f"{where}: {type(failure).__name__} {failure}")
    assert failures == []
    assert len(suffered) > 8, "the weather was bad enough"
    renewals = len({request.bearer for request in service.requests}) - 1
    assert renewals >= HOURS * 3600 // LIFETIME
    # Each renewal, and what was tried in vain with growing pauses: far less than once a call.
    assert refreshes(provider) <= 6 * renewals
