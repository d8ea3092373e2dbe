"""A manager in words: who is signed in, for how long, and where the tokens are. No token is in it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tokentoss import error_codes, texts
from tokentoss.error_codes import printable
from tokentoss.storage import FileStorage, KeyringStorage, MemoryStorage

if TYPE_CHECKING:
    from tokentoss.exceptions import TokenTossError
    from tokentoss.oauth.provider import Provider
    from tokentoss.storage import TokenStorage

_MINUTE = 60


class HasSession(Protocol):
    """An auth manager, as far as it matters here."""

    provider: Provider
    storage: TokenStorage
    last_error: TokenTossError | None

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is signed in."""

    @property
    def user_name(self) -> str | None:
        """How the user is shown."""

    @property
    def granted_scopes(self) -> list[str]:
        """The scopes that the user granted."""

    @property
    def missing_scopes(self) -> list[str]:
        """The scopes that were asked for, and not granted."""

    @property
    def tokens_expire_at(self) -> float | None:
        """When the tokens expire."""

    @property
    def session_ends_at(self) -> float | None:
        """When the user has to sign in again."""

    @property
    def is_renewable(self) -> bool:
        """Whether the tokens can be renewed without the user."""


def summary_of(manager: HasSession, language: str | None = None) -> dict[str, Any]:
    """Return what is known of a manager's session, without asking anybody.

    Args:
        manager: The manager.
        language: The language of its sentences; by default that of this process.
    """
    is_signed_in, failure = manager.is_authenticated, manager.last_error
    scopes = manager.granted_scopes if is_signed_in else []
    return {
        "account": printable(manager.user_name or "") if is_signed_in else "",
        "provider": manager.provider.name,
        "signed_in": is_signed_in,
        "scopes": [printable(scope) for scope in scopes],
        "missing": [printable(scope) for scope in manager.missing_scopes] if is_signed_in else [],
        "expires_at": manager.tokens_expire_at if is_signed_in else None,
        "ends_at": manager.session_ends_at if is_signed_in else None,
        "renewable": is_signed_in and manager.is_renewable,
        "stored_in": place_of_tokens(manager, language),
        "problem": "" if failure is None else said_of(failure, language),
    }


def said_of(failure: TokenTossError, language: str | None = None) -> str:
    """Return the sentence of a failure in a language; by default as it was raised."""
    if language and error_codes.is_known(failure.code):
        return error_codes.sentence(failure.code, failure.subject, language=language, case=failure.case)
    return printable(str(failure))


def line_of(manager: HasSession) -> str:
    """Return the same in one line, for a terminal."""
    known = summary_of(manager)
    if not known["signed_in"]:
        signed_out = texts.text("session", "signedOut", provider=known["provider"])
        return " ".join(filter(None, [signed_out, known["problem"]]))
    facts = {"place": known["stored_in"]}
    if known["expires_at"] is not None:
        then = "expiresThenRenewed" if known["renewable"] else "expiresThenSignIn"
        left = _duration(known["expires_at"] - time.time())
        facts = {"expiry": texts.text("session", then, left=left), **facts}
    who = texts.text("session", "signedIn", account=known["account"], provider=known["provider"])
    return ". ".join([who, *(f"{texts.text('session', name)}: {fact}" for name, fact in facts.items())])


def place_of_tokens(manager: HasSession, language: str | None = None) -> str:
    """Return where a manager keeps tokens."""
    storage, broker = manager.storage, getattr(manager, "broker", None)
    if broker is not None:
        return texts.text("session", "broker", language, url=printable(broker.url))
    if isinstance(storage, FileStorage):
        return printable(_shortened(storage.path))
    if isinstance(storage, KeyringStorage):
        return texts.text("session", "keyring", language, service=printable(storage.service))
    if isinstance(storage, MemoryStorage):
        return texts.text("session", "memory", language)
    return printable(type(storage).__name__)


def _shortened(path: Path) -> str:
    try:
        return str(Path("~") / path.absolute().relative_to(Path.home()))
    except (RuntimeError, ValueError, OSError):  # no home folder, or not in it
        return str(path)


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"< {_MINUTE} s"
    minutes = int(seconds // _MINUTE)
    hours = minutes // _MINUTE
    return f"{hours} h {minutes % _MINUTE} min" if hours else f"{minutes} min"
