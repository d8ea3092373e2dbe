"""A provider for faults: token endpoint, keys and metadata on loopback, each answer replaceable."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from tokentoss import Provider
from tokentoss.oauth.id_token import access_token_hash

CLIENT_ID = "client.example"


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    before: Callable[[], None] = lambda: None

    @classmethod
    def json(cls, content: Any, status: int = 200, **headers: str) -> Answer:
        named = {"Content-Type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(content).encode(), named)


class SigningKey:
    def __init__(self, key_id: str | None) -> None:
        self.key_id = key_id
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwk(self, **members: str) -> dict[str, Any]:
        entry = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        entry |= {"use": "sig", "alg": "RS256"} | members
        if self.key_id is not None:
            entry["kid"] = self.key_id
        return entry

    def sign(self, claims: dict[str, Any], algorithm: str = "RS256", **header: Any) -> str:
        named = ({} if self.key_id is None else {"kid": self.key_id}) | header
        # One level below jwt.encode, which refuses to make some of the tokens that must be refused.
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.private, algorithm, named)


class FakeProvider:
    """Answers on 127.0.0.1; ``answers`` maps a path to an answer or a function of the form."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.keys = [key.jwk()]
        self.requests: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        self.answers: dict[str, Answer | Callable[[dict[str, str]], Answer]] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                if "Transfer-Encoding" in self.headers:
                    while size := int(self.rfile.readline(), 16):
                        self.rfile.read(size + 2)
                    self.rfile.readline()
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
                self._answer({name: values[0] for name, values in parse_qs(body).items()})

            def _answer(self, form: dict[str, str]) -> None:
                path = urlsplit(self.path).path
                fake.requests.append((self.command, self.path, dict(self.headers), form))
                chosen = fake.answers.get(path) or fake.standard(path)
                answer = chosen(form) if callable(chosen) else chosen
                answer.before()
                with suppress(OSError):
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: Any) -> None:
                pass  # clients break off what is too large for them

        self.server = Server(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def provider(self, **members: Any) -> Provider:
        named = {
            "name": "Fake",
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/auth",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
        }
        return Provider(**(named | members))

    def metadata(self, **members: Any) -> dict[str, Any]:
        named: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/auth",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return named | members

    def standard(self, path: str) -> Answer:
        if path == "/keys":
            return Answer.json({"keys": self.keys})
        if path == "/.well-known/openid-configuration":
            return Answer.json(self.metadata())
        return Answer.json({"error": "not_found"}, 404)

    def calls(self, path: str) -> int:
        return sum(urlsplit(target).path == path for _, target, _, _ in self.requests)

    def claims(self, **members: Any) -> dict[str, Any]:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "user-1",
            "email": "ada@example.com",
            "iat": now,
            "exp": now + 3600,
        }
        claims |= members
        return {name: value for name, value in claims.items() if value is not None}

    def id_token(self, **members: Any) -> str:
        return self.key.sign(self.claims(**members))

    def token_response(self, **members: Any) -> dict[str, Any]:
        response: dict[str, Any] = {
            "access_token": "access-2",
            "id_token": self.id_token(at_hash=access_token_hash("access-2", "RS256")),
            "expires_in": 3600,
            "token_type": "Bearer",
        }
        response |= members
        return {name: value for name, value in response.items() if value is not None}
