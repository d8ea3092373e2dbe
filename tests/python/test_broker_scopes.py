"""Scopes with a broker: requested, granted under other names, or declined."""

from __future__ import annotations

import pytest
from broker_steps import ADA, Make, asked, offered, shown, signed_in, until
from tokentoss import GOOGLE, BoxAuthWidget, ReauthRequiredError
from tokentoss.broker import BrokerClient, FakeBroker
from tokentoss.broker.answers import AccountOfToken
from tokentoss.session.broker_manager import BrokerManager

GOOGLES = ["openid", *GOOGLE.scope_aliases.values()]
READ, WRITE = "root_readonly", "root_readwrite"


def tokens_asked(broker: FakeBroker) -> list[dict[str, object]]:
    return [members for _, path, members in broker.requests if path == "/v1/token"]


def test_names_that_the_provider_has_for_them(broker: FakeBroker, brokered: Make) -> None:
    """A scope granted under the provider's own name for it is not missing."""
    widget = brokered(scopes=["openid", "email", "profile"])
    broker.sign_in(offered(broker, widget), email=ADA, scopes=GOOGLES)
    until(lambda: widget.is_authenticated)
    manager = widget.auth_manager
    assert manager.id_token
    assert manager.access_token
    assert manager.missing_scopes == []
    assert widget.request_scopes("email") == []
    assert widget.status == f"Signed in as {ADA}"
    assert not [one for one in tokens_asked(broker) if "scopes" in one]


def test_a_token_that_names_them_is_given_as_well(broker: FakeBroker) -> None:
    broker.connect("google", scopes=GOOGLES)
    client = BrokerClient(broker.broker())
    for scopes in (["email"], [GOOGLE.scope_aliases["email"], "profile"]):
        assert client.get_valid_provider_access_token("google", scopes=scopes).scopes == GOOGLES
    with pytest.raises(ReauthRequiredError) as caught:
        client.get_valid_provider_access_token("google", scopes=["https://drive"])
    assert caught.value.code == "scope_missing"


def test_a_scope_that_the_user_declines(broker: FakeBroker, brokered: Make) -> None:
    """A declined scope is listed as missing, and the tokens stay usable."""
    widget = signed_in(broker, shown(broker, brokered(BoxAuthWidget, scopes=[READ])))
    manager = widget.auth_manager
    for _ in range(2):
        assert widget.request_scopes(WRITE) == [WRITE]
        until(lambda: widget.broker)
        attempt = broker.attempts[widget.broker["id"]]
        assert attempt.asked["scopes"] == [READ, WRITE]
        broker.sign_in(attempt, email=ADA, scopes=[READ])
        until(lambda: widget.broker == {})
        assert widget.status == f"Signed in as {ADA} (not granted: {WRITE})"
        assert (manager.is_authenticated, manager.missing_scopes) == (True, [WRITE])
        assert manager.access_token
        assert manager.granted_scopes == [READ]


def test_what_is_granted_elsewhere_under_other_names(broker: FakeBroker) -> None:
    broker.connect("google", email=ADA, scopes=["openid"])
    manager = BrokerManager(broker.broker(), scopes=["openid", "email"])
    assert manager.id_token
    assert manager.missing_scopes == ["email"]
    broker.connect("google", email=ADA, scopes=GOOGLES)
    for _ in range(2):
        manager._heard(BrokerClient(broker.broker()).accounts())
        assert manager.missing_scopes == []
    assert asked(broker, "/v1/token") == 2, "once for what is new"


def test_what_a_broker_has_by_itself_is_not_missing(broker: FakeBroker) -> None:
    """openid and offline_access are not missing if the grant does not list them."""
    broker.connect("google", scopes=["files"])
    manager = BrokerManager(broker.broker(), scopes=["openid", "offline_access", "files", "more"])
    assert manager.access_token
    assert manager.missing_scopes == ["more"]


def test_scopes_that_nobody_named(broker: FakeBroker) -> None:
    """Without scopes=, only scopes that were requested can be missing."""
    broker.connect("google", scopes=["openid"])
    manager = BrokerManager(broker.broker())
    assert manager.request_scopes("https://drive") == [], "nobody is signed in"
    assert manager.access_token
    manager = BrokerManager(broker.broker())
    assert manager.access_token
    assert manager.missing_scopes == []
    assert "https://drive" in manager.request_scopes("https://drive")
    assert "https://drive" in manager.missing_scopes
    broker.grants[0].scopes += [*GOOGLES, "https://drive"]
    manager.connected(AccountOfToken(broker.grants[0].id, "subject-1"))
    assert manager.missing_scopes == []
