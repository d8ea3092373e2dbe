"""The fake broker, as tests hold it."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from tokentoss.broker.address import Broker
from tokentoss.broker.fake.server import serve
from tokentoss.broker.fake.state import Attempt, Grant, State, unsigned_jwt
from tokentoss.util.base64url import random_b64url

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_ISSUERS = {"google": "https://accounts.google.com"}
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class FakeBroker:
    """A broker for tests: it answers the routes of ``/v1`` on 127.0.0.1, and knows no provider.

        @pytest.fixture
        def broker():
            with FakeBroker() as broker:
                broker.connect("google", email="ada@example.com")
                yield broker

        def test_report(broker):
            client = IAPClient("https://reports.example.com", broker=broker.broker(), …)

    Args:
        key: The key of one person's own machine; by default a random one.
        lifetime: Seconds that access and ID tokens live.
        origins: The origins of notebook pages that are allowed; None for every one.
        way: How sign-ins run: ``page`` or ``deposit``.
        issuers: The issuers of ID tokens, by the providers' names.

    Attributes:
        url: Its address.
        key: The key of one person's own machine.
        server_key: The key of a server application, which names tenant and user.
        requests: Method, path and JSON members of every request, in their order.
        failures: Problems that are answered before anything else, each once: their members.
        renewals: How often an account's tokens were renewed.
    """

    def __init__(
        self,
        key: str | None = None,
        *,
        lifetime: float = 3600.0,
        origins: list[str] | None = None,
        way: str = "page",
        issuers: dict[str, str] | None = None,
    ) -> None:
        self.key = key or random_b64url(32)
        self.server_key = random_b64url(32)
        self.lifetime = lifetime
        self.origins = origins
        self.way = way
        self.issuers = {**_ISSUERS, **(issuers or {})}
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.failures: list[dict[str, Any]] = []
        self.deposits: list[tuple[str, str]] = []
        self.deposit_client: dict[str, Any] = {}
        self.targets: dict[str, str] = {}
        self.renewals = 0
        self.authorization_lifetime = 600.0
        self.state = State()
        self._server, self.url = serve(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def broker(self, **arguments: Any) -> Broker:
        """Return what programs are given to ask this broker; see :class:`tokentoss.broker.Broker`."""
        return Broker(self.url, self.server_key if "user" in arguments else self.key, **arguments)

    def connect(
        self,
        provider: str,
        *,
        subject: str = "subject-1",
        email: str | None = None,
        scopes: list[str] | None = None,
        tenant: str = "default",
        user: str = "default",
    ) -> Grant:
        """Connect an account, as a sign-in would have."""
        grant = Grant((tenant, user), provider, subject, email, scopes or ["openid", "email"])
        with self.state.changed:
            self._put(grant)
        return grant

    def end(self, grant: Grant, cause: str = "invalid_grant") -> None:
        """Let the provider end an account: the user has to sign in again."""
        with self.state.changed:
            grant.status, grant.cause = "expired", cause

    def offered(self) -> Attempt:
        """Return the sign-in that was begun last."""
        return list(self.state.attempts.values())[-1]

    def return_from_provider(
        self, attempt: Attempt, *, subject: str = "subject-1", email: str | None = None
    ) -> str:
        """Let the user come back from the provider; return the confirmation that the window shows."""
        with self.state.changed:
            scopes = attempt.asked.get("scopes") or ["openid", "email"]
            attempt.waiting = Grant(attempt.owner, attempt.asked["provider"], subject, email, list(scopes))
            attempt.confirmation = "".join(secrets.choice(_LETTERS) for _ in range(8))
            attempt.status = "confirm"
            self.state.changed.notify_all()
        return attempt.confirmation

    def confirm(self, attempt: Attempt) -> None:
        """Confirm a sign-in, as the popup does once the notebook page has answered it."""
        with self.state.changed:
            self.finish(attempt)

    def sign_in(self, attempt: Attempt, *, subject: str = "subject-1", email: str | None = None) -> None:
        """Let the user sign in, from the first page to the last."""
        self.return_from_provider(attempt, subject=subject, email=email)
        self.confirm(attempt)

    def fail(self, attempt: Attempt, code: str, title: str, action: str = "sign_in") -> None:
        """Let a sign-in fail."""
        with self.state.changed:
            attempt.status, attempt.problem = "failed", {"code": code, "title": title, "action": action}
            self.state.changed.notify_all()

    def finish(self, attempt: Attempt) -> None:
        """Connect the account of a sign-in; the caller holds the condition."""
        assert attempt.waiting is not None  # noqa: S101 - it came back from the provider
        grant = self._put(attempt.waiting)
        attempt.status, attempt.account = "done", grant.whose()
        self.state.changed.notify_all()

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
            "jti": grant.version,
        }
        grant.id_token = "" if issuer is None else unsigned_jwt(claims)

    def _put(self, grant: Grant) -> Grant:
        """Connect an account in place of the same one's earlier connection."""
        for known in self.state.grants:
            if known.owned_by(grant.owner, grant.provider) and known.subject == grant.subject:
                grant.id = known.id
                self.state.grants.remove(known)
                break
        self.state.grants.append(grant)
        return grant
