"""What the fake broker knows."""

from __future__ import annotations

import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tokentoss.broker.fake.listeners import Listeners
from tokentoss.oauth.catalogue import scope_aliases_of
from tokentoss.util.base64url import b64url, random_b64url


def _identifier() -> str:
    """Return an identifier of the form that the broker gives: 32 hexadecimal digits."""
    return secrets.token_hex(16)


@dataclass
class Grant:
    """A connected account, and the tokens that were given out of it.

    Args:
        owner: Tenant and user.
        provider: The provider's name.
        subject: The user's identifier there.
        email: The e-mail address.
        scopes: What was granted.
    """

    owner: tuple[str, str]
    provider: str
    subject: str
    email: str | None
    scopes: list[str]
    id: str = field(default_factory=_identifier)
    status: str = "active"
    cause: str | None = None
    version: int = 1
    access_token: str = ""
    expires_at: float = 0.0
    id_token: str = ""
    connected_at: float = field(default_factory=time.time)
    used_at: float = field(default_factory=time.time)

    def owned_by(self, owner: tuple[str, str], provider: str | None = None) -> bool:
        """Tell whether it is this user's, at this provider if one is named."""
        return self.owner == owner and provider in {None, self.provider}

    def reaches(self, scopes: list[str]) -> bool:
        """Tell whether these scopes were granted, under the provider's own names, too."""
        aliases = scope_aliases_of(self.provider)
        return {aliases.get(one, one) for one in scopes} <= {aliases.get(one, one) for one in self.scopes}

    def whose(self) -> dict[str, Any]:
        """Return whose tokens are, as an answer says it."""
        return {"id": self.id, "subject": self.subject, "email": self.email}

    def listed(self) -> dict[str, Any]:
        """Return how the account is listed."""
        cause = {} if self.cause is None else {"cause": self.cause}
        return {
            **self.whose(),
            "provider": self.provider,
            "status": self.status,
            **cause,
            "scopes": self.scopes,
            "connected_at": int(self.connected_at),
            "renewed_at": int(self.connected_at),
            "used_at": int(self.used_at),
        }


@dataclass
class Attempt:
    """A sign-in.

    Args:
        owner: Tenant and user.
        asked: The members of the request that began it.
        way: How it runs.
        expires_at: When it ends, in Unix seconds.
    """

    owner: tuple[str, str]
    asked: dict[str, Any]
    way: str
    expires_at: float
    id: str = field(default_factory=_identifier)
    status: str = "pending"
    account: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    confirmation: str = ""
    wrong: int = 0
    nonce: str = field(default_factory=lambda: random_b64url(32))
    waiting: Grant | None = None

    def shown(self) -> dict[str, Any]:
        """Return how far it is, as an answer says it."""
        members: dict[str, Any] = {"id": self.id, "status": self.status, "expires_at": int(self.expires_at)}
        if self.account is not None:
            members["account"] = self.account
        if self.problem is not None:
            members["problem"] = self.problem
        return members


class State:
    """What there is to know, under one condition that tells of changes.

    Args:
        key: The key of one person's own machine.
        lifetime: Seconds that tokens live.
        origins: The origins of notebook pages that are allowed; None for every one.
        way: How sign-ins run.
        issuers: The issuers of ID tokens, by the providers' names.
    """

    def __init__(
        self, key: str, lifetime: float, origins: list[str] | None, way: str, issuers: dict[str, str]
    ) -> None:
        self.url = ""
        self.key = key
        self.server_key = random_b64url(32)
        self.lifetime = lifetime
        self.authorization_lifetime = 600.0
        self.origins = origins
        self.way = way
        self.issuers = issuers
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.failures: list[dict[str, Any]] = []
        self.deposits: list[tuple[str, str]] = []
        self.deposit_client: dict[str, Any] = {}
        self.targets: dict[str, str] = {}
        self.renewals = 0
        self.changed = threading.Condition()
        self.grants: list[Grant] = []
        self.attempts: dict[str, Attempt] = {}
        self.listeners = Listeners()

    def attempt_of(self, owner: tuple[str, str], identifier: str) -> Attempt | None:
        """Return a sign-in of this user; None if there is none."""
        attempt = self.attempts.get(identifier)
        if attempt is None or attempt.owner != owner:
            return None
        if attempt.status in {"pending", "confirm"} and time.time() >= attempt.expires_at:
            attempt.status = "expired"
        return attempt

    def finish(self, attempt: Attempt) -> None:
        """Connect the account of a sign-in; the caller holds the condition."""
        assert attempt.waiting is not None  # noqa: S101 - it came back from the provider
        grant = self.put(attempt.waiting)
        attempt.status, attempt.account = "done", grant.whose()
        self.changed.notify_all()

    def renew(self, grant: Grant) -> None:
        """Renew an account's tokens; the caller holds the condition."""
        self.renewals += 1
        grant.version += 1
        grant.expires_at = time.time() + self.lifetime
        grant.access_token = f"access-{random_b64url(12)}"
        issuer = self.issuers.get(grant.provider)
        claims = {
            "iss": issuer,
            "sub": grant.subject,
            "aud": "fake-client",
            "email": grant.email,
            "iat": int(time.time()),
            "exp": int(grant.expires_at),
            "jti": random_b64url(12),
        }
        grant.id_token = "" if issuer is None else unsigned_jwt(claims)
        self.tell("renewed", grant)

    def put(self, grant: Grant) -> Grant:
        """Connect an account in place of the same one's earlier connection."""
        for known in self.grants:
            if known.owned_by(grant.owner, grant.provider) and known.subject == grant.subject:
                grant.id, grant.version = known.id, known.version + 1
                self.grants.remove(known)
                break
        self.grants.append(grant)
        self.tell("connected", grant)
        return grant

    def tell(self, name: str, grant: Grant) -> None:
        """Tell the listeners of the account's user what became of it; the caller holds the condition."""
        news = {"account": grant.id, "provider": grant.provider, "version": grant.version}
        self.listeners.tell(grant.owner, name, news)


def unsigned_jwt(claims: dict[str, Any]) -> str:
    """Return an ID token whose signature is none: a kernel takes the broker's word for it."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join([*map(b64url, parts), b64url(b"fake")])
