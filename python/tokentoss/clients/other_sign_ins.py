"""Who is signed in at other providers than the one that a client wants, for the sentence that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.exceptions import IdTokenError, StorageError
from tokentoss.oauth.id_token import unverified_claims
from tokentoss.session.app_host import token_file
from tokentoss.session.default_credentials import published
from tokentoss.session.token_manager import TokenManager
from tokentoss.storage.accounts import Account

if TYPE_CHECKING:
    from tokentoss.clients.wanted_provider import WantedProvider

MAX_SHOWN = 5
"""Sign-ins that a sentence names at most."""


def sign_ins_elsewhere(wanted: WantedProvider) -> str:
    """Return the sign-ins of this process and of the token file at other providers, in words."""
    return _sign_ins(wanted)


def all_sign_ins() -> str:
    """Return the sign-ins of this process and of the token file, in words."""
    return _sign_ins(None)


def _sign_ins(but_of: WantedProvider | None) -> str:
    found: dict[str, str] = {}
    for manager in TokenManager.signed_in():
        account = manager.account
        if account is not None and not (but_of and but_of.is_met_by(manager.provider)):
            found[account.key] = _words(account.display_name, manager.provider.issuer)
    by_hand = published()
    issuer = None if isinstance(by_hand, TokenManager) else issuer_of(getattr(by_hand, "id_token", None))
    if issuer and not (but_of and issuer == but_of.issuer):
        found[issuer] = _words("tokentoss.CREDENTIALS", issuer)
    for account in _stored():
        if account.issuer and not (but_of and account.issuer == but_of.issuer):
            found.setdefault(account.key, _words(account.display_name, account.issuer))
    shown = list(found.values())[:MAX_SHOWN]
    more = [f"{len(found) - len(shown)} more"] if len(found) > len(shown) else []
    return ", ".join([*shown, *more])


def issuer_of(token: str | None) -> str | None:
    """Return who issued an ID token, unverified; None if it does not say."""
    try:
        issuer = unverified_claims(token).get("iss") if token else None
    except IdTokenError:
        # Credentials that somebody set by hand may hold anything.
        return None
    return issuer if isinstance(issuer, str) else None


def _words(who: str, issuer: str) -> str:
    return f"{who} at {issuer}"


def _stored() -> list[Account]:
    try:
        storage = token_file()
        return [] if storage is None else [Account.of(tokens) for tokens in storage.load_all()]
    except StorageError:
        return []
