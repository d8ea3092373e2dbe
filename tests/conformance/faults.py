"""How a provider departs from the protocol in one module: honest but for what is overridden."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

REMOVED = object()
"""In place of a value: leave the member out."""

Members = dict[str, Any]


@dataclass(frozen=True)
class Faults:
    """What is changed in each kind of answer; a value may be a function of the honest one.

    Args:
        metadata: Members of the discovery document.
        authorization: Parameters of the authorization response.
        id_token: Claims of the ID token that answers a code.
        refreshed_id_token: Claims of the ID token that answers a refresh token.
        token_response: Members of the token response.
        userinfo: Claims of the userinfo response.
        algorithm: With which ID tokens are signed, where it is not the announced one.
        key_id: Whether ID tokens and keys carry a `kid`.
        more_keys: Further keys that are published.
        breaks_signature: Whether signatures are changed after the fact.
        rotates: When the keys are replaced: "before_signing" or "between_sign_ins".
    """

    metadata: Members = field(default_factory=dict)
    authorization: Members = field(default_factory=dict)
    id_token: Members = field(default_factory=dict)
    refreshed_id_token: Members = field(default_factory=dict)
    token_response: Members = field(default_factory=dict)
    userinfo: Members = field(default_factory=dict)
    algorithm: str | None = None
    key_id: bool = True
    more_keys: tuple[str, ...] = ()
    breaks_signature: bool = False
    rotates: str | None = None


def changed(honest: Members, changes: Members) -> Members:
    """The honest members with the changes in their place."""
    members = dict(honest)
    for name, change in changes.items():
        value = change(honest.get(name)) if callable(change) else change
        if value is REMOVED:
            members.pop(name, None)
        else:
            members[name] = value
    return members
