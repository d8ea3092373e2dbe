"""Whether the broker of the environment answers this user."""

from __future__ import annotations

from tokentoss.broker.address import URL_VARIABLE, Broker
from tokentoss.broker.client import BrokerClient
from tokentoss.doctor.finding import Finding
from tokentoss.exceptions import TokenTossError


def broker_findings() -> list[Finding]:
    """Return what is known of the broker; of its key, whether there is one. Empty if none is named."""
    try:
        broker = Broker.of_environment()
    except TokenTossError as failure:
        return [Finding("broker", None, "error", f"{failure} (named by {URL_VARIABLE})")]
    if broker is None:
        return []
    named = Finding("broker", broker.url, text=f"{broker.url} (named by {URL_VARIABLE})")
    try:
        broker.key()
    except TokenTossError as failure:
        return [named, Finding("broker key", False, "error", failure.in_english())]
    key = Finding("broker key", True, text="present (not shown)")
    try:
        accounts = BrokerClient(broker).accounts(patience=0.0)
    except TokenTossError as failure:
        return [named, key, Finding("broker accounts", None, "error", failure.in_english())]
    active = sum(one.status == "active" for one in accounts)
    text = f"it answers; {active} connected" if active else "it answers; nobody is connected"
    return [named, key, Finding("broker accounts", active, "ok" if active else "note", text)]
