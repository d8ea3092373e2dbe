"""What a broker answers is read strictly: the typed error, or exactly what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from broker_steps import Make, until
from tokentoss import TokenTossError, error_codes
from tokentoss.broker import FakeBroker
from tokentoss.broker.fake.problems import STATUS_OF
from tokentoss.exceptions import ConfigurationError, TokenRefreshError, error_for

ROOT = Path(__file__).parents[2]


def interface() -> dict[str, Any]:
    """The interface as the broker itself describes it."""
    path = ROOT / "crates/tokentoss-broker/src/routes/openapi.json"
    described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return described


def test_every_code_of_the_broker_is_known_here() -> None:
    codes = set(interface()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    assert {"scope_forbidden", "request_incomplete", "hub_unavailable"} <= codes
    assert codes <= set(error_codes.table())
    assert "audience_forbidden" not in error_codes.table()


def test_the_fake_broker_has_the_statuses_of_the_interface() -> None:
    text = (ROOT / "docs/broker/http.md").read_text(encoding="utf-8").partition("## Problems")[2]
    documented = {
        code: int(status)
        for status, codes in re.findall(r"(?m)^\| (\d{3}) \| (.*) \|$", text)
        for code in re.findall(r"`([a-z_]+)`", codes)
    }
    assert documented == STATUS_OF


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("scope_forbidden", ConfigurationError),
        ("hub_unavailable", TokenRefreshError),
        ("request_incomplete", TokenRefreshError),
    ],
)
def test_the_kind_of_a_problem(code: str, kind: type[TokenTossError]) -> None:
    assert type(error_for(code)) is kind


def test_scopes_are_asked_for_as_they_are_and_refused_by_name(broker: FakeBroker, brokered: Make) -> None:
    grant = broker.connect("google", scopes=["openid", "email", "profile"])
    widget = brokered()
    widget._repr_mimebundle_()
    until(lambda: widget.is_authenticated)
    begun = len(broker.attempts)
    broker.failures = [{"code": "scope_forbidden"}]
    assert widget.request_scopes("https://drive") == ["https://drive"]
    until(lambda: widget.error_code == "scope_forbidden")
    sent = next(members for _, path, members in broker.requests[::-1] if path == "/v1/authorizations")
    assert sent["scopes"] == [*widget.auth_manager.provider.scopes, "https://drive"]
    assert len(broker.attempts) == begun
    assert widget.is_authenticated, "what was granted stays usable"
    assert widget.auth_manager.access_token == grant.access_token
