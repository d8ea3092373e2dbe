"""Who the user is, as the provider's endpoints say.

The userinfo endpoint adds claims to an ID token (OpenID Connect Core 5.3); the identity endpoint stands in
for an ID token where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokentoss.exceptions import ConfigurationError, TokenExchangeError, UserinfoError
from tokentoss.util.failures import TransportError
from tokentoss.util.http import call
from tokentoss.util.json_object import REPEATED
from tokentoss.util.texts import is_whole

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider
    from tokentoss.util.http import Answer

MAX_SIZE = 262_144
"""Largest answer that is read, in bytes."""

ATTEMPTS = 2
"""Times that an identity endpoint is asked: the code is spent, so a passing failure would cost it."""

_MAX_SUBJECT_LENGTH = 255
_MAX_TEXT_LENGTH = 320
_OK = 200
_SERVER_ERROR = 500
_REFUSALS = frozenset({401, 403})


def fetch_userinfo(provider: Provider, access_token: str, subject: str | None) -> dict[str, Any]:
    """Ask a provider for the claims about the user whose ID token it gave.

    Args:
        provider: Who gave the tokens; the access token goes to its own userinfo endpoint only.
        access_token: The access token, sent as a bearer token in the header.
        subject: The subject of the ID token, which the answer must name as well.

    Raises:
        UserinfoError: If there is no such endpoint or no usable answer, or it is about somebody else.
    """
    endpoint = provider.userinfo_endpoint
    if endpoint is None:
        raise UserinfoError(code="userinfo_unsupported", subject=provider.name)
    try:
        answer = call("GET", endpoint, bearer=access_token, max_bytes=MAX_SIZE)
    except TransportError as failure:
        code, subject = failure.named("userinfo_unreachable", "userinfo_invalid", endpoint)
        raise UserinfoError(code=code, subject=subject) from None
    if answer.status != _OK:
        code = "userinfo_refused" if answer.status in _REFUSALS else "userinfo_failed"
        raise UserinfoError(code=code, subject=f"{endpoint} (HTTP {answer.status})")
    # A signed answer (application/jwt) is not asked for, and would be no JSON.
    claims = answer.json_object()
    if claims is None or not isinstance(claims.get("sub"), str):
        raise UserinfoError(code="userinfo_invalid", subject=endpoint)
    # Section 5.3.4: without this, one user's token could bring another user's claims.
    if subject is None or claims["sub"] != subject:
        raise UserinfoError(code="userinfo_subject_mismatch")
    return {name: value for name, value in claims.items() if value is not REPEATED}


@dataclass(frozen=True)
class Identity:
    """A user, as the provider knows them.

    Args:
        subject: The identifier that stays; identity is (issuer, subject).
        login: The name the user signs in with.
        name: The user's name.
        email: The e-mail address, for display.
    """

    subject: str
    login: str | None = None
    name: str | None = None
    email: str | None = None


def fetch_identity(provider: Provider, access_token: str) -> Identity:
    """Ask a provider whose an access token is.

    Args:
        provider: Who gave the token; it goes to the provider's own identity endpoint only.
        access_token: The token.

    Raises:
        TokenExchangeError: ``identity_unreachable`` or ``identity_invalid``.
    """
    endpoint = provider.identity_endpoint or ""
    answer = _asked(endpoint, access_token)
    document = answer.json_object() if answer.status == _OK else None
    identity = _read(document, provider) if document is not None else None
    if identity is None:
        raise TokenExchangeError(code="identity_invalid", subject=f"{endpoint} (HTTP {answer.status})")
    return identity


def require_identity(provider: Provider, hosted_domain: str | None) -> None:
    """Check that what is asked of a user can be checked without an ID token.

    Raises:
        ConfigurationError: ``provider_without_id_tokens`` for a hosted domain, which is a claim of one.
    """
    if hosted_domain is not None and not provider.openid_connect:
        raise ConfigurationError(code="provider_without_id_tokens", subject=provider.name)


def _asked(endpoint: str, access_token: str) -> Answer:
    code, subject = "identity_unreachable", endpoint
    for _ in range(ATTEMPTS):
        try:
            answer = call("GET", endpoint, bearer=access_token)
        except TransportError as failure:
            code, subject = failure.named("identity_unreachable", "identity_invalid", endpoint)
            continue
        if answer.status < _SERVER_ERROR:
            return answer
        code, subject = "identity_unreachable", f"{endpoint} (HTTP {answer.status})"
    raise TokenExchangeError(code=code, subject=subject)


def _read(document: dict[str, Any], provider: Provider) -> Identity | None:
    members = provider.identity_members
    values = {member: document.get(where) for member, where in members.items()}
    subject = values["subject"]
    if isinstance(subject, int) and not isinstance(subject, bool):
        # GitHub's identifiers are numbers.
        subject = str(subject)
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT_LENGTH or not is_whole(subject):
        return None
    email = _shown(values.get("email"))
    return Identity(
        subject=subject,
        login=_shown(values.get("login")),
        name=_shown(values.get("name")),
        email=email if email is not None and "@" in email else None,
    )


def _shown(value: object) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT_LENGTH and value.isprintable():
        return value
    return None
