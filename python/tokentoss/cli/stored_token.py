"""The token of a stored account, renewed if it is due."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tokentoss.cli.stored import chosen
from tokentoss.cli.terminal import said
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError, NoCredentialsError
from tokentoss.oauth.provider import Provider
from tokentoss.session.auth_manager import manager_of
from tokentoss.session.session import Session, access_token_is_due, id_token_is_due
from tokentoss.session.stored_session import StoredSession, place_of
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account
from tokentoss.storage.token_data import grant_of
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from tokentoss.broker.answers import Kind
    from tokentoss.session.auth_manager import AuthManager


def stored_token(kind: Kind, account: str | None, min_ttl: int | None) -> Secret:
    """Return a token; the provider is asked only if one is due, or its signature was never checked.

    Args:
        kind: Which of the two tokens.
        account: The account; by default the one that is used by default.
        min_ttl: Seconds that it must have left.

    Raises:
        NoCredentialsError: ``no_credentials``, ``session_expired`` or ``account_unknown``: somebody has to
            sign in; ``account_ambiguous``.
        ReauthRequiredError: If the provider ended the session.
        TokenRefreshError: If it has expired and cannot be renewed.
        ConfigurationError: ``provider_without_id_tokens``, or ``min_ttl_unreachable``.
    """
    storage = FileStorage()
    stored = storage.load_all()
    if not stored and account is None:
        raise NoCredentialsError(subject=said("noTokens", path=str(storage.path)))
    tokens = stored[0] if account is None else chosen(stored, account)
    session = Session.of(tokens)
    if not session.is_signed_in:
        raise NoCredentialsError(code="session_expired")
    issuer, _, client_id = grant_of(tokens)
    if kind == "id_token" and not tokens.id_token:
        raise ConfigurationError(code="provider_without_id_tokens", subject=printable(issuer))
    if _is_good(session, kind, min_ttl):
        # Without the network, and without the provider's metadata.
        return _of(session, kind)
    manager = manager_of(
        StoredSession(
            place=place_of(storage),
            account=Account.of(tokens).grant_key,
            provider=Provider.of(issuer),
            client_id=client_id,
            client_secrets_path=None,
            # The command has no limit of its own.
            max_session_lifetime_hours=session.lifetime_hours,
        )
    )
    token = _current(manager, kind)
    if min_ttl is not None and _left(manager, kind) < min_ttl:
        manager.refresh_tokens()
        token = _current(manager, kind)
        if _left(manager, kind) < min_ttl:
            raise ConfigurationError(code="min_ttl_unreachable", subject=manager.provider.name)
    return token


def _is_good(session: Session, kind: Kind, min_ttl: int | None) -> bool:
    if min_ttl is not None and _expires_at(session, kind) - time.time() < min_ttl:
        return False
    if kind == "access_token":
        return not access_token_is_due(session)
    return session.tokens.signature_checked and not id_token_is_due(session)


def _current(manager: AuthManager, kind: Kind) -> Secret:
    token = manager.id_token if kind == "id_token" else manager.access_token
    if token is None:
        raise manager.last_error or NoCredentialsError(code="session_expired")
    return Secret(token)


def _left(manager: AuthManager, kind: Kind) -> float:
    tokens = manager.token_data
    return 0.0 if tokens is None else _expires_at(Session.of(tokens), kind) - time.time()


def _expires_at(session: Session, kind: Kind) -> float:
    return session.id_token_expires_at if kind == "id_token" else session.access_token_expires_at


def _of(session: Session, kind: Kind) -> Secret:
    return Secret(session.tokens.id_token if kind == "id_token" else session.tokens.access_token)
