"""One redirect URI, one issuer; one client, one provider (RFC 9700 section 4.4)."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fake_provider import CLIENT_ID, FakeProvider
from page import Page, send
from test_widget import message
from test_widget_link import Link
from tokentoss import (
    GOOGLE,
    AuthManager,
    AuthWidget,
    ClientConfig,
    ConfigurationError,
    GoogleAuthWidget,
    Provider,
    error_codes,
)
from tokentoss.callback import lease as lease_module
from tokentoss.callback.claims import claims

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")
VECTORS = Path(__file__).parent.parent / "vectors"
CALLBACK_PAGE = "https://hub.example/services/tokentoss/callback"


def manager_of(fake: FakeProvider, make: Make, **members: Any) -> AuthManager:
    return make(provider=fake.provider(**members))


def origin_of(widget: AuthWidget) -> str:
    return str(widget.ticket["redirect_uri"]).rpartition("/")[0]


def test_two_issuers_have_two_ports(fake: FakeProvider, other: FakeProvider, make_manager: Make) -> None:
    """Each issuer has its own port, and the other port refuses its answers (S15)."""
    first = AuthWidget(auth_manager=manager_of(fake, make_manager))
    second = AuthWidget(auth_manager=manager_of(other, make_manager))
    again = AuthWidget(auth_manager=manager_of(fake, make_manager))
    assert origin_of(first) != origin_of(second)
    assert origin_of(first) == origin_of(again), "one issuer's sign-ins share"
    page = Page(first.ticket)
    page.register()
    query = urlencode({"code": "c", "state": page.state})
    assert send(origin_of(second), "GET", f"/?{query}").status == 400
    assert page.callback().status == 200


def test_issuers_that_name_themselves_share(
    fake: FakeProvider, other: FakeProvider, make_manager: Make
) -> None:
    named = {"iss_parameter_supported": True}
    widgets = [AuthWidget(auth_manager=manager_of(one, make_manager, **named)) for one in (fake, other)]
    assert origin_of(widgets[0]) == origin_of(widgets[1])
    plain = AuthWidget(auth_manager=manager_of(fake, make_manager))
    assert origin_of(plain) != origin_of(widgets[0])


def test_with_fixed_ports_the_next_one(
    fake: FakeProvider, other: FakeProvider, make_manager: Make, free_ports: list[int]
) -> None:
    ports = free_ports[:2]
    first = AuthWidget(auth_manager=manager_of(fake, make_manager), redirect_ports=ports)
    second = AuthWidget(auth_manager=manager_of(other, make_manager), redirect_ports=ports)
    assert [origin_of(one) for one in (first, second)] == [f"http://127.0.0.1:{port}" for port in ports]
    third = AuthWidget(auth_manager=manager_of(other, make_manager), redirect_ports=ports[:1])
    assert third.error_code == "redirect_uri_shared"
    assert third.error == error_codes.sentence("redirect_uri_shared", f"http://127.0.0.1:{ports[0]}/")
    first.close()
    message(third, {"type": "ask_for_ticket"})
    assert origin_of(third) == f"http://127.0.0.1:{ports[0]}", "it is free again"


def test_a_callback_page_of_another_issuer(
    fake: FakeProvider, other: FakeProvider, make_manager: Make
) -> None:
    first = AuthWidget(auth_manager=manager_of(fake, make_manager), redirect_uri=CALLBACK_PAGE)
    second = AuthWidget(auth_manager=manager_of(other, make_manager), redirect_uri=CALLBACK_PAGE)
    assert (second.error_code, second.ticket) == ("redirect_uri_shared", {})
    assert CALLBACK_PAGE in second.error
    first.close()
    message(second, {"type": "ask_for_ticket"})
    assert second.ticket["callback_pages"] == [CALLBACK_PAGE]


def test_a_widget_that_is_collected_gives_its_claims_back(fake: FakeProvider, make_manager: Make) -> None:
    widget = AuthWidget(auth_manager=manager_of(fake, make_manager), redirect_uri=CALLBACK_PAGE)
    assert set(claims._claims) == {widget.ticket["redirect_uri"], CALLBACK_PAGE}
    widget.let_go()
    del widget
    gc.collect()
    assert claims._claims == {}


@pytest.mark.parametrize("iss", ["https://evil.example", "", None])
@pytest.mark.parametrize("way", ["page", "kernel"])
def test_a_wrong_issuer_does_not_spend_the_state(
    fake: FakeProvider, make_manager: Make, iss: str | None, way: str
) -> None:
    """After an answer with a wrong or missing iss, the right answer still counts (H7)."""
    widget = AuthWidget(auth_manager=manager_of(fake, make_manager, iss_parameter_supported=True))
    code = "issuer_mismatch" if iss else "issuer_missing"
    wrong = {} if iss is None else {"iss": iss}
    if way == "page":
        page = Page(widget.ticket)
        page.register()
        reply = page.callback(urlencode({"code": "c", "state": page.state} | wrong))
        assert (reply.status, reply.text) == (400, f"{error_codes.sentence(code)} ({code})\n")
        good = page.callback(urlencode({"code": "c", "state": page.state, "iss": fake.issuer}))
        assert good.status == 200
        return
    link = Link(widget, fake)
    query = link.grant()
    reply = link.come_back(f"{query}&{urlencode(wrong)}")
    assert (reply.status, reply.text) == (400, f"{error_codes.sentence(code)} ({code})\n")
    assert (widget.error_code, widget.is_authenticated) == ("", False)
    assert link.come_back(f"{query}&{urlencode({'iss': fake.issuer})}").status == 200
    assert widget.is_authenticated


def test_a_wrong_issuer_where_none_is_promised(fake: FakeProvider, make_manager: Make) -> None:
    """A wrong iss is refused even if the provider does not promise one (H7)."""
    widget = AuthWidget(auth_manager=manager_of(fake, make_manager))
    page = Page(widget.ticket)
    page.register()
    assert page.callback(f"code=c&state={page.state}&iss=https://evil.example").status == 400
    assert page.callback().status == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_redirect_uri_without_a_path(make_manager: Make, host: str, free_port: int) -> None:
    """A redirect URI without a path is answered at the path "/" (F1)."""
    uri = f"http://{host}:{free_port}"
    config = ClientConfig("web-client", "s", client_type="web", redirect_uris=[uri])
    widget = AuthWidget(auth_manager=make_manager(client_config=config))
    page = Page(widget.ticket)
    assert page.ticket["redirect_uri"] == uri
    assert page.register().status == 200
    query = urlencode({"code": "c", "state": page.state})
    assert send(uri, "POST", "/", b"").status == 405
    assert send(uri, "GET", f"/?{query}").status == 200
    (bound,) = lease_module._listeners.values()
    widget.close()
    bound.close()


# One rule for which provider a client's secret may be sent to.


def installed(folder: Path, **members: str) -> Path:
    path = folder / "client_secrets.json"
    path.write_text(
        json.dumps({"installed": {"client_id": CLIENT_ID, "client_secret": "secret-1"} | members})
    )
    return path


def endpoints(provider: Provider) -> dict[str, str]:
    return {"auth_uri": provider.authorization_endpoint, "token_uri": provider.token_endpoint}


def test_a_client_of_a_file_goes_to_its_endpoints_alone(
    tmp_path: Path, fake: FakeProvider, other: FakeProvider, make_manager: Make
) -> None:
    """A client file's endpoints must be those of the provider (S5)."""
    config = ClientConfig.from_file(installed(tmp_path, **endpoints(fake.provider())))
    assert make_manager(client_config=config).provider.issuer == fake.issuer
    with pytest.raises(ConfigurationError) as refusal:
        manager_of(other, lambda **named: make_manager(client_config=config, **named))
    assert refusal.value.code == "client_of_another_provider"
    assert str(refusal.value) == error_codes.sentence(
        "client_of_another_provider", f"{config.source} ({other.issuer})"
    )
    assert "secret-1" not in str(refusal.value)
    assert other.requests == []


