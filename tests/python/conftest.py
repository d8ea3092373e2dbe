from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import comm
import pytest
import tokentoss
from broker_steps import shown
from comm.base_comm import BaseComm
from command_steps import configured, store
from fake_provider import CLIENT_ID, Answer, FakeProvider, SigningKey
from hypothesis import settings
from page import Page
from servers import ports
from tokentoss import AuthManager, AuthWidget, ClientConfig, GoogleAuthWidget, MemoryStorage
from tokentoss.broker import FakeBroker, news
from tokentoss.broker import calls as broker_calls
from tokentoss.callback import claims, lease, listener
from tokentoss.handoff.remote_kernel import HUB_VARIABLES
from tokentoss.oauth import discovery, jwks
from tokentoss.session import current_tokens, detached_broker, doubtful_tokens, endings, refresh
from tokentoss.session.live_managers import LiveManagers
from tokentoss.session.token_manager import TokenManager
from tokentoss.widgets import broker_page
from tokentoss.workload import service_credentials

__all__ = ["configured", "store"]

# Examples that failed once are written into tests, not into a folder.
settings.register_profile("here", database=None, deadline=None)
settings.load_profile("here")


NETWORK_VARIABLES = (
    *(name for one in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for name in (one, one.upper())),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)


@pytest.fixture
def free_ports() -> list[int]:
    """Three ports that are free and stay so, as far as one can know."""
    found: set[int] = set()
    while len(found) < 3:
        found.add(ports.free_port())
    return sorted(found)


@pytest.fixture
def free_port(free_ports: list[int]) -> int:
    """One of them."""
    return free_ports[0]


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test has its own home, process-wide credentials and keys, and leaves no listener behind."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    for name in (
        "TOKENTOSS_CLIENT_SECRETS",
        "TOKENTOSS_TOKEN_FILE",
        "TOKENTOSS_LANGUAGE",
        "TOKENTOSS_REDIRECT_URI",
        "TOKENTOSS_BROKER",
        "TOKENTOSS_SERVICE_AUDIENCE",
        "TOKENTOSS_SERVICE_CREDENTIALS",
        "TOKENTOSS_SERVICE_IMPERSONATE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "CLOUDSDK_CONFIG",
        "TOKENTOSS_BROKER_HUB",
        "TOKENTOSS_BROKER_KEY",
        "TOKENTOSS_BROKER_KEY_FILE",
        "JUPYTERHUB_API_TOKEN",
        "CODESPACES",
        "COLAB_RELEASE_TAG",
        "JPY_PARENT_PID",
        "KUBERNETES_SERVICE_HOST",
        *HUB_VARIABLES,
        *NETWORK_VARIABLES,
    ):
        monkeypatch.delenv(name, raising=False)
    tokentoss.CREDENTIALS = None
    monkeypatch.setattr(TokenManager, "_live", LiveManagers())
    watching = endings.Endings()
    monkeypatch.setattr(current_tokens, "endings", watching)
    monkeypatch.setattr(listener, "POLL", 0.02)
    # Widgets of other tests are kept by ipywidgets, and with them what they claimed.
    claims.claims._claims.clear()
    # Tests of failures that pass wait for nothing unless they say so.
    monkeypatch.setattr(refresh, "PATIENCE", 0.0)
    monkeypatch.setattr(broker_calls, "PATIENCE", 0.0)
    monkeypatch.setattr(news, "PAUSES", (0.02, 0.1))
    monkeypatch.setattr(news, "SELDOM", 0.1)
    detached_broker._shared.clear()
    service_credentials._shared.cache_clear()
    monkeypatch.setattr(broker_page._Latest, "origin", None)
    monkeypatch.setattr(broker_page, "own_origins", set)
    monkeypatch.setattr(doubtful_tokens.doubts, "_until", {})
    monkeypatch.setattr(jwks, "_published", {})
    monkeypatch.setattr(discovery, "_kept", {})
    yield
    # Managers outlive their tests, and their ends must not come in another one.
    watching._watched.clear()
    watching._news.set()
    lease._close_all()
    for one in list(lease._listeners.values()):
        assert one.closed.wait(10)


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey("key-1")


@pytest.fixture(scope="session")
def other_key() -> SigningKey:
    return SigningKey("key-2")


@pytest.fixture
def fake(signing_key: SigningKey) -> Iterator[FakeProvider]:
    provider = FakeProvider(signing_key)
    yield provider
    provider.close()


@pytest.fixture
def other(signing_key: SigningKey) -> Iterator[FakeProvider]:
    """A second provider."""
    provider = FakeProvider(signing_key)
    yield provider
    provider.close()


@pytest.fixture
def service(signing_key: SigningKey) -> Iterator[FakeProvider]:
    """A service that answers calls of "/api"."""
    server = FakeProvider(signing_key)
    server.answers["/api"] = Answer.json({"ok": True})
    yield server
    server.close()


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    with FakeBroker() as one:
        yield one


@pytest.fixture
def brokered(broker: FakeBroker) -> Iterator[Callable[..., AuthWidget]]:
    """Makes widgets with the broker, and closes them."""
    made: list[AuthWidget] = []

    def make(kind: type[AuthWidget] = GoogleAuthWidget, **arguments: Any) -> AuthWidget:
        made.append(kind(**({"broker": broker.broker()} | arguments)))
        return made[-1]

    yield make
    for widget in made:
        widget.close()


@pytest.fixture
def displayed(broker: FakeBroker, brokered: Callable[..., AuthWidget]) -> AuthWidget:
    """A displayed widget with the broker that listens to its news, and whose user is not signed in."""
    return shown(broker, brokered())


@pytest.fixture
def config() -> ClientConfig:
    return ClientConfig(CLIENT_ID, "secret-1")


@pytest.fixture
def make_manager(fake: FakeProvider, config: ClientConfig) -> Callable[..., AuthManager]:
    def make(**arguments: Any) -> AuthManager:
        named: dict[str, Any] = {
            "client_config": config,
            "provider": fake.provider(),
            "storage": MemoryStorage(),
        }
        return AuthManager(**(named | arguments))

    return make


class RecordingComm(BaseComm):
    """A comm that keeps what the kernel sends."""

    sent: list[dict[str, Any]]

    def publish_msg(self, msg_type: str, data: Any = None, **_: Any) -> None:
        self.__dict__.setdefault("sent", []).append({"type": msg_type, "data": data})


@pytest.fixture
def widget(make_manager: Callable[..., AuthManager]) -> Iterator[AuthWidget]:
    widget = AuthWidget(auth_manager=make_manager())
    yield widget
    widget.close()


@pytest.fixture
def page(widget: AuthWidget) -> Page:
    """A notebook page that shows the widget, as far as its listener can tell."""
    return Page(widget.ticket)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", RecordingComm)


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Wait for a condition, not for a time; the limit only ends a test that hangs."""

    def wait(condition: Callable[[], Any]) -> Any:
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            value = condition()
            if value:
                return value
            time.sleep(0.005)
        raise AssertionError("the condition was never met")

    return wait
