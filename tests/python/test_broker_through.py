"""Calls that the broker makes for a process that holds no token."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_provider import Answer, FakeProvider
from tokentoss import (
    BOX,
    APIClient,
    Broker,
    ConfigurationError,
    IAPClient,
    NoCredentialsError,
    ReauthRequiredError,
    TokenRefreshError,
)
from tokentoss.broker import FakeBroker
from tokentoss.clients.errors import (
    ServiceForbiddenError,
    ServiceRedirectError,
    ServiceUnauthenticatedError,
    ServiceUnreachableError,
)
from tokentoss.session.broker_manager import BrokerManager

BASE = "https://reports.example.com"


@pytest.fixture
def client(broker: FakeBroker, service: FakeProvider) -> Iterator[IAPClient]:
    broker.targets["reports.example.com"] = service.issuer
    with IAPClient(BASE, broker=broker.broker(), through=True) as client:
        yield client


def test_the_call_goes_by_way_of_the_broker(
    broker: FakeBroker, service: FakeProvider, client: IAPClient
) -> None:
    grant = broker.connect("google")
    response = client.post("/api", params={"a": "b c"}, data="body")
    assert response.json() == {"ok": True}
    assert response.url == BASE + "/api"
    method, path, headers, _ = service.requests[0]
    assert (method, path) == ("POST", "/api?a=b+c")
    assert headers["Authorization"] == f"Bearer {grant.id_token}"
    assert not [name for name in headers if name.lower().startswith("x-tokentoss")]
    assert "Authorization" not in response.request.headers


def test_the_process_holds_no_token(broker: FakeBroker, client: IAPClient) -> None:
    broker.connect("google")
    assert client.get_json("/api") == {"ok": True}
    assert not [
        one for one in gc.get_objects() if isinstance(one, BrokerManager) and one.broker.url == broker.url
    ]
    assert not [path for _, path, _ in broker.requests if path == "/v1/token"]


def test_an_account_and_the_access_token(broker: FakeBroker, service: FakeProvider) -> None:
    broker.targets["api.example.com"] = service.issuer
    broker.connect("box", subject="s-1")
    bob = broker.connect("box", subject="s-2")
    client = APIClient(
        "https://api.example.com", provider=BOX, account="s-2", broker=broker.broker(), through=True
    )
    assert client.get_json("/api")
    assert service.requests[0][2]["Authorization"] == f"Bearer {bob.access_token}"


@pytest.mark.parametrize(
    ("status", "kind", "calls"),
    [(401, ServiceUnauthenticatedError, 2), (403, ServiceForbiddenError, 1)],
)
def test_a_refusal_of_the_service(
    broker: FakeBroker,
    service: FakeProvider,
    client: IAPClient,
    status: int,
    kind: type[Exception],
    calls: int,
) -> None:
    """A refusal of the service gives a typed error that names the service."""
    broker.connect("google")
    service.answers["/api"] = Answer.json({"code": "caller_unauthenticated"}, status)
    with pytest.raises(kind, match=r"reports\.example\.com"):
        client.get_json("/api")
    assert len(service.requests) == calls


def test_a_refusal_of_the_broker(broker: FakeBroker, service: FakeProvider, client: IAPClient) -> None:
    with pytest.raises(NoCredentialsError) as nobody:
        client.get("/api")
    assert nobody.value.code == "not_connected"
    broker.connect("google")
    with pytest.raises(ConfigurationError) as elsewhere:
        IAPClient("https://other.example", broker=broker.broker(), through=True).get("/")
    assert (elsewhere.value.code, elsewhere.value.action) == ("target_forbidden", "ask_admin")
    with pytest.raises(ConfigurationError) as stranger:
        IAPClient(BASE, broker=Broker(broker.url, "wrong"), through=True).get("/api")
    assert stranger.value.code == "caller_unauthenticated"
    assert service.requests == []


def test_an_answer_without_the_mark_is_not_the_services(service: FakeProvider) -> None:
    """An answer without the broker's mark gives broker_answer_invalid."""
    broker = Broker(service.issuer, "key")
    service.answers["/v1/through/google/reports.example.com/api"] = Answer.json({"ok": True})
    with pytest.raises(Exception, match="doesn't answer like a broker") as caught:
        IAPClient(BASE, broker=broker, through=True).get_json("/api")
    assert caught.value.code == "broker_answer_invalid"  # type: ignore[attr-defined]


def test_a_broker_that_is_away(broker: FakeBroker, client: IAPClient) -> None:
    broker.close()
    with pytest.raises(ServiceUnreachableError) as caught:
        client.get("/api")
    assert caught.value.code == "broker_unreachable"
    assert broker.url in str(caught.value)


def test_redirects_are_the_services(broker: FakeBroker, service: FakeProvider, client: IAPClient) -> None:
    broker.connect("google")
    service.answers["/old"] = Answer(302, b"", {"Location": "/api"})
    assert client.get_json("/old") == {"ok": True}
    service.answers["/old"] = Answer(302, b"", {"Location": "https://elsewhere.example/"})
    with pytest.raises(ServiceRedirectError):
        client.get_json("/old")
    assert [path for _, path, _, _ in service.requests] == ["/old", "/api", "/old"]


