"""Validation of ID tokens (OpenID Connect Core 3.1.3.7)."""

from __future__ import annotations

import hashlib
import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokentoss.error_codes import printable
from tokentoss.exceptions import IdTokenError, SignInError
from tokentoss.util.base64url import b64url, from_b64url
from tokentoss.util.constant_time import same_text
from tokentoss.util.json_object import read_object, repeats
from tokentoss.util.secret import Secret
from tokentoss.util.texts import is_whole

if TYPE_CHECKING:
    from tokentoss.oauth.jwks import PublishedKeys
    from tokentoss.oauth.provider import Provider

LEEWAY = 60.0
"""Seconds that this machine's clock and the provider's may differ."""

MAX_LENGTH = 65_536
"""Characters of the longest ID token that is read."""

_PLAIN = re.compile(r"[A-Za-z0-9:/._~@-]{1,128}")
_MAX_SUBJECT_LENGTH = 255
_MAX_TEXT_LENGTH = 320
_LATEST_TIME = 253_402_300_799  # the end of the year 9999
_PARTS_OF_A_SIGNED_TOKEN = 3
_DECIDING = (
    "iss",
    "tid",
    "sub",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "nonce",
    "at_hash",
    "hd",
)  # what a token is judged by
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@dataclass(frozen=True)
class IdTokenClaims:
    """What a validated ID token says."""

    issuer: str
    subject: str
    expires_at: float
    issued_at: float
    email: str | None
    nonce: str | None
    signature_checked: bool
    login: str | None = None
    name: str | None = None

    @property
    def display_name(self) -> str:
        """How the user is shown: the e-mail address, or else the subject."""
        return self.email or printable(self.subject, 64)