def test_googles_client_goes_to_nobody_else(tmp_path: Path, fake: FakeProvider) -> None:
    """A client file of Google is refused for a widget of another provider (S5)."""
    uris = {"auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": GOOGLE.token_endpoint}
    path = installed(tmp_path, **uris)
    GoogleAuthWidget(client_secrets_path=path).close()
    with pytest.raises(ConfigurationError) as refusal:
        AuthWidget(client_secrets_path=path, provider=fake.provider())
    assert refusal.value.code == "client_of_another_provider"


def test_metadata_cannot_name_anothers_authorization_endpoint(fake: FakeProvider) -> None:
    """A provider with Google's authorization endpoint but other issuer is refused (S5)."""
    evil = Provider(
        name="Evil",
        issuer="https://evil.example",
        authorization_endpoint=GOOGLE.authorization_endpoint,
        token_endpoint="https://evil.example/token",
        jwks_uri="https://evil.example/keys",
    )
    with pytest.raises(ConfigurationError) as refusal:
        AuthManager(ClientConfig(CLIENT_ID, "secret-1"), provider=evil)
    assert refusal.value.code == "client_of_another_provider"


def test_a_client_without_endpoints(tmp_path: Path, fake: FakeProvider, make_manager: Make) -> None:
    """A client made in code fits any provider; a file without endpoints is Google's."""
    assert make_manager(client_config=ClientConfig(CLIENT_ID, "secret-1")).provider.issuer == fake.issuer
    with pytest.raises(ConfigurationError) as refusal:
        make_manager(client_config=ClientConfig.from_file(installed(tmp_path)))
    assert refusal.value.code == "client_of_another_provider"


@pytest.mark.parametrize("vector", json.loads((VECTORS / "loopback_endpoints.json").read_text()))
def test_loopback_is_for_loopback_issuers(vector: dict[str, Any]) -> None:
    """Only an issuer on loopback may have an endpoint on loopback (S5)."""
    named: dict[str, Any] = {"authorization_endpoint": vector["issuer"] + "/auth"}
    named |= {"token_endpoint": vector["endpoint"], "openid_connect": vector.get("openid_connect", True)}
    if not named["openid_connect"]:
        named |= {"scopes": (), "identity_endpoint": vector["issuer"] + "/me"}

    def make() -> Provider:
        return Provider(name="X", issuer=vector["issuer"], jwks_uri=vector["issuer"] + "/keys", **named)

    if vector["allowed"]:
        assert make().token_endpoint == vector["endpoint"]
    else:
        with pytest.raises(ConfigurationError) as refusal:
            make()
        assert refusal.value.code == "endpoint_on_loopback"


def test_providers_are_told_apart_by_who_they_are(fake: FakeProvider) -> None:
    """Providers compare equal by identity, not name, and widgets accept their own (P11)."""
    assert hash(GOOGLE) == hash(Provider.named("google"))
    assert len({GOOGLE, Provider.named("google"), fake.provider()}) == 2
    manager = AuthManager(
        ClientConfig(CLIENT_ID, "s"),
        provider=Provider(**{name: getattr(GOOGLE, name) for name in vars(GOOGLE)} | {"name": "Mine"}),
    )
    GoogleAuthWidget(auth_manager=manager).close()
    with pytest.raises(ConfigurationError):
        GoogleAuthWidget(auth_manager=AuthManager(ClientConfig(CLIENT_ID, "s"), provider=fake.provider()))
