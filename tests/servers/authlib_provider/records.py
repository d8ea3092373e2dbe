"""What the provider remembers, in the shape that Authlib asks its host application for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin
from authlib.oidc.core import AuthorizationCodeMixin

CLIENT_ID = "notebook-authlib"
SCOPES = ("openid", "email", "profile")
CODE_SECONDS = 60
CALLBACK_PATH = "/"


class Client(ClientMixin):
    """The one client: public, native, with a loopback redirect address on any port (RFC 8252 section 7.3)."""

    client_id = CLIENT_ID
    id_token_signed_response_alg = "RS256"

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return " ".join(name for name in (scope or "").split() if name in SCOPES)

    def check_redirect_uri(self, redirect_uri):
        parts = urlsplit(redirect_uri)
        return (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", CALLBACK_PATH)

    def check_client_secret(self, client_secret):
        return False

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "none"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in {"authorization_code", "refresh_token"}


@dataclass(frozen=True)
class User:
    """Somebody who signed in; whoever types a name is that user."""

    name: str

    @property
    def email(self) -> str:
        """The user's e-mail address."""
        return f"{self.name}@example.com"


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code."""

    code: str = field(repr=False)
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    user: User
    issued_at: float = field(default_factory=time.time)

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return int(self.issued_at)


@dataclass
class Token(TokenMixin):
    """An access token and its refresh token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scope: str
    expires_in: int
    user: User
    issued_at: float = field(default_factory=time.time)
    is_spent: bool = False

    def check_client(self, client):
        return client.client_id == CLIENT_ID

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_in

    def is_expired(self):
        return time.time() > self.issued_at + self.expires_in

    def is_revoked(self):
        return self.is_spent

    def get_user(self):
        return self.user

    def get_client(self):
        return Client()


class Records:
    """Codes and tokens of the run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: dict[str, Code] = {}
        self._tokens: list[Token] = []
        self._nonces: set[str] = set()

    def add_code(self, code: Code) -> None:
        """Keep a code until it is redeemed."""
        with self._lock:
            self._codes[code.code] = code
            if code.nonce is not None:
                self._nonces.add(code.nonce)

    def take_code(self, text: str) -> Code | None:
        """Return a code that is not too old; it is gone then, whatever comes of the request."""
        with self._lock:
            code = self._codes.pop(text, None)
        return code if code is not None and time.time() < code.issued_at + CODE_SECONDS else None

    def has_nonce(self, nonce: str) -> bool:
        """Tell whether a nonce was used before."""
        with self._lock:
            return nonce in self._nonces

    def add_token(self, token: Token) -> None:
        """Keep a token."""
        with self._lock:
            self._tokens.append(token)

    def find_token(self, text: str) -> Token | None:
        """Return the token that has the text as access or as refresh token."""
        with self._lock:
            for token in self._tokens:
                if text in {token.access_token, token.refresh_token}:
                    return token
        return None
