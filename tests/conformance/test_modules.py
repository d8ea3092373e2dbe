"""Every module, run against the built product: the front end in Chromium and Python behind it."""

from __future__ import annotations

import pytest

from .modules import FURTHER, MODULES, NOT_OFFERED, Module
from .run import Drive, run_module


@pytest.mark.parametrize("module", [*MODULES, *FURTHER], ids=lambda module: module.name)
def test_module(module: Module, drive: Drive) -> None:
    result = run_module(module, drive)
    assert result.complaints == ()


def test_there_are_42_modules() -> None:
    assert len(MODULES) == 42
    names = [module.name for module in (*MODULES, *FURTHER)] + list(NOT_OFFERED)
    assert len(set(names)) == len(names)