@pytest.mark.parametrize(
    "path",
    [
        "https://reports.example.com/../../../accounts",
        "https://reports.example.com/%2e%2e/%2E./x",
        "https://reports.example.com/%252e%252e/x",
        "https://reports.example.com/..;a/x",
        "https://reports.example.com/..\\x",
    ],
)
def test_no_path_leads_to_another_route_of_the_broker(
    broker: FakeBroker, client: IAPClient, path: str
) -> None:
    with pytest.raises((ConfigurationError, ValueError)):
        client.get(path)
    assert broker.requests == []


def test_what_needs_a_token_here_is_refused(broker: FakeBroker) -> None:
    for arguments in ({"expected_audience": "a"}, {"header": "Proxy-Authorization"}):
        with pytest.raises(ConfigurationError) as caught:
            IAPClient(BASE, broker=broker.broker(), through=True, **arguments)  # type: ignore[arg-type]
        assert caught.value.code == "broker_conflict"
    with pytest.raises(ConfigurationError) as caught:
        IAPClient(BASE, through=True)
    assert caught.value.code == "broker_missing"
    with pytest.raises(ConfigurationError) as caught:
        IAPClient("http://127.0.0.1:1", broker=broker.broker(), through=True).get("/api")
    assert caught.value.code == "address_insecure"


def test_the_callers_own_headers_stay_and_cannot_choose_the_account(
    broker: FakeBroker, service: FakeProvider, client: IAPClient
) -> None:
    broker.connect("google")
    client.get("/api", headers={"X-Mine": "1", "X-Tokentoss-Credential": "access_token"})
    headers = service.requests[0][2]
    assert headers["X-Mine"] == "1"
    assert headers["Authorization"].count(".") == 2, "the ID token"


def test_it_stays_with_the_account_of_its_first_call(
    broker: FakeBroker, service: FakeProvider, client: IAPClient
) -> None:
    ada = broker.connect("google", subject="ada")
    service.answers["/api"] = Answer(200, b"{}", {"Tokentoss-Account": "forged", "tokentoss-through": "0"})
    response = client.get("/api")
    assert response.headers["Tokentoss-Account"] == ada.id, "the service cannot name another one"
    bob = broker.connect("google", subject="bob")
    assert client.get("/api").status_code == 200
    broker.end(ada)
    with pytest.raises(ReauthRequiredError):
        client.get("/api")
    broker.grants.remove(ada)
    with pytest.raises(NoCredentialsError, match="make a new client") as ended:
        client.get("/api")
    assert (ended.value.code, ended.value.action) == ("client_session_ended", "sign_in")
    sent = [headers["Authorization"] for _, _, headers, _ in service.requests]
    assert sent == [f"Bearer {ada.id_token}"] * 2
    with IAPClient(BASE, broker=broker.broker(), through=True) as another:
        another.get("/api")
    assert service.requests[-1][2]["Authorization"] == f"Bearer {bob.id_token}"


def test_also_where_the_first_call_is_refused_or_redirected(
    broker: FakeBroker, service: FakeProvider, client: IAPClient
) -> None:
    broker.connect("google", subject="ada")
    service.answers["/old"] = Answer(302, b"", {"Location": "/gone"})
    service.answers["/gone"] = Answer(404, b"", {}, before=lambda: broker.connect("google", subject="bob"))
    assert client.get("/old").status_code == 404
    assert client.get("/api").status_code == 200


def test_calls_at_once_are_all_for_one_account(broker: FakeBroker, client: IAPClient) -> None:
    broker.connect("google", subject="ada")
    with ThreadPoolExecutor(8) as pool:
        named = set(pool.map(lambda _: client.get("/api").headers["Tokentoss-Account"], range(32)))
    assert len(named) == 1


@pytest.mark.parametrize(
    ("account", "code"), [("", "broker_answer_invalid"), ("somebody-else", "broker_token_foreign")]
)
def test_an_answer_for_nobody_or_somebody_else(service: FakeProvider, account: str, code: str) -> None:
    path = "/v1/through/google/reports.example.com/api"
    marks = {"Tokentoss-Through": "1", "Tokentoss-Account": "ada"}
    service.answers[path] = Answer(200, b"{}", marks)
    client = IAPClient(BASE, broker=Broker(service.issuer, "key"), through=True)
    assert client.get("/api").status_code == 200
    assert "X-Tokentoss-Account" not in service.requests[0][2]
    service.answers[path] = Answer(200, b"{}", {**marks, "Tokentoss-Account": account})
    with pytest.raises(TokenRefreshError) as caught:
        client.get("/api")
    assert caught.value.code == code
    assert service.requests[1][2]["X-Tokentoss-Account"] == "ada"
