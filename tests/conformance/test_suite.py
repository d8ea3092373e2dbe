"""The suite itself: a client that checks nothing passes where there is nothing to check, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from . import careless
from .modules import FURTHER, MODULES, Module
from .run import run_module

ALL = [*MODULES, *FURTHER]


@pytest.mark.parametrize("module", [one for one in ALL if one.code is None], ids=lambda one: one.name)
def test_the_provider_is_fair(module: Module) -> None:
    assert run_module(module, careless.drive).complaints == ()


@pytest.mark.parametrize("module", [one for one in ALL if one.code is not None], ids=lambda one: one.name)
def test_a_client_that_goes_on_is_caught(module: Module) -> None:
    complaints = run_module(module, careless.drive).complaints
    assert any("the driver answered" in complaint for complaint in complaints)
    # What the provider saw tells as well, except where the fault is in its very last answer.
    went_on = any("were called" in complaint for complaint in complaints)
    assert went_on or module.calls == (1, 1)


@pytest.mark.parametrize("module", [one for one in ALL if one.code is not None], ids=lambda one: one.name)
def test_a_client_that_says_no_and_goes_on_is_caught(module: Module) -> None:
    def drive(issuer: str, module: Module) -> dict[str, Any]:
        careless.drive(issuer, module)
        return {"ok": False, "outcome": "refused", "error": module.code}

    assert run_module(module, drive).passed == (module.calls == (1, 1))


def test_a_client_that_never_calls_passes_no_sign_in() -> None:
    def drive(_issuer: str, _module: Module) -> dict[str, Any]:
        return {"ok": True, "outcome": "signed_in", "error": None}

    assert not any(run_module(module, drive).passed for module in ALL)
