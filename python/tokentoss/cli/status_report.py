"""What ``tokentoss status --json`` prints, as docs/command_line.md explains: no secret is among it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokentoss.cli.utc import utc_text
from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import ConfigurationError
from tokentoss.session.session import Session
from tokentoss.storage.accounts import Account, names_of

if TYPE_CHECKING:
    from tokentoss.storage import FileStorage


def report_on(storage: FileStorage) -> dict[str, Any]:
    """Return the client, and the accounts of a token file, the default one first.

    Raises:
        StorageError: If the file cannot be read.
    """
    sessions = [Session.of(tokens) for tokens in storage.load_all()]
    names = names_of([session.tokens for session in sessions])
    return {
        "signed_in": any(session.is_signed_in for session in sessions),
        "broker": None,
        **_client(),
        "token_file": str(storage.path),
        "accounts": [
            _account(session, name, is_default=number == 0)
            for number, (session, name) in enumerate(zip(sessions, names, strict=True))
        ],
    }


def _client() -> dict[str, Any]:
    try:
        config = ClientConfig.discover()
    except ConfigurationError as failure:
        return {"client": None, "client_error": failure.code}
    members = {
        "client_id": config.client_id,
        "type": config.client_type,
        "token_endpoint": config.token_uri,
        "file": str(config.source),
    }
    return {"client": members, "client_error": None}


def _account(session: Session, name: str, *, is_default: bool) -> dict[str, Any]:
    account, tokens = Account.of(session.tokens), session.tokens
    return {
        "name": name,
        "default": is_default,
        "signed_in": session.is_signed_in,
        "email": account.email,
        "login": account.login,
        "provider": None,
        "issuer": account.issuer,
        "subject": account.subject,
        "client_id": account.client_id,
        "scopes": list(tokens.scopes),
        "renewable": bool(tokens.refresh_token),
        "signed_in_at": utc_text(session.signed_in_at),
        "session_ends_at": utc_text(session.ends_at),
        "id_token_expires_at": utc_text(session.id_token_expires_at) if tokens.id_token else None,
        "access_token_expires_at": utc_text(session.access_token_expires_at),
    }
