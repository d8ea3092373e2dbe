"""What the sign-in widget says of a sign-in and of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokentoss import texts
from tokentoss.error_codes import printable
from tokentoss.exceptions import TokenTossError
from tokentoss.oauth.constants import DEFAULT_SCOPES
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.session.summary import said_of

if TYPE_CHECKING:
    from tokentoss.session.auth_manager import AuthManager

CLICK = "Click to sign in"
WAITING = "Waiting for you in the popup…"
WAITING_BY_WAY = {
    "callback_page": "Waiting for you in the popup, which ends on the callback page…",
    "paste": "Waiting for you in the popup, then for the address that it ends on…",
}
SIGNING_IN = "Signing in…"
ENTER_CODE = "Waiting for you to enter the code…"
FOLLOW_LINK = "Waiting for you on the sign-in page…"
MORE = "Click to allow more"

PHASES = {"ready": CLICK, "waiting": WAITING, "code": ENTER_CODE, "signing_in": SIGNING_IN}
"""What the widget says in each phase that a page reports."""


def look_of(manager: AuthManager) -> dict[str, Any]:
    """Return how the button looks, and whether a broker's page may ask for what it shows to be copied."""
    provider = manager.provider
    confirms = {"confirms": True} if isinstance(manager, BrokerManager) else {}
    return {"name": provider.name, "style": provider.style, **provider.branding, **confirms}


def signed_in_traits(manager: AuthManager, language: str | None = None) -> dict[str, Any]:
    """Return the traits of a widget whose user is signed in.

    Args:
        manager: Who is signed in there.
        language: The page's; by default that of this process.
    """
    return {
        "ticket": {},
        "broker": {},
        "status": who_is_signed_in(manager, language),
        "notice": "",
        "user_email": manager.user_email or "",
        "error": "",
        "error_code": "",
    }


def offer_traits(manager: AuthManager, *, more: bool) -> dict[str, Any]:
    """Return the traits of a widget that offers a sign-in, without its ticket.

    Args:
        manager: Whose client signs in.
        more: Whether more scopes are asked of somebody who is signed in.
    """
    return {
        "status": MORE if more else CLICK,
        "notice": "",
        "user_email": (manager.user_email or "") if manager.is_authenticated else "",
        "error": "",
        "error_code": "",
    }


def failure_traits(failure: TokenTossError, language: str | None = None) -> dict[str, str]:
    """Return the traits that say what went wrong; the end of a session is no error.

    Args:
        failure: What went wrong.
        language: The page's, for what is no error; by default that of this process.
    """
    if failure.code == "session_expired":
        notice = said_of(failure, language)
        return {"status": notice, "notice": notice, "error": "", "error_code": "", "error_detail": ""}
    return {
        "status": f"Error: {failure}",
        "notice": "",
        "error": str(failure),
        "error_code": failure.code,
        "error_detail": failure.subject or "",
    }


def who_is_signed_in(manager: AuthManager, language: str | None = None) -> str:
    """Return who is signed in, and what there is to know of it; as :func:`signed_in_traits`."""

    def said(name: str, **values: str) -> str:
        return texts.text("signed_in", name, language, **values)

    name = manager.user_name
    status = said("signedInAs", account=printable(name)) if name else said("signedIn")
    previous = manager.previous_user
    if previous is not None:
        status = said("anotherUser", status=status, previous=printable(previous))
    # Those of the sign-in itself are not the user's to leave out.
    missing = [scope for scope in manager.missing_scopes if scope not in DEFAULT_SCOPES]
    if missing:
        status = said("notGranted", status=status, missing=printable(", ".join(missing)))
    tokens = manager.token_data
    if tokens is not None and not tokens.signature_checked:
        return said("unchecked", status=status)
    if isinstance(manager.last_error, TokenTossError) and manager.last_error.code.startswith("storage_"):
        return said("unstored", status=status)
    return status
