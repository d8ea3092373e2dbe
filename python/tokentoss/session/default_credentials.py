"""Whose credentials ``tokentoss.CREDENTIALS`` is: those of the latest sign-in of this process.

The manager is kept rather than its credentials, which cost the import of google-auth, until somebody
asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tokentoss.session.app_host import is_shared

if TYPE_CHECKING:
    from tokentoss.session.google_credentials import Credentials


class HasCredentials(Protocol):
    """A manager, as far as it matters here."""

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is signed in."""

    @property
    def credentials_as_they_are(self) -> Credentials | None:
        """The credentials of who is signed in, without a renewal."""


_published: HasCredentials | None = None
_set_by_hand: Any = None


def publish(manager: HasCredentials, *, only_if_free: bool = False) -> None:
    """Make ``tokentoss.CREDENTIALS`` those of a manager, unless several people share this process.

    Args:
        manager: The manager.
        only_if_free: Whether to leave those of another sign-in alone.
    """
    global _published, _set_by_hand
    if is_shared() or (only_if_free and _is_taken(manager)):
        return
    _published, _set_by_hand = manager, None


def withdraw(manager: object) -> None:
    """Empty ``tokentoss.CREDENTIALS``, if they are those of this manager."""
    global _published, _set_by_hand  # noqa: PLW0603 - one for the process
    if _published is manager:
        _published = None
    if getattr(_set_by_hand, "manager", None) is manager:
        _set_by_hand = None


def set_by_hand(credentials: Any) -> None:
    """Make ``tokentoss.CREDENTIALS`` what somebody assigns to it; None empties it."""
    global _published, _set_by_hand
    _published, _set_by_hand = None, credentials


def current() -> Any:
    """Return what ``tokentoss.CREDENTIALS`` is: those of the latest sign-in, or those set by hand."""
    return _set_by_hand or (_published.credentials_as_they_are if _published is not None else None)


def published() -> Any:
    """Return the manager of the latest sign-in, or the credentials of any kind that were set by hand."""
    return _set_by_hand or _published


def _is_taken(manager: object) -> bool:
    if _set_by_hand is not None:
        return True
    return _published is not None and _published is not manager and _published.is_authenticated
