"""Company networks: certificates, proxies, names and addresses, each with its own error."""

from __future__ import annotations

import gzip
import http.client as http_client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import truststore
from fake_provider import Answer, FakeProvider
from network import (
    PASSWORD,
    Authority,
    ConnectProxy,
    blackhole,
    dripping,
    https_server,
    resolver,
    socks_proxy,
)
from tokentoss import Provider, TokenRefreshError, error_codes
from tokentoss.exceptions import DiscoveryError
from tokentoss.oauth.client_authentication import Form
from tokentoss.oauth.token_endpoint import request_tokens
from tokentoss.util import certificates
from tokentoss.util.failures import TransportError
from tokentoss.util.http import call

NAME = "idp.company.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def seen() -> list[dict[str, str]]:
    return []


@pytest.fixture
def server(
    authority: Authority, seen: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    with https_server(authority.server_context(NAME), seen) as port:
        monkeypatch.setattr(socket, "getaddrinfo", resolver({NAME: [("127.0.0.1", port)]}))
        yield f"https://{NAME}:{port}/token"


@pytest.fixture
def trusting(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


def refused(url: str, **named: Any) -> TransportError:
    with pytest.raises(TransportError) as failure:
        call("GET", url, **named)
    assert error_codes.is_known(failure.value.reason) or failure.value.reason == "unreachable"
    assert PASSWORD not in "".join(traceback.format_exception(failure.value))
    assert "pass%3Aw0rd" not in str(failure.value.subject)
    return failure.value


def folder_of(authority: Authority, folder: Path) -> Path:
    # OpenSSL finds certificates in folders by the hash of their names.
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(authority.file)]
    name = subprocess.check_output(command, text=True).strip()
    shutil.copy(authority.file, folder / f"{name}.0")
    return folder


@pytest.mark.parametrize(
    "variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR"]
)
def test_a_private_authority(
    server: str, authority: Authority, monkeypatch: pytest.MonkeyPatch, variable: str, tmp_path: Path
) -> None:
    """The certificates that an environment variable names, file or folder, are trusted (F2)."""
    is_folder = variable == "SSL_CERT_DIR"
    missing = f"{tmp_path / 'gone'}{os.pathsep}"
    value = f"{missing}{folder_of(authority, tmp_path)}" if is_folder else str(authority.file)
    monkeypatch.setenv(variable, value)
    assert call("GET", server).json_object() == {"ok": True}


def test_a_private_authority_that_nobody_named(server: str, seen: list[Any]) -> None:
    """The error for an untrusted certificate names what is trusted, and the variable (F2)."""
    failure = refused(server)
    assert failure.reason == "certificate_untrusted"
    sentence = error_codes.sentence(failure.reason, failure.subject)
    assert sentence.startswith(f"The certificate of {NAME} (")
    assert "trusted: the operating system's certificates" in sentence
    assert "SSL_CERT_FILE" in sentence
    assert (seen, failure.was_sent) == ([], False)


