"""The fake broker, as tests hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokentoss.broker.address import Broker
from tokentoss.broker.fake.pages import come_back
from tokentoss.broker.fake.server import serve
from tokentoss.broker.fake.state import Attempt, Grant, State
from tokentoss.util.base64url import random_b64url

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_ISSUERS = {"google": "https://accounts.google.com"}


class FakeBroker(State):
    """A broker for tests: it answers the routes of ``/v1`` on 127.0.0.1, and knows no provider.

    It renews a rejected token at once, where the broker waits half a minute after a renewal.

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
        failures: Problems that are answered before anything else, each once: their members. What the
            thread of :mod:`tokentoss.broker.news` asks by itself gets none of them.
        listeners: Who listens to the news.
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
        super().__init__(key or random_b64url(32), lifetime, origins, way, {**_ISSUERS, **(issuers or {})})
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
        self.listeners.cut()
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
        granted = ["openid", "email"] if scopes is None else scopes
        grant = Grant((tenant, user), provider, subject, email, granted)
        with self.changed:
            self.put(grant)
        return grant

    def end(self, grant: Grant, cause: str = "invalid_grant") -> None:
        """Let the provider end an account: the user has to sign in again."""
        with self.changed:
            grant.status, grant.cause = "expired", cause
            grant.version += 1
            self.tell("sign_in_needed", grant)

    def offered(self) -> Attempt:
        """Return the sign-in that was begun last."""
        return list(self.attempts.values())[-1]

    def return_from_provider(
        self,
        attempt: Attempt,
        *,
        subject: str = "subject-1",
        email: str | None = None,
        scopes: list[str] | None = None,
    ) -> str:
        """Let the user come back from the provider; return the confirmation that the window shows.

        Args:
            attempt: The sign-in.
            subject: Who it is.
            email: The e-mail address.
            scopes: What was granted, as the provider calls it; by default what was asked for.
        """
        with self.changed:
            come_back(self, attempt, subject, email, scopes)
        return attempt.confirmation

    def confirm(self, attempt: Attempt) -> None:
        """Confirm a sign-in, as the popup does once the notebook page has answered it."""
        with self.changed:
            self.finish(attempt)

    def sign_in(
        self,
        attempt: Attempt,
        *,
        subject: str = "subject-1",
        email: str | None = None,
        scopes: list[str] | None = None,
    ) -> None:
        """Let the user sign in, from the first page to the last; see :meth:`return_from_provider`."""
        self.return_from_provider(attempt, subject=subject, email=email, scopes=scopes)
        self.confirm(attempt)

    def fail(self, attempt: Attempt, code: str, title: str, action: str = "sign_in") -> None:
        """Let a sign-in fail."""
        with self.changed:
            attempt.status, attempt.problem = "failed", {"code": code, "title": title, "action": action}
            self.changed.notify_all()
