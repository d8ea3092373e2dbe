"""What a broker answers, read strictly. No type here has a member for a refresh token."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from tokentoss.exceptions import TokenRefreshError
from tokentoss.util.json_object import read_list
from tokentoss.util.secret import Secret
from tokentoss.util.secret_text import keeping_secret
from tokentoss.util.urls import origin_of, secure_page

if TYPE_CHECKING:
    from tokentoss.util.http import Answer

Way = Literal["page", "deposit"]
"""How a sign-in runs: at the broker's own pages, or in the notebook page with the code deposited."""

Kind = Literal["access_token", "id_token"]
"""Which of the two tokens is wanted."""

PENDING = ("pending", "confirm")
"""The statuses of a sign-in that may still end well."""

LATEST = 253_402_300_799
"""The last second of the year 9999, beyond which no time is one."""

LONGEST_LIFE = 315_576_000.0
"""Ten years in seconds: no token and no sign-in lives longer, so a clock must be wrong that says so."""

_STATUSES = (*PENDING, "done", "failed", "expired")


class Since:
    """Counts seconds from now on, whatever becomes of the clock meanwhile.

    Args:
        before: Seconds that had passed already.
    """

    def __init__(self, before: float = 0.0) -> None:
        self._before = before
        self._monotonic, self._clock = time.monotonic(), time.time()

    @property
    def seconds(self) -> float:
        """The seconds so far; sleep of the computer counts, and a clock that is set back does not."""
        return self._before + max(time.monotonic() - self._monotonic, time.time() - self._clock)


@dataclass(frozen=True)
class AccountOfToken:
    """Whose a token is.

    Args:
        id: The account's identifier at the broker.
        subject: The user's identifier at the provider.
        email: The e-mail address, for display.
    """

    id: str
    subject: str
    email: str | None = None


@keeping_secret("access_token", "id_token")
@dataclass(repr=False)
class ProviderToken:
    """An access token that ends soon, and on request an ID token.

    Args:
        access_token: The access token.
        expires_at: When it ends, in Unix seconds of the broker's clock; None if nobody knows.
        scopes: What it reaches.
        account: Whose it is.
        version: Counts the renewals of the account.
        id_token: The ID token; ``""`` where none was asked for.
        id_token_expires_at: When that ends.
        life: Seconds that the access token had left when it came, whatever this machine's clock says.
        id_token_life: The same of the ID token.
        since: Counts from when it came.
    """

    access_token: str
    expires_at: float | None
    scopes: list[str]
    account: AccountOfToken
    version: int
    id_token: str = ""
    id_token_expires_at: float | None = None
    life: float | None = None
    id_token_life: float | None = None
    since: Since = field(default_factory=Since, compare=False)

    def left(self, kind: Kind) -> float | None:
        """Return the seconds that one of the two tokens has left; None if nobody knows."""
        life = self.life if kind == "access_token" else self.id_token_life
        return None if life is None else life - self.since.seconds

    @property
    def age(self) -> float:
        """Seconds since it came."""
        return self.since.seconds

    def __repr__(self) -> str:
        return (
            f"ProviderToken(account={self.account!r}, expires_at={self.expires_at!r}, "
            f"scopes={self.scopes!r}, access_token=redacted, id_token=redacted)"
        )

    def __reduce__(self) -> Any:
        raise TypeError("ProviderToken holds tokens and cannot be pickled: ask the broker in each process.")


@dataclass(frozen=True)
class ConnectedAccount:
    """An account that is connected at the broker.

    Args:
        id: Its identifier there.
        provider: The provider's name in the broker's configuration.
        subject: The user's identifier at the provider.
        email: The e-mail address, for display.
        status: ``active``, ``expired``, ``error`` or ``revoked``.
        cause: Why it is not active.
        scopes: What was granted.
        connected_at: When it was connected, in Unix seconds.
        renewed_at: When its tokens were last renewed.
        used_at: When it was last asked for.
        since_connected: Counts from when it was connected, whatever this machine's clock says.
    """

    id: str
    provider: str
    subject: str
    email: str | None
    status: str
    cause: str | None
    scopes: tuple[str, ...]
    connected_at: float
    renewed_at: float | None
    used_at: float | None
    since_connected: Since = field(default_factory=Since, compare=False, repr=False)