def validate_id_token(
    id_token: str,
    *,
    provider: Provider,
    client_id: str,
    nonce: str | None = None,
    access_token: str | None = None,
    hosted_domain: str | None = None,
    check_expiry: bool = True,
    keys: PublishedKeys | None = None,
) -> IdTokenClaims:
    """Check an ID token and return its claims.

    If the provider's keys cannot be fetched, the claims are checked all the same and the result says
    so in ``signature_checked``: the caller must check the signature later.

    Args:
        id_token: The token as the provider gave it.
        provider: Who must have issued it.
        client_id: For whom it must have been issued.
        nonce: The nonce of the authorization request; None where there was none to compare.
        access_token: The access token that came with it, compared with ``at_hash`` if present.
        hosted_domain: The domain that the ``hd`` claim must name.
        check_expiry: Whether it must still be valid; stored tokens may have expired.
        keys: The provider's keys; by default those of its ``jwks_uri``.

    Raises:
        IdTokenError: If the token does not hold what it must.
        SignInError: ``clock_skew`` or ``hosted_domain_mismatch``.
    """
    id_token = Secret(id_token)
    header, claims = _decode(id_token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in provider.id_token_signing_algs:
        raise IdTokenError(code="id_token_algorithm_refused", subject=_shown(algorithm))
    key_id = header.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise IdTokenError(code="id_token_malformed")
    signature_checked = _check_signature(id_token, keys or _keys_of(provider), key_id, algorithm)
    if not provider.has_issued(claims):
        raise IdTokenError(code="id_token_issuer_mismatch", subject=_shown(claims.get("iss")))
    if not provider.allows_tenant(claims):
        raise SignInError(code="hosted_domain_mismatch")
    _check_audience(claims, client_id, provider.trusted_audiences)
    expires_at, issued_at = _check_times(claims, check_expiry=check_expiry)
    if nonce is not None and not same_text(claims.get("nonce"), nonce):
        raise IdTokenError(code="id_token_nonce_mismatch")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT_LENGTH or not is_whole(subject):
        raise IdTokenError(code="id_token_subject_missing")
    if access_token is not None and "at_hash" in claims:
        expected = access_token_hash(access_token, algorithm)
        if not same_text(claims["at_hash"], expected):
            raise IdTokenError(code="id_token_access_token_hash_mismatch")
    if hosted_domain is not None and not same_text(claims.get("hd"), hosted_domain):
        raise SignInError(code="hosted_domain_mismatch", subject=hosted_domain)
    token_nonce = claims.get("nonce")
    return IdTokenClaims(
        issuer=provider.issuer,
        subject=subject,
        expires_at=expires_at,
        issued_at=issued_at,
        email=_shown_text(claims.get("email")),
        nonce=token_nonce if isinstance(token_nonce, str) else None,
        signature_checked=signature_checked,
        login=_shown_text(claims.get("preferred_username")),
        name=_shown_text(claims.get("name")),
    )


def unverified_claims(id_token: str) -> dict[str, Any]:
    """Return the claims of a token that was validated before, or that is only looked at.

    Raises:
        IdTokenError: ``id_token_malformed``.
    """
    return _decode(id_token)[1]


def times_of(id_token: str) -> tuple[float | None, float]:
    """Return when a token was issued and when it expires, in Unix seconds; None and 0 if it does not say."""
    try:
        claims = unverified_claims(id_token)
    except IdTokenError:
        return None, 0.0
    return _number(claims.get("iat")), _number(claims.get("exp")) or 0.0


def access_token_hash(access_token: str, algorithm: str) -> str:
    """Return the ``at_hash`` of an access token (OpenID Connect Core 3.1.3.6)."""
    # Ed25519 hashes with SHA-512 itself.
    make_hash = _HASHES.get(algorithm[-3:], hashlib.sha512)
    digest = make_hash(access_token.encode("utf-8")).digest()
    return b64url(digest[: len(digest) // 2])


def _decode(id_token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    id_token = Secret(id_token)
    parts = [Secret(part) for part in id_token.split(".")] if len(id_token) <= MAX_LENGTH else []
    if len(parts) != _PARTS_OF_A_SIGNED_TOKEN:
        raise IdTokenError(code="id_token_malformed")
    try:
        header, claims = (read_object(from_b64url(part).decode("utf-8")) for part in parts[:2])
    except ValueError:
        # The parser's own text can quote the token.
        raise IdTokenError(code="id_token_malformed") from None
    if header is None or claims is None or "crit" in header:
        raise IdTokenError(code="id_token_malformed")
    if repeats(header, ("alg", "kid")) or repeats(claims, _DECIDING):
        raise IdTokenError(code="id_token_malformed")
    return header, claims


def _keys_of(provider: Provider) -> PublishedKeys:
    from tokentoss.oauth.jwks import published_keys  # noqa: PLC0415 - as above

    return published_keys(provider.jwks_uri)


def _check_signature(id_token: str, keys: PublishedKeys, key_id: str | None, algorithm: str) -> bool:
    import jwt  # noqa: PLC0415 - a widget shows before it needs a signature checked

    from tokentoss.oauth.jwks import KeysUnreachableError  # noqa: PLC0415

    try:
        candidates = keys.candidates(key_id, algorithm)
    except KeysUnreachableError:
        return False
    for key in candidates:
        try:
            jwt.PyJWS().decode_complete(id_token, key.key, algorithms=[algorithm])
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        return True
    raise IdTokenError(code="id_token_signature_invalid")


def _check_audience(claims: dict[str, Any], client_id: str, trusted: tuple[str, ...]) -> None:
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not audiences:
        raise IdTokenError(code="id_token_audience_mismatch")
    # Section 3.1.3.7: the client must be among them, and nobody that it does not trust.
    strangers = [one for one in audiences if one != client_id and one not in trusted]
    if strangers or client_id not in audiences:
        met = _shown((strangers or audiences)[0])
        raise IdTokenError(code="id_token_audience_mismatch", subject=met)
    party = claims.get("azp")
    if ("azp" in claims and party != client_id) or (len(audiences) > 1 and party is None):
        raise IdTokenError(code="id_token_authorized_party_mismatch")


def _check_times(claims: dict[str, Any], *, check_expiry: bool) -> tuple[float, float]:
    now = time.time()
    expires_at, issued_at = _number(claims.get("exp")), _number(claims.get("iat"))
    if expires_at is None and not _is_past(claims.get("exp")):
        # A new sign-in would bring the same.
        raise IdTokenError(code="id_token_expiry_invalid")
    if expires_at is None:
        raise IdTokenError(code="id_token_expired")
    if issued_at is None or issued_at > expires_at:
        raise IdTokenError(code="id_token_issued_at_invalid")
    not_before = _number(claims["nbf"]) if "nbf" in claims else issued_at
    if not_before is None:
        raise IdTokenError(code="id_token_malformed")
    if max(issued_at, not_before) > now + LEEWAY:
        raise SignInError(code="clock_skew")
    if check_expiry and expires_at <= now - LEEWAY:
        raise IdTokenError(code="id_token_expired")
    return expires_at, issued_at


def _is_past(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value <= 0


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(value) if 0 < value <= _LATEST_TIME else None


def _shown(value: object) -> str | None:
    # Foreign text in a sentence: letters of an address or a name, nothing else.
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else None


def _shown_text(value: object) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT_LENGTH and value.isprintable():
        return value
    return None