def test_a_certificate_of_another_name(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    """The error for a certificate of another name gives the reason and the variable (F2)."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    port = int(server.rpartition(":")[2].split("/")[0])
    monkeypatch.setattr(socket, "getaddrinfo", resolver({"other.example": [("127.0.0.1", port)]}))
    failure = refused(f"https://other.example:{port}/")
    assert failure.reason == "certificate_untrusted"
    assert "Hostname mismatch" in str(failure.subject)
    assert f"trusted: SSL_CERT_FILE={authority.file}" in str(failure.subject)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_certificates_that_is_gone(
    server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, content: str | None
) -> None:
    """An unreadable certificate file gives a typed error with variable and path (F3)."""
    path = tmp_path / "gone.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(TokenRefreshError) as failure:
        request_tokens(server, {}, TokenRefreshError)
    assert failure.value.code == "certificates_unreadable"
    assert str(failure.value).startswith(f"{variable}={path} doesn't contain readable certificates")
    with pytest.raises(DiscoveryError) as discovery:
        Provider.discover(server.removesuffix("/token"))
    assert discovery.value.code == "certificates_unreadable"


def test_the_operating_systems_certificates_come_through_truststore() -> None:
    """By default, the operating system's certificates are trusted (F2)."""
    _, context = certificates.borrow_context()
    assert isinstance(context, truststore.SSLContext)
    assert context._ctx.cert_store_stats()["x509_ca"] > 50
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_proxy(server: str, seen: list[Any], monkeypatch: pytest.MonkeyPatch, password: str | None) -> None:
    """HTTPS_PROXY is used, with or without a password, unless NO_PROXY excludes the host (F2)."""
    proxy = ConnectProxy(password)
    with proxy.running() as port:
        user = f"ada:{quote(password)}@" if password else ""
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{port}")
        assert call("GET", server).status == 200
        ((target, _),) = proxy.requests
        assert target.startswith(f"{NAME}:")
        assert "Proxy-Authorization" not in seen[0]
        monkeypatch.setenv("NO_PROXY", "company.example")
        assert call("GET", server, bearer="token-1").status == 200
        assert len(proxy.requests) == 1


@pytest.mark.usefixtures("trusting")
def test_a_proxy_that_refuses(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a proxy that refuses names the proxy and its variable, not its password (F2)."""
    for proxy, user, code in (
        (ConnectProxy(PASSWORD), "", "proxy_password_refused"),
        (ConnectProxy("other"), f"ada:{quote(PASSWORD)}@", "proxy_password_refused"),
        (ConnectProxy(refuse=403), f"ada:{quote(PASSWORD)}@", "proxy_refused"),
        (ConnectProxy(refuse=502), "", "proxy_refused"),
    ):
        with proxy.running() as port:
            monkeypatch.setenv("https_proxy", f"http://{user}127.0.0.1:{port}")
            failure = refused(server)
            assert failure.reason == code
            assert f"http://127.0.0.1:{port} (https_proxy)" in str(failure.subject)
            assert PASSWORD not in str(failure.subject)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (f"http://ada:{quote(PASSWORD)}@127.0.0.1:1", "proxy_unreachable"),
        (f"http://ada:{quote(PASSWORD)}@proxy.company.example:3128", "proxy_unreachable"),
        (f"ftp://ada:{quote(PASSWORD)}@proxy.example", "proxy_invalid"),
        (f"http://ada:{quote(PASSWORD)}@proxy.example:port", "proxy_invalid"),
        ("http://", "proxy_invalid"),
        ("socks5h://127.0.0.1:1", "proxy_unreachable"),
    ],
)
def test_a_proxy_that_is_not_there(
    server: str, monkeypatch: pytest.MonkeyPatch, value: str, code: str
) -> None:
    """The error for an unreachable or invalid proxy names the environment variable (F2)."""
    monkeypatch.setenv("ALL_PROXY", value)
    failure = refused(server)
    assert failure.reason == code
    assert "ALL_PROXY" in str(failure.subject)
    assert not failure.was_sent


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_socks_proxy(
    server: str, monkeypatch: pytest.MonkeyPatch, seen: list[Any], password: str | None
) -> None:
    """A SOCKS proxy works with remote and local name resolution, with and without a password (F2)."""
    names: list[str] = []
    with socks_proxy(names, password) as port:
        user = f"ada:{quote(password)}@" if password else ""
        for scheme in ("socks5h", "socks5"):
            monkeypatch.setenv("ALL_PROXY", f"{scheme}://{user}127.0.0.1:{port}")
            assert call("GET", server).status == 200
        assert names == [NAME, "127.0.0.1"]
        if password:
            monkeypatch.setenv("ALL_PROXY", f"socks5h://ada:wrong@127.0.0.1:{port}")
            assert refused(server).reason == "proxy_password_refused"


def test_a_socks_proxy_without_pysocks(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a SOCKS proxy without PySocks names tokentoss[socks] (F2)."""
    monkeypatch.setitem(sys.modules, "socks", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    failure = refused(server)
    assert failure.reason == "proxy_socks_missing"
    assert "tokentoss[socks]" in error_codes.sentence(failure.reason, failure.subject)


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host name that does not resolve is reported as host_unknown, with the name (F2)."""
    monkeypatch.setattr(socket, "getaddrinfo", resolver({}))
    failure = refused("https://no.such.example/token")
    assert failure.reason == "host_unknown"
    assert failure.subject == "no.such.example"


def test_a_resolver_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name resolution that does not answer ends at the deadline (S10)."""
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(20))
    began = time.monotonic()
    failure = refused("https://idp.example/token", deadline=0.3)
    assert time.monotonic() - began < 5
    answered.set()
    assert failure.reason == "host_unknown"


@pytest.mark.usefixtures("trusting")
def test_dead_addresses_among_several(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses that do not answer share one deadline instead of a timeout each (S10)."""
    port = int(server.rpartition(":")[2].split("/")[0])
    with blackhole() as silent:
        dead = [silent, ("127.0.0.1", 1), silent]
        monkeypatch.setattr(socket, "getaddrinfo", resolver({NAME: [*dead, ("127.0.0.1", port)]}))
        assert call("GET", server, deadline=5).status == 200
        monkeypatch.setattr(socket, "getaddrinfo", resolver({NAME: [silent] * 9}))
        began = time.monotonic()
        failure = refused(server, deadline=0.4)
        assert time.monotonic() - began < 3
        assert failure.reason == "unreachable"
        assert "no answer in time" in str(failure.subject)
        monkeypatch.setattr(socket, "getaddrinfo", resolver({NAME: [("127.0.0.1", 1)] * 3}))
        assert "connection refused" in str(refused(server).subject)


@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"",
    ],
)
def test_a_server_that_drips(begin: bytes) -> None:
    """A server that answers byte by byte is cut off at the deadline (S10)."""
    with dripping(begin) as port:
        began = time.monotonic()
        failure = refused(f"http://127.0.0.1:{port}/", deadline=0.3)
        assert time.monotonic() - began < 3
    assert failure.reason == "answer_incomplete"
    assert "no answer in time" in str(failure.subject)
    assert failure.was_sent


def test_a_handshake_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A TLS handshake that proceeds byte by byte is cut off at the deadline (S10)."""
    with dripping(b"\x16\x03\x03\x40\x00") as port:
        monkeypatch.setattr(socket, "getaddrinfo", resolver({NAME: [("127.0.0.1", port)]}))
        began = time.monotonic()
        failure = refused(f"https://{NAME}:{port}/", deadline=0.4)
        assert time.monotonic() - began < 3
    assert failure.reason == "answer_incomplete"


def test_a_tunnel_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that answers CONNECT byte by byte is cut off at the deadline (S10)."""
    with dripping(b"HTTP/1.1 200 ") as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        began = time.monotonic()
        failure = refused("https://idp.example/", deadline=0.4)
        assert time.monotonic() - began < 3
    assert failure.reason in {"proxy_unreachable", "answer_incomplete"}


def test_no_thread_and_no_socket_is_left(fake: FakeProvider) -> None:
    """The deadline's timer thread ends with its call (S10)."""
    before = set(threading.enumerate())
    call("GET", fake.issuer + "/keys")
    # A thread that was told to end may take a moment.
    for one in set(threading.enumerate()) - before:
        if isinstance(one, threading.Timer):
            one.join(5)
            assert not one.is_alive()


def test_encodings(fake: FakeProvider) -> None:
    """Only the identity encoding is requested, and an encoded answer is refused (S9)."""
    body = gzip.compress(gzip.compress(b"{}" * 1000))
    fake.answers["/token"] = Answer(200, body, {"Content-Encoding": "gzip, gzip"})
    failure = refused(fake.issuer + "/token")
    assert failure.reason == "answer_encoded"
    assert "gzip, gzip" in str(failure.subject)
    assert fake.requests[0][2]["Accept-Encoding"] == "identity"
    fake.answers["/token"] = Answer(200, b"{}", {"Content-Encoding": "identity"})
    assert call("GET", fake.issuer + "/token").json_object() == {}


def test_a_debug_level_prints_nothing(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A debuglevel set on http.client does not print the package's requests (H5)."""
    monkeypatch.setattr(http_client.HTTPConnection, "debuglevel", 1)
    call("POST", fake.issuer + "/token", form={"refresh_token": "refresh-1"}, bearer="access-1")
    assert capsys.readouterr().out == ""


def test_a_proxy_does_not_see_loopback(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls to loopback use no proxy, even without NO_PROXY (F15)."""
    proxy = ConnectProxy()
    with proxy.running() as port:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        assert call("GET", fake.issuer + "/keys", bearer="token-1").status == 200
    assert proxy.requests == []


def test_frames_hold_no_secret(fake: FakeProvider) -> None:
    """The traceback of a failed call shows no token, even with local variables (S12)."""
    fake.answers["/token"] = Answer(200, b"x" * 10_000)
    form = Form(refresh_token=f"{'refresh'}-1")
    hidden = Form(form=form, bearer=f"{'access'}-1")  # type: ignore[arg-type] # shows names only
    for url in (fake.issuer + "/token", "http://127.0.0.1:1/token", "https://no.such.invalid/"):
        with pytest.raises(TransportError) as failure:
            call("POST", url, max_bytes=10, **hidden)
        chain = traceback.TracebackException.from_exception(failure.value, capture_locals=True)
        text = "".join(chain.format())
        assert failure.value.__context__ is None
        assert "headers = " in text
        assert "refresh-" + "1" not in text
        assert "access-" + "1" not in text