@dataclass(frozen=True)
class Authorization:
    """A sign-in that was begun.

    Args:
        id: Its identifier.
        way: How it runs.
        life: Seconds until it ends.
        url: The broker's page for the popup; ``""`` for the way ``deposit``.
        deposit: What the notebook page needs for the way ``deposit``.
    """

    id: str
    way: Way
    life: float
    url: str = ""
    deposit: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def origin(self) -> str:
        """The origin of the broker's pages, which browsers may know by another name than this kernel."""
        return origin_of(self.url) or ""


@dataclass(frozen=True)
class Progress:
    """How far a sign-in is.

    Args:
        status: ``pending``, ``confirm``, ``done``, ``failed`` or ``expired``.
        account: Who signed in, when it is done.
        problem: The members of the problem, when it failed.
    """

    status: str
    account: AccountOfToken | None = None
    problem: dict[str, Any] | None = None


def read_token(answer: Answer, where: str, *, with_id_token: bool) -> ProviderToken:
    """Read the answer to ``POST /v1/token``.

    Raises:
        TokenRefreshError: ``broker_answer_invalid``.
    """
    members = _members_with_secrets(answer)
    now = _server_time(answer)
    access_token, id_token = members.get("access_token"), members.get("id_token", "")
    scopes, version = members.get("scopes"), members.get("version")
    token_type = members.get("token_type")
    account = account_of(members.get("account"))
    # Null says that nobody knows; a member that is missing says nothing.
    expires_at = None if members.get("expires_at", "") is None else _time(members, "expires_at", where)
    id_token_expires_at = _time(members, "id_token_expires_at", where) if with_id_token else None
    if (
        not _is_token(access_token)
        or not isinstance(token_type, str)
        or token_type.lower() != "bearer"
        or not isinstance(scopes, list)
        or not all(isinstance(scope, str) for scope in scopes)
        or not isinstance(version, int)
        or isinstance(version, bool)
        or version < 0
        or account is None
        or (with_id_token and not _is_token(id_token))
    ):
        raise _invalid(where)
    return ProviderToken(
        access_token=access_token,
        expires_at=expires_at,
        scopes=scopes,
        account=account,
        version=version,
        id_token=id_token if with_id_token else "",
        id_token_expires_at=id_token_expires_at,
        life=None if expires_at is None else _life(expires_at, now, where),
        id_token_life=None if id_token_expires_at is None else _life(id_token_expires_at, now, where),
    )


def read_accounts(answer: Answer, where: str) -> list[ConnectedAccount]:
    """Read the answer to ``GET /v1/accounts``.

    Raises:
        TokenRefreshError: ``broker_answer_invalid``.
    """
    try:
        rows = read_list(answer.body.decode("utf-8"))
    except UnicodeDecodeError:
        rows = None
    if rows is None:
        raise _invalid(where)
    now = _server_time(answer)
    return [_connected(row, now, where) for row in rows]


def read_account(answer: Answer, where: str) -> ConnectedAccount:
    """Read the answer to ``GET /v1/accounts/{id}``.

    Raises:
        TokenRefreshError: ``broker_answer_invalid``.
    """
    return _connected(answer.json_object(), _server_time(answer), where)


