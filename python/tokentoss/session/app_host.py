"""Hosts that show one notebook as an app to several people: whose session is whose there.

Voila runs a process for each visitor, all of them as one user of the machine. ``marimo run`` runs a thread
for each visitor, all of them in one process.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tokentoss import storage
from tokentoss.exceptions import ConfigurationError
from tokentoss.storage import FileStorage, KeyringStorage, MemoryStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokentoss.storage import TokenStorage

APP_HOST_VARIABLE = "TOKENTOSS_APP_HOST"
"""Environment variable that says whether several people share this host: ``1`` or ``0``."""

_ATTRIBUTE = "_tokentoss_visitor"


class Visitor:
    """Somebody whom a process serves beside others; equal to nobody else.

    Args:
        is_known: Whether the same visitor can be recognised again.

    Attributes:
        published: The manager of the latest sign-in of this visitor.
        set_by_hand: The credentials that somebody set for this visitor instead.
    """

    def __init__(self, *, is_known: bool = True) -> None:
        self.is_known = is_known
        self.published: Any = None
        self.set_by_hand: Any = None


_serving: ContextVar[Visitor | None] = ContextVar("serving", default=None)


class _Process:
    """What was found out about this process, for threads that a host does not know."""

    serves_visitors = False


def is_shared() -> bool:
    """Tell whether other people than the one who is served now use the same files or the same process."""
    said = os.environ.get(APP_HOST_VARIABLE)
    if said in {"0", "1"}:
        return said == "1"
    return _is_voila() or _serves_visitors()


def visitor() -> Visitor | None:
    """Return the visitor who is served now, to be compared by identity.

    Returns:
        None where all of the process belongs to one person; one who is nobody else in a thread of which it
        is not known whom it serves.
    """
    if not _is_process_shared():
        return None
    context = _marimo_context()
    if context is None:
        return _serving.get() or Visitor(is_known=False)
    while getattr(context, "parent", None) is not None:
        # An app that is embedded in another one is served to the same visitor.
        context = context.parent
    try:
        mark: Visitor = context.__dict__.setdefault(_ATTRIBUTE, Visitor())
    except AttributeError:
        return Visitor(is_known=False)
    return mark


@contextmanager
def serving(whom: Visitor | None) -> Iterator[None]:
    """Serve a visitor in this thread, unless the host knows whom it serves there."""
    token = _serving.set(whom)
    try:
        yield
    finally:
        _serving.reset(token)


def token_file() -> FileStorage | None:
    """Return the token file; None where it would be that of several people.

    Raises:
        StorageError: ``storage_home_missing`` if the user has no home folder.
    """
    return None if is_shared() else FileStorage()


def default_storage() -> TokenStorage:
    """Return where tokens are kept unless somebody says where: in memory, where files are everybody's.

    Warns:
        TokensInMemoryWarning: If the user has no home folder.
    """
    return MemoryStorage() if is_shared() else storage.default_storage()


def require_own(given: TokenStorage) -> None:
    """Check that a storage that was given is not the one that all visitors have.

    Raises:
        ConfigurationError: ``visitors_share_storage`` if it is the user's keyring or token file, and several
            people are served.
    """
    is_everybodys = isinstance(given, KeyringStorage) or (
        isinstance(given, FileStorage) and not given.is_named
    )
    if is_everybodys and is_shared():
        raise ConfigurationError(code="visitors_share_storage", subject=repr(given))


def _is_process_shared() -> bool:
    said = os.environ.get(APP_HOST_VARIABLE)
    if said == "0":
        return False
    return _serves_visitors() or (said == "1" and not _is_voila())


def _is_voila() -> bool:
    return "VOILA_BASE_URL" in os.environ or os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


def _serves_visitors() -> bool:
    marimo = sys.modules.get("marimo")
    if marimo is not None and not _Process.serves_visitors:
        app_meta = getattr(marimo, "app_meta", None)
        _Process.serves_visitors = app_meta is not None and app_meta().mode == "run"
    return _Process.serves_visitors


def _marimo_context() -> Any:
    """Return the context of the visitor whose thread this is; None in any other thread."""
    types = sys.modules.get("marimo._runtime.context.types")
    try:
        return None if types is None else types.get_context()
    except Exception:  # noqa: BLE001 - its error for a thread without one, under whatever name
        return None
