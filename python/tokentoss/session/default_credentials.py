"""Whose credentials ``tokentoss.CREDENTIALS`` is: those of the latest sign-in of this process.

Where several people share the process, each has their own. The manager is kept rather than its credentials,
which cost the import of google-auth, until somebody asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tokentoss.exceptions import ConfigurationError
from tokentoss.session.app_host import Visitor, visitor

if TYPE_CHECKING:
    from tokentoss.session.google_credentials import Credentials

_everybody = Visitor()


class HasCredentials(Protocol):
    """A manager, as far as it matters here."""

    visitor: Visitor | None

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is signed in."""

    @property
    def credentials_as_they_are(self) -> Credentials | None:
        """The credentials of who is signed in, without a renewal."""


def publish(manager: HasCredentials, *, only_if_free: bool = False) -> None:
    """Make ``tokentoss.CREDENTIALS`` those of a manager, for the visitor whose it is.

    Args:
        manager: The manager.
        only_if_free: Whether to leave those of another sign-in alone.
    """
    whose = manager.visitor or _everybody
    if not (only_if_free and _is_taken(whose, manager)):
        whose.published, whose.set_by_hand = manager, None


def withdraw(manager: HasCredentials) -> None:
    """Empty ``tokentoss.CREDENTIALS``, if they are those of this manager."""
    whose = manager.visitor or _everybody
    if whose.published is manager:
        whose.published = None
    if getattr(whose.set_by_hand, "manager", None) is manager:
        whose.set_by_hand = None


def set_by_hand(credentials: Any) -> None:
    """Make ``tokentoss.CREDENTIALS`` what somebody assigns to it; None empties it.

    Raises:
        ConfigurationError: ``visitor_unknown`` if several people share this process, and it is not known
            whom this thread serves.
    """
    me = visitor() or _everybody
    if credentials is not None and not me.is_known:
        raise ConfigurationError(code="visitor_unknown")
    me.published, me.set_by_hand = None, credentials


def current() -> Any:
    """Return what ``tokentoss.CREDENTIALS`` is: those of the latest sign-in, or those set by hand."""
    me = visitor() or _everybody
    return me.set_by_hand or (me.published.credentials_as_they_are if me.published is not None else None)


def published() -> Any:
    """Return the manager of the latest sign-in, or the credentials of any kind that were set by hand."""
    me = visitor() or _everybody
    return me.set_by_hand or me.published


def _is_taken(whose: Visitor, manager: HasCredentials) -> bool:
    if whose.set_by_hand is not None:
        return True
    other: HasCredentials | None = whose.published
    return other is not None and other is not manager and other.is_authenticated
