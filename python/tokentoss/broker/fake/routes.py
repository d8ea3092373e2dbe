"""The routes of the fake broker, as strict about their requests as the interface."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tokentoss.broker.client import hash_of
from tokentoss.broker.fake.lookups import account_of, attempt_of, meant, open_attempt
from tokentoss.broker.fake.problems import ProblemError
from tokentoss.broker.fake.state import Attempt, Grant, State
from tokentoss.broker.fake.through import through
from tokentoss.util.base64url import from_b64url
from tokentoss.util.constant_time import same_text

if TYPE_CHECKING:
    from collections.abc import Callable

    Owner = tuple[str, str]
    Answered = tuple[int, Any]

__all__ = ["answer", "through"]

USUAL_TTL = 240.0
_MOST_WRONG = 5
_HASH_BYTES = 32
_TEXT, _TEXTS, _COUNT, _FLAG = "text", "texts", "count", "flag"
_TOKEN_MEMBERS = {
    "provider": _TEXT,
    "account": _TEXT,
    "scopes": _TEXTS,
    "audience": _TEXT,
    "min_ttl": _COUNT,
    "rejected": _TEXT,
    "id_token": _FLAG,
}
_BEGIN_MEMBERS = {
    "provider": _TEXT,
    "scopes": _TEXTS,
    "login_hint": _TEXT,
    "page_origin": _TEXT,
    "kernel": _TEXT,
    "way": _TEXT,
}


def answer(
    broker: State, owner: Owner, method: str, path: str, query: dict[str, str], members: dict[str, Any]
) -> Answered:
    """Return status and members of the answer to a request.

    Raises:
        ProblemError: What is wrong with it.
    """
    is_known = False
    for (wanted, pattern), act in _ROUTES.items():
        match = re.fullmatch(pattern, path)
        is_known = is_known or match is not None
        if match is not None and wanted == method:
            return act(broker, owner, match.groupdict().get("id", ""), query, members)
    raise ProblemError("method_not_allowed" if is_known else "route_unknown")


def _token(broker: State, owner: Owner, _: str, query: dict[str, str], asked: dict[str, Any]) -> Answered:
    _require(asked, _TOKEN_MEMBERS, query)
    rejected = asked.get("rejected")
    if rejected is not None:
        try:
            is_hash = len(from_b64url(rejected)) == _HASH_BYTES
        except ValueError:
            is_hash = False
        if not is_hash:
            raise ProblemError("invalid_request")
    with broker.changed:
        grant = meant(broker, owner, asked["provider"], asked.get("account"))
        if grant.status != "active":
            raise ProblemError("reauth_required", cause=grant.cause)
        if not grant.reaches(asked.get("scopes", [])):
            raise ProblemError("scope_missing")
        min_ttl = asked.get("min_ttl", min(USUAL_TTL, broker.lifetime / 3))
        if min_ttl > broker.lifetime:
            raise ProblemError("min_ttl_unreachable")
        wants_id_token = asked.get("id_token", False)
        held = grant.id_token if wants_id_token else grant.access_token
        is_rejected = bool(held) and rejected is not None and same_text(hash_of(held), rejected)
        if grant.expires_at - time.time() < min_ttl or is_rejected:
            broker.renew(grant)
        if wants_id_token and not grant.id_token:
            raise ProblemError("id_token_missing")
        grant.used_at = time.time()
        given = {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_at": int(grant.expires_at),
            "scopes": grant.scopes,
            "account": grant.whose(),
            "version": grant.version,
        }
        if wants_id_token:
            given |= {"id_token": grant.id_token, "id_token_expires_at": int(grant.expires_at)}
        return 200, given


def _accounts(broker: State, owner: Owner, _: str, query: dict[str, str], asked: dict[str, Any]) -> Answered:
    if asked or set(query) - {"provider"}:
        raise ProblemError("invalid_request")
    grants = [one for one in broker.grants if one.owned_by(owner, query.get("provider"))]
    return 200, [one.listed() for one in grants]


def _account(
    broker: State, owner: Owner, identifier: str, query: dict[str, str], asked: dict[str, Any]
) -> Answered:
    if asked or query:
        raise ProblemError("invalid_request")
    return 200, account_of(broker, owner, identifier).listed()


def _disconnect(
    broker: State, owner: Owner, identifier: str, query: dict[str, str], asked: dict[str, Any]
) -> Answered:
    if asked or query not in ({}, {"revoke": "false"}, {"revoke": "true"}):
        raise ProblemError("invalid_request")
    with broker.changed:
        grant = account_of(broker, owner, identifier)
        broker.grants.remove(grant)
        grant.version += 1
        broker.tell("disconnected", grant)
    return 204, None


def _begin(broker: State, owner: Owner, _: str, query: dict[str, str], asked: dict[str, Any]) -> Answered:
    _require(asked, _BEGIN_MEMBERS, query)
    way = asked.get("way", broker.way)
    if way not in {"page", "deposit"}:
        raise ProblemError("invalid_request")
    if way != broker.way:
        raise ProblemError("way_unavailable")
    origin = asked.get("page_origin")
    if origin is not None and broker.origins is not None and origin not in broker.origins:
        raise ProblemError("origin_forbidden")
    attempt = Attempt(owner, asked, way, time.time() + broker.authorization_lifetime)
    with broker.changed:
        broker.attempts[attempt.id] = attempt
        broker.changed.notify_all()
    shown: dict[str, Any] = {"id": attempt.id, "way": way, "expires_at": int(attempt.expires_at)}
    if way == "page":
        shown["url"] = f"{broker.url}/connect/{attempt.id}"
    else:
        shown["deposit"] = {**broker.deposit_client, "nonce": attempt.nonce}
    return 201, shown


def _progress(
    broker: State, owner: Owner, identifier: str, query: dict[str, str], asked: dict[str, Any]
) -> Answered:
    wait, known = query.get("wait", "0"), query.get("known", "pending")
    if asked or set(query) - {"wait", "known"} or not wait.isdigit() or int(wait) > 25:  # noqa: PLR2004
        raise ProblemError("invalid_request")
    ends = time.monotonic() + int(wait)
    with broker.changed:
        while True:
            attempt = attempt_of(broker, owner, identifier)
            left = min(ends - time.monotonic(), attempt.expires_at - time.time() + 0.01)
            # Against what the caller knows: a change between two questions is not to be missed.
            if attempt.status != known or attempt.status not in {"pending", "confirm"} or left <= 0:
                return 200, attempt.shown()
            broker.changed.wait(left)


def _confirm(
    broker: State, owner: Owner, identifier: str, query: dict[str, str], asked: dict[str, Any]
) -> Answered:
    _require(asked, {"confirmation": _TEXT}, query, needed="confirmation")
    with broker.changed:
        attempt = open_attempt(broker, owner, identifier)
        if attempt.status == "confirm" and same_text(asked["confirmation"], attempt.confirmation):
            broker.finish(attempt)
            return 200, attempt.shown()
        attempt.wrong += 1
        if attempt.wrong >= _MOST_WRONG:
            problem = ProblemError("confirmation_wrong", action="sign_in").members()
            attempt.problem = {name: problem[name] for name in ("code", "title", "action")}
            attempt.status = "failed"
            broker.changed.notify_all()
        raise ProblemError("confirmation_wrong")


def _deposit(
    broker: State, owner: Owner, identifier: str, query: dict[str, str], asked: dict[str, Any]
) -> Answered:
    _require(asked, {"sealed": _TEXT}, query, needed="sealed")
    with broker.changed:
        attempt = open_attempt(broker, owner, identifier)
        if attempt.way != "deposit":
            raise ProblemError("way_unavailable")
        broker.deposits.append((identifier, asked["sealed"]))
        attempt.waiting = Grant(owner, attempt.asked["provider"], "subject-1", None, ["openid", "email"])
        broker.finish(attempt)
        return 200, attempt.shown()


def _give_up(
    broker: State, owner: Owner, identifier: str, query: dict[str, str], asked: dict[str, Any]
) -> Answered:
    if asked or query:
        raise ProblemError("invalid_request")
    with broker.changed:
        attempt_of(broker, owner, identifier)
        del broker.attempts[identifier]
        broker.changed.notify_all()
    return 204, None


def _require(
    members: dict[str, Any], kinds: dict[str, str], query: dict[str, str], needed: str = "provider"
) -> None:
    """Refuse unknown members, those of the wrong type, and a request without the one that it needs."""
    if query or needed not in members or set(members) - set(kinds):
        raise ProblemError("invalid_request")
    for name, value in members.items():
        if not _is_of(kinds[name], value):
            raise ProblemError("invalid_request")


def _is_of(kind: str, value: Any) -> bool:
    if kind == _FLAG:
        return isinstance(value, bool)
    if kind == _COUNT:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 86_400  # noqa: PLR2004
    if kind == _TEXTS:
        return isinstance(value, list) and all(_is_of(_TEXT, one) for one in value)
    return isinstance(value, str) and bool(value)


_ID = "(?P<id>[^/]+)"
_ROUTES: dict[tuple[str, str], Callable[..., Answered]] = {
    ("POST", "/v1/token"): _token,
    ("GET", "/v1/accounts"): _accounts,
    ("GET", f"/v1/accounts/{_ID}"): _account,
    ("DELETE", f"/v1/accounts/{_ID}"): _disconnect,
    ("POST", "/v1/authorizations"): _begin,
    ("GET", f"/v1/authorizations/{_ID}"): _progress,
    ("DELETE", f"/v1/authorizations/{_ID}"): _give_up,
    ("POST", f"/v1/authorizations/{_ID}/confirm"): _confirm,
    ("POST", f"/v1/authorizations/{_ID}/deposit"): _deposit,
}
