"""What of the fake broker a request is about: the asking user's own, or nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.broker.fake.problems import ProblemError

if TYPE_CHECKING:
    from tokentoss.broker.fake.state import Attempt, Grant, State

    Owner = tuple[str, str]


def meant(broker: State, owner: Owner, provider: str, name: str | None) -> Grant:
    """Return the one account that is meant."""
    grants = [one for one in broker.grants if one.owned_by(owner, provider)]
    if name is not None:
        grants = [one for one in grants if name in {one.id, one.subject, one.email}]
    if not grants:
        raise ProblemError("not_connected")
    if len(grants) > 1:
        raise ProblemError("account_ambiguous")
    return grants[0]


def account_of(broker: State, owner: Owner, identifier: str) -> Grant:
    """Return an account of this user."""
    for one in broker.grants:
        if one.id == identifier and one.owned_by(owner):
            return one
    raise ProblemError("not_connected")


def attempt_of(broker: State, owner: Owner, identifier: str) -> Attempt:
    """Return a sign-in of this user."""
    attempt = broker.attempt_of(owner, identifier)
    if attempt is None:
        raise ProblemError("authorization_unknown")
    return attempt


def open_attempt(broker: State, owner: Owner, identifier: str) -> Attempt:
    """Return a sign-in of this user that has not ended."""
    attempt = attempt_of(broker, owner, identifier)
    if attempt.status not in {"pending", "confirm"}:
        raise ProblemError("authorization_expired")
    return attempt
