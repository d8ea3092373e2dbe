"""Runs modules: a provider that errs, a client that is driven, and the verdict on what the provider saw."""

from __future__ import annotations

import json
import os
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from servers.process import ServerProcess

from .driver import READY
from .modules import Module
from .provider import CLIENT_ID, CLIENT_SECRET, Provider

if TYPE_CHECKING:
    from collections.abc import Iterator

Drive = Callable[[str, Module], dict[str, Any]]
"""Drives a client at an issuer through a module; returns what the driver answered."""

TESTS = Path(__file__).resolve().parents[1]
LONGEST_MODULE_SECONDS = 180


@dataclass(frozen=True)
class Result:
    """The verdict on one module."""

    module: Module
    code: str | None
    complaints: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether there is nothing to complain about."""
        return not self.complaints

    def row(self) -> dict[str, str | None]:
        """The row of the table."""
        result = "passed" if self.passed else "failed"
        return {"module": self.module.name, "plan": self.module.plan, "result": result, "code": self.code}


def run_module(module: Module, drive: Drive) -> Result:
    """Run one module.

    The driver answers when the client has come to its end, so what the provider has seen by then is all.
    """
    with Provider(module.registration, module.faults) as provider:
        answer = drive(provider.issuer, module)
        seen = {call: provider.count(call) for call in ("discovery", "jwks", "token", "userinfo")}
        violations = list(provider.violations)
    complaints = [f"the client broke the protocol: {violation}" for violation in violations]
    expected = {
        "ok": module.code is None,
        "outcome": "signed_in" if module.code is None else "refused",
        "error": module.code,
    }
    if answer != expected:
        complaints.append(f"the driver answered {answer}, not {expected}")
    calls = (seen["token"], seen["userinfo"])
    if calls != module.calls:
        complaints.append(f"token and userinfo were called {calls} times, not {module.calls}")
    for call, minimum in module.minimum.items():
        if seen[call] < minimum:
            complaints.append(f"{call} was called {seen[call]} times, not at least {minimum}")
    return Result(module, answer.get("error"), tuple(complaints))


@contextmanager
def running_driver(log: Path) -> Iterator[Drive]:
    """Start the driver's process and yield how to drive it."""
    process = ServerProcess(
        [sys.executable, "-m", "conformance.driver"],
        log=log,
        is_ready=lambda line: line.startswith(READY),
        env={**os.environ, "CONFORMANCE_CLIENT_SECRET": CLIENT_SECRET},
        cwd=TESTS,
    )
    try:
        address = process.wait_ready().removeprefix(READY).strip()
        yield lambda issuer, module: _drive(address, issuer, module)
    finally:
        process.stop()


def _drive(address: str, issuer: str, module: Module) -> dict[str, Any]:
    query = {"issuer": issuer, "module": module.name, "variant": module.variant, "client_id": CLIENT_ID}
    url = f"{address}/start?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=LONGEST_MODULE_SECONDS) as response:
        answer: dict[str, Any] = json.load(response)
        return answer