def _connected(members: Any, now: float, where: str) -> ConnectedAccount:
    """Read an account of which an answer of this time by the broker's clock tells.

    Raises:
        TokenRefreshError: ``broker_answer_invalid``.
    """
    if not isinstance(members, dict) or account_of(members) is None:
        raise _invalid(where)
    status, provider, cause = (members.get(name) for name in ("status", "provider", "cause"))
    scopes, connected_at = members.get("scopes"), _time(members, "connected_at", where)
    if (
        not isinstance(status, str)
        or not isinstance(provider, str)
        or not isinstance(cause, (str, type(None)))
        or not isinstance(scopes, list)
        or not all(isinstance(scope, str) for scope in scopes)
    ):
        raise _invalid(where)
    return ConnectedAccount(
        id=members["id"],
        provider=provider,
        subject=members["subject"],
        email=members.get("email"),
        status=status,
        cause=cause,
        scopes=tuple(scopes),
        connected_at=connected_at,
        renewed_at=_time_if_any(members, "renewed_at", where),
        used_at=_time_if_any(members, "used_at", where),
        since_connected=Since(now - connected_at),
    )


def read_authorization(answer: Answer, where: str) -> Authorization:
    """Read the answer to ``POST /v1/authorizations``.

    Raises:
        TokenRefreshError: ``broker_answer_invalid``.
    """
    members = answer.json_object() or {}
    identifier, way = members.get("id"), members.get("way")
    url = secure_page(members.get("url"))
    deposit = members.get("deposit")
    life = max(0.0, _life(_time(members, "expires_at", where), _server_time(answer), where))
    if not isinstance(identifier, str) or not identifier:
        raise _invalid(where)
    if way == "page" and url is not None:
        return Authorization(identifier, "page", life, url=url)
    if way == "deposit" and isinstance(deposit, dict):
        return Authorization(identifier, "deposit", life, deposit=deposit)
    raise _invalid(where)


def read_progress(answer: Answer, where: str) -> Progress:
    """Read how far a sign-in is.

    Raises:
        TokenRefreshError: ``broker_answer_invalid``.
    """
    members = answer.json_object() or {}
    status, problem = members.get("status"), members.get("problem")
    account = account_of(members.get("account"))
    if status not in _STATUSES or (status == "done" and account is None):
        raise _invalid(where)
    return Progress(status, account, problem if isinstance(problem, dict) else None)


def account_of(members: Any) -> AccountOfToken | None:
    """Return whose something is; None if it does not say."""
    if not isinstance(members, dict):
        return None
    identifier, subject, email = (members.get(name) for name in ("id", "subject", "email"))
    if not isinstance(identifier, str) or not identifier or not isinstance(subject, str) or not subject:
        return None
    return AccountOfToken(identifier, subject, email) if isinstance(email, (str, type(None))) else None


def _members_with_secrets(answer: Answer) -> dict[str, Any]:
    """Return the members of an answer with its tokens redacted in what a traceback shows."""
    members = answer.json_object() or {}
    return {name: Secret(value) if isinstance(value, str) else value for name, value in members.items()}


def _is_token(value: object) -> TypeGuard[str]:
    """Tell whether something is a token that can stand in a header (RFC 6750 section 2.1)."""
    if not isinstance(value, str) or not value:
        return False
    return value.isascii() and value.isprintable() and " " not in value


def _server_time(answer: Answer) -> float:
    """Return the time at the broker: lives are counted by its clock, because this machine's may be wrong."""
    try:
        date = parsedate_to_datetime(answer.headers.get("Date", ""))
        # Without a zone it is UTC all the same (RFC 9110 section 5.6.7), and not this machine's time.
        return (date if date.tzinfo is not None else date.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return time.time()


def _time(members: dict[str, Any], name: str, where: str) -> float:
    """Return a time in Unix seconds.

    Raises:
        TokenRefreshError: ``broker_answer_invalid``.
    """
    value = members.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LATEST:
        raise _invalid(where)
    return float(value)


def _time_if_any(members: dict[str, Any], name: str, where: str) -> float | None:
    return None if members.get(name) is None else _time(members, name, where)


def _life(end: float, now: float, where: str) -> float:
    """Return the seconds until a time.

    Raises:
        TokenRefreshError: ``broker_answer_invalid`` for more than anything lives.
    """
    if end - now > LONGEST_LIFE:
        raise _invalid(where)
    return end - now


def _invalid(where: str) -> TokenRefreshError:
    return TokenRefreshError(code="broker_answer_invalid", subject=where)
