"""docs/automation.md: its examples run as they are written, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fake_google import AUDIENCE, TARGET, FakeGoogle, iam_path
from fake_provider import Answer, FakeProvider
from google_world import fake_fixture, key_fixture  # noqa: F401 - fixtures
from tokentoss import error_codes
from tokentoss.workload import service_credentials

PAGE = Path(__file__).parents[2] / "docs" / "automation.md"
TEXT = PAGE.read_text(encoding="utf-8")
SERVICE = "https://my-iap-service.run.app"
ROBOT = "robot@project.iam.gserviceaccount.com"
KEY = "/run/secrets/key.json"


def test_the_examples(
    fake: FakeGoogle,
    key: Path,
    service: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service.answers["/api/data"] = Answer.json({"rows": 3})
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    for name, value in re.findall(r"^ +(TOKENTOSS_\w+): (\S+)$", TEXT, re.MULTILINE):
        monkeypatch.setenv(name, value)
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    for block in blocks:
        own = block.replace(SERVICE, service.issuer).replace(KEY, str(key)).replace(ROBOT, TARGET)
        exec(compile(own, str(PAGE), "exec"), names)
    assert capsys.readouterr().out == "{'rows': 3}\n" * len(blocks)
    assert len(blocks) == 4
    audiences = [claims["target_audience"] for claims in fake.assertions if "target_audience" in claims]
    assert audiences == [AUDIENCE, AUDIENCE]
    assert fake.calls(iam_path()) == 1, "the adapter shares the token of its credentials"


def test_what_it_names_exists() -> None:
    variables = {value for name, value in vars(service_credentials).items() if name.endswith("_VARIABLE")}
    own = set(re.findall(r"TOKENTOSS_SERVICE_\w+", TEXT))
    assert own == variables
    codes = set(re.findall(r"`((?:credentials|minting)_\w+)`", TEXT))
    assert codes
    assert codes <= set(error_codes.table())
