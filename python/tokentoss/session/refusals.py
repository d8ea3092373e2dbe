"""What an answer to a refresh token says of the grant, and what follows from it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentoss.oauth.token_response import TokenRequestError


class Verdict(enum.Enum):
    """What follows from an answer without tokens."""

    ENDED = "ended"
    """The grant is over: only a new sign-in helps."""

    ENDED_IF_REPEATED = "ended_if_repeated"
    """A mistake of the request; said again of the same request, it means that the grant is forgotten."""

    PASSING = "passing"
    """It says nothing of the grant: the same request may succeed in a moment."""

    DOUBTFUL = "doubtful"
    """The provider may have granted the request: a refresh token that serves once may be spent."""

    REFUSED = "refused"
    """The client or its settings are refused: the grant stays, and trying again does not help."""


ENDINGS = frozenset(
    {
        "invalid_grant",
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "login_required",
    }
)
"""Error codes with which a provider asks for the user (RFC 6749 section 5.2, OpenID Connect Core 3.1.2.6)."""

FORGOTTEN = "invalid_request"
"""What some providers say of a refresh token that they do not know any more."""


def verdict_on(failure: TokenRequestError, rotation: str | None) -> Verdict:
    """Return what follows from a failure.

    Args:
        failure: Why there are no tokens.
        rotation: What the provider does with a refresh token that was used: ``none`` if it stays.
    """
    if failure.code in ENDINGS:
        return Verdict.ENDED
    if failure.code == FORGOTTEN:
        return Verdict.ENDED_IF_REPEATED
    if failure.may_have_spent and rotation != "none":
        return Verdict.DOUBTFUL
    return Verdict.PASSING if failure.is_transient else Verdict.REFUSED
