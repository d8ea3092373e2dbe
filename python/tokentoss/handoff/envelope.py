"""What a page seals to the kernel: the tokens of a sign-in, or the code that the kernel redeems itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tokentoss.exceptions import HandOffError
from tokentoss.oauth.token_response import TokenResponse, lifetime
from tokentoss.util.base64url import from_b64url
from tokentoss.util.texts import is_token, is_whole

VERSION = 2

_SALT_BYTES = 16
_MAX_SCOPES = 256
_MAX_CODE = 8192
_MAX_DEPOSIT = 32_768
_VERIFIER_LENGTHS = range(43, 129)  # RFC 7636 section 4.1


@dataclass(frozen=True)
class TokensEnvelope:
    """Tokens that the page received from the token endpoint."""

    salt: str
    received_at: float
    response: TokenResponse


@dataclass(frozen=True)
class DeviceTokensEnvelope:
    """Tokens that the page received for a code that was entered on some device; there is no nonce."""

    received_at: float
    response: TokenResponse


@dataclass(frozen=True)
class CodeEnvelope:
    """An authorization code with what its token request needs."""

    salt: str
    code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str


def proof_of(plaintext: bytes) -> object:
    """Return the proof inside an envelope, of whatever type; None if there is none, or no envelope."""
    try:
        members = json.loads(plaintext.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return members.get("proof") if isinstance(members, dict) else None


def read_deposit(plaintext: bytes, ticket_id: str) -> str:
    """Return what an envelope of purpose ``code`` holds for a broker, sealed to it and to nobody else.

    Raises:
        HandOffError: ``envelope_unreadable`` if it is none of this ticket, or holds a code for the kernel.
    """
    members, _ = _common(plaintext, ticket_id)
    deposit = members.get("code")
    if not isinstance(deposit, str) or not 0 < len(deposit) <= _MAX_DEPOSIT:
        raise _unreadable()
    # A verifier stands beside a code for the kernel alone.
    if members.get("code_verifier") != "":
        raise _unreadable()
    return deposit


def read_tokens(plaintext: bytes, ticket_id: str) -> TokensEnvelope:
    """Read an envelope of purpose ``tokens``.

    Raises:
        HandOffError: ``envelope_unreadable`` if it is none of this ticket.
    """
    members, received_at = _common(plaintext, ticket_id)
    return TokensEnvelope(_salt(members), received_at, _response(members))


def read_device_tokens(plaintext: bytes, ticket_id: str) -> DeviceTokensEnvelope:
    """Read an envelope of purpose ``device_tokens``.

    Raises:
        HandOffError: ``envelope_unreadable`` if it is none of this ticket.
    """
    members, received_at = _common(plaintext, ticket_id)
    return DeviceTokensEnvelope(received_at, _response(members))


def read_code(plaintext: bytes, ticket_id: str, redirect_uris: tuple[str, ...]) -> CodeEnvelope:
    """Read an envelope of purpose ``code``.

    Args:
        plaintext: What was sealed.
        ticket_id: The ticket that it must be of.
        redirect_uris: The redirect URIs of that ticket.

    Raises:
        HandOffError: ``envelope_unreadable`` if it is none of this ticket.
    """
    members, _ = _common(plaintext, ticket_id)
    code, code_verifier = members.get("code"), members.get("code_verifier")
    redirect_uri = members.get("redirect_uri")
    if (
        not isinstance(code, str)
        or not 0 < len(code) <= _MAX_CODE
        or not is_whole(code)
        or not isinstance(code_verifier, str)
        or len(code_verifier) not in _VERIFIER_LENGTHS
        or not code_verifier.isascii()
        or not isinstance(redirect_uri, str)
        or redirect_uri not in redirect_uris
    ):
        raise _unreadable()
    return CodeEnvelope(_salt(members), code, code_verifier, redirect_uri)


def _response(members: dict[str, Any]) -> TokenResponse:
    access_token, id_token = members.get("access_token"), members.get("id_token")
    refresh_token, scopes = members.get("refresh_token"), members.get("scopes")
    if (
        not (isinstance(access_token, str) and is_token(access_token))
        or not (isinstance(id_token, str) and (not id_token or is_token(id_token)))
        or not (refresh_token is None or (isinstance(refresh_token, str) and is_token(refresh_token)))
        or not isinstance(scopes, list)
        or len(scopes) > _MAX_SCOPES
        or not all(isinstance(scope, str) for scope in scopes)
    ):
        raise _unreadable()
    return TokenResponse(
        access_token=access_token,
        id_token=id_token or None,
        refresh_token=refresh_token or None,
        expires_in=lifetime(members.get("expires_in")),
        scopes=scopes,
    )


def _common(plaintext: bytes, ticket_id: str) -> tuple[dict[str, Any], float]:
    try:
        members = json.loads(plaintext.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if (
        not isinstance(members, dict)
        or members.get("version") != VERSION
        or members.get("ticket") != ticket_id
    ):
        raise _unreadable()
    received_at = members.get("received_at")
    if isinstance(received_at, bool) or not isinstance(received_at, (int, float)):
        raise _unreadable()
    return members, received_at


def _salt(members: dict[str, Any]) -> str:
    salt = members.get("salt")
    try:
        if isinstance(salt, str) and len(from_b64url(salt)) == _SALT_BYTES:
            return salt
    except ValueError:
        pass
    raise _unreadable()


def _unreadable() -> HandOffError:
    return HandOffError(code="envelope_unreadable")
