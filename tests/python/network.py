"""Pieces of a company's network on loopback: a private authority, proxies, dead addresses, slow servers."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import select
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "pass:w0rd"
"""A proxy's password with a character that addresses escape."""


class Authority:
    """A certificate authority of a company, which no operating system knows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Private CA")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        certificate = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(_pem(certificate.sign(self._key, hashes.SHA256())))

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )

    def server_context(self, *names: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        general: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        general.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        builder = self._builder(subject, key).add_extension(
            x509.SubjectAlternativeName(general), critical=False
        )
        path = self._folder / f"{names[0]}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + _pem(builder.sign(self._key, hashes.SHA256())))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        pass  # refused certificates and connections that are cut off are what is tested


@contextmanager
def https_server(context: ssl.SSLContext, seen: list[dict[str, str]] | None = None) -> Iterator[int]:
    """Answer every request with ``{"ok": true}``; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if seen is not None:
                seen.append(dict(self.headers))
            body = b'{"ok": true}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, *args: Any) -> None:
            pass

    class Server(_Quiet):
        def finish_request(self, request: Any, client_address: Any) -> None:
            with context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)

    with _running(Server(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _relay(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while True:
            for ready in select.select([one, other], [], [], 20)[0]:
                data = ready.recv(65_536)
                if not data:
                    return
                (other if ready is one else one).sendall(data)


class ConnectProxy:
    """A proxy that asks for a password, and connects every name to loopback."""

    def __init__(self, password: str | None = None, *, refuse: int | None = None) -> None:
        self.password = password
        self.refuse = refuse
        self.requests: list[tuple[str, dict[str, str]]] = []

    @contextmanager
    def running(self) -> Iterator[int]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                proxy.requests.append((self.path, dict(self.headers)))
                status = proxy.status(self.headers.get("Proxy-Authorization", ""))
                self.send_response(status)
                self.end_headers()
                if status == 200:
                    port = int(self.path.rpartition(":")[2])
                    with socket.create_connection(("127.0.0.1", port)) as target:
                        _relay(self.connection, target)
                self.close_connection = True

            def do_GET(self) -> None:
                proxy.requests.append((self.path, dict(self.headers)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - the server's naming

            def log_message(self, *args: Any) -> None:
                pass

        with _running(_Quiet(("127.0.0.1", 0), Handler)) as port:
            yield port

    def status(self, header: str) -> int:
        wanted = None
        if self.password is not None:
            wanted = "Basic " + base64.b64encode(f"ada:{self.password}".encode()).decode()
        if wanted is not None and header != wanted:
            return 407
        return self.refuse or 200


@contextmanager
def socks_proxy(names: list[str], password: str | None = None) -> Iterator[int]:
    """A SOCKS5 proxy (RFC 1928, RFC 1929) that connects every name to loopback."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            take = self._take
            _, count = take(2)
            take(count)
            self.request.sendall(bytes([5, 0 if password is None else 2]))
            if password is not None:
                take(1)
                take(take(1)[0])
                given = take(take(1)[0]).decode()
                self.request.sendall(bytes([1, 0 if given == password else 1]))
                if given != password:
                    return
            kind = take(4)[3]
            names.append(
                take(take(1)[0]).decode() if kind == 3 else socket.inet_ntop(socket.AF_INET, take(4))
            )
            (port,) = struct.unpack(">H", take(2))
            self.request.sendall(bytes([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
            with socket.create_connection(("127.0.0.1", port)) as target:
                _relay(self.request, target)

        def _take(self, count: int) -> bytes:
            data = b""
            while len(data) < count:
                data += self.request.recv(count - len(data)) or _end()
            return data

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            pass

    with _running(Server(("127.0.0.1", 0), Handler)) as port:
        yield port


def _end() -> bytes:
    raise EOFError


@contextmanager
def blackhole() -> Iterator[tuple[str, int]]:
    """An address that takes no connection and does not refuse one: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        waiting = []
        try:
            for _ in range(4):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(address)
                waiting.append(one)
            yield address
        finally:
            for one in waiting:
                one.close()


@contextmanager
def dripping(begin: bytes, drop: bytes = b"x") -> Iterator[int]:
    """A server that begins an answer and goes on byte by byte."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(begin)
                    while not ended.wait(0.02):
                        connection.sendall(drop)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            server.close()
            thread.join(20)


def resolver(addresses: dict[str, list[tuple[str, int]]]) -> Callable[..., Any]:
    """Stand in for ``socket.getaddrinfo``: names have the addresses that are given, others none."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
        if host in addresses:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in addresses[host]]
        if isinstance(host, str) and host.replace(".", "").isdigit():
            return real(host, port, *arguments, **named)
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    return getaddrinfo
