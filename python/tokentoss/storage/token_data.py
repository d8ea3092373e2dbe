"""The tokens of one sign-in."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from tokentoss.exceptions import IdTokenError
from tokentoss.oauth.id_token import unverified_claims
from tokentoss.util.secret_text import keeping_secret

LATEST = 253_402_300_799
"""The last second of the year 9999, beyond which no time is one."""

_OPTIONAL_TEXTS = (
    "user_email",
    "created_at",
    "issuer",
    "subject",
    "client_id",
    "token_endpoint",
    "login",
    "name",
    "connected_at",
    "updated_at",
    "session_ends_at",
)


@keeping_secret("access_token", "id_token", "refresh_token")
@dataclass(repr=False)
class TokenData:
    """Tokens with what is needed to use and to renew them.

    Args:
        access_token: The access token.
        id_token: The ID token, a JWT.
        refresh_token: The refresh token; empty if the provider gave none.
        expiry: When the access token expires, in ISO 8601.
        scopes: The scopes that were granted.
        user_email: The user's e-mail address, for display only.
        created_at: When the user signed in, in ISO 8601.
        issuer: The issuer of the ID token.
        subject: The user's identifier at the issuer; identity is (issuer, subject).
        client_id: The client that the tokens belong to.
        token_endpoint: Where they came from; the refresh token is sent nowhere else.
        signature_checked: Whether the ID token's signature was checked against the issuer's keys.
        login: The name the user signs in with at the provider, if it says.
        name: The user's name at the provider, if it says.
        connected_at: When this account first signed in here, in ISO 8601.
        updated_at: When its tokens last changed, in ISO 8601.
        session_ends_at: When the sign-in ends by its own terms, in ISO 8601; earlier versions did not say.
    """

    access_token: str
    id_token: str
    refresh_token: str
    expiry: str
    scopes: list[str]
    user_email: str | None = None
    created_at: str | None = None
    issuer: str | None = field(default=None, kw_only=True)
    subject: str | None = field(default=None, kw_only=True)
    client_id: str | None = field(default=None, kw_only=True)
    token_endpoint: str | None = field(default=None, kw_only=True)
    signature_checked: bool = field(default=True, kw_only=True)
    login: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    connected_at: str | None = field(default=None, kw_only=True)
    updated_at: str | None = field(default=None, kw_only=True)
    session_ends_at: str | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        refresh = "redacted" if self.refresh_token else "none"
        return (
            f"TokenData(user_email={self.user_email!r}, expiry={self.expiry!r}, scopes={self.scopes!r}, "
            f"access_token=redacted, id_token=redacted, refresh_token={refresh})"
        )

    def __reduce__(self) -> Any:
        raise TypeError("TokenData holds tokens and cannot be pickled: use FileStorage to keep it.")

    def __copy__(self) -> TokenData:
        return replace(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> TokenData:
        return replace(self, scopes=list(self.scopes))

    def to_dict(self) -> dict[str, Any]:
        """Return the members as a JSON-compatible dictionary. It holds the tokens."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TokenData:
        """Build from what :meth:`to_dict` returned, also that of version 0.1.1.

        Raises:
            KeyError: If a required member is missing.
            ValueError: If a member has the wrong type.
        """
        for name in ("access_token", "id_token", "refresh_token", "expiry"):
            if not isinstance(data[name], str):
                raise ValueError(f"{name} is not a string")  # noqa: TRY004 - one error for bad content
        scopes = data.get("scopes", [])
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise ValueError("scopes is not a list of strings")
        optional = {}
        for name in _OPTIONAL_TEXTS:
            value = data.get(name)
            if value is not None and not isinstance(value, str):
                raise ValueError(f"{name} is not a string")
            optional[name] = value
        tokens = cls(
            access_token=data["access_token"],
            id_token=data["id_token"],
            refresh_token=data["refresh_token"],
            expiry=data["expiry"],
            scopes=list(scopes),
            signature_checked=data.get("signature_checked", True) is True,
            **optional,
        )
        # Both are parsed once here, so that a wrong date is an error of the file and not of its use.
        _ = tokens.expiry_datetime, tokens.created_at_datetime
        for moment in (tokens.connected_at, tokens.updated_at, tokens.session_ends_at):
            _ = moment is None or utc_time(moment)
        return tokens

    @property
    def created_at_datetime(self) -> datetime | None:
        """When the user signed in."""
        return None if self.created_at is None else utc_time(self.created_at)

    @property
    def expiry_datetime(self) -> datetime:
        """When the access token expires."""
        return utc_time(self.expiry)

    @property
    def is_expired(self) -> bool:
        """Whether the access token has expired. The ID token has an expiry of its own."""
        return datetime.now(timezone.utc) >= self.expiry_datetime


def iso_time(seconds: float) -> str:
    """Return Unix seconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).isoformat()


def utc_time(text: str) -> datetime:
    """Read ISO 8601; a time without a zone is in UTC.

    Raises:
        ValueError: If it is no time.
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def grant_of(tokens: TokenData) -> tuple[str, str, str]:
    """Return issuer, subject and client of tokens, which tell one grant from another.

    Files of version 0.1.1 name none of them; there the ID token tells, as far as it can be read.
    """
    issuer, subject, client_id = tokens.issuer, tokens.subject, tokens.client_id
    if issuer is None or subject is None or client_id is None:
        try:
            claims = unverified_claims(tokens.id_token)
        except IdTokenError:
            claims = {}
        audience = claims.get("aud")
        if isinstance(audience, list):
            audience = audience[0] if audience else None
        issuer = issuer or claims.get("iss")
        subject = subject or claims.get("sub")
        client_id = client_id or audience
    return str(issuer or ""), str(subject or ""), str(client_id or "")


def same_tokens(one: TokenData, other: TokenData) -> bool:
    """Tell whether two records of an account hold the same tokens."""
    return (one.access_token, one.id_token, one.refresh_token) == (
        other.access_token,
        other.id_token,
        other.refresh_token,
    )
