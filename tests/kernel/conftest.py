"""A provider per session, plain at the start of each test; home, credentials and keys for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers.certificates import CertificateAuthority
from servers.fixtures import provider, running_provider
from tokentoss.oauth import discovery, jwks
from tokentoss.session import app_host, default_credentials
from tokentoss.session.live_managers import LiveManagers
from tokentoss.session.token_manager import TokenManager

from kernel.clock import VirtualClock, virtual_clock
from kernel.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servers.provider import LocalProvider

__all__ = ["provider", "running_provider"]


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test stores, signs in and learns stays with it, in child processes too."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    for name in ("TOKENTOSS_CLIENT_SECRETS", "TOKENTOSS_TOKEN_FILE", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(default_credentials, "_everybody", app_host.Visitor())
    monkeypatch.setattr(TokenManager, "_live", LiveManagers())
    monkeypatch.setattr(jwks, "_published", {})
    monkeypatch.setattr(discovery, "_kept", {})


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """Who certifies the servers of this session."""
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Host names of this test."""
    return Names(monkeypatch)


@pytest.fixture
def clock(provider: LocalProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualClock]:
    """The clock of this process and of the provider."""
    yield from virtual_clock(provider, monkeypatch)
