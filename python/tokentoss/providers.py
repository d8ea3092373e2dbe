"""OpenID providers as data, and discovery of their metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tokentoss.client_authentication import AUTH_METHODS
from tokentoss.exceptions import ConfigurationError, DiscoveryError
from tokentoss.origins import is_secure, require_secure_endpoint, split_url

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_SCOPES = ["openid", "email", "profile"]
"""Scopes asked for by default: an ID token, and the user's e-mail address and name."""

PROTECTED_PARAMETERS = frozenset(
    {
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    }
)
"""Parameters of the authorization request that belong to the sign-in itself."""

ACCEPTED_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signature algorithms with a public key; ``none`` and HMAC never sign an ID token here."""

_REQUIRED_ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
_OPTIONAL_ENDPOINTS = ("revocation_endpoint", "userinfo_endpoint")

METADATA_LIMIT = 262_144
"""Largest metadata document that is read, in bytes."""


@dataclass(frozen=True)
class Provider:
    """What a sign-in needs to know about an OpenID provider.

    Args:
        name: How the sign-in button names it.
        issuer: Its issuer identifier, compared to the letter.
        authorization_endpoint: Where the popup goes.
        token_endpoint: Where codes and refresh tokens are redeemed.
        jwks_uri: Where it publishes the keys that sign ID tokens.
        scopes: Scopes asked for unless the widget is given others.
        authorization_params: Parameters added to every authorization request.
        consent_params: Parameters added while no refresh token is stored.
        redirect_path: Path of the loopback redirect URI.
        id_token_signing_algs: Algorithms accepted on its ID tokens.
        iss_parameter_supported: Whether its authorization responses name the issuer (RFC 9207).
        style: Look of the button, ``google`` or ``generic``.
        revocation_endpoint: Where it revokes tokens (RFC 7009), if it does.
        token_endpoint_auth_method: How a client with a secret shows it at the token endpoint:
            ``client_secret_post``, ``client_secret_basic``, or ``none`` for not at all.
        userinfo_endpoint: Where it answers with claims about the user (OpenID Connect Core 5.3).

    Raises:
        ConfigurationError: If an endpoint is not https (or http on loopback), a parameter is one
            that the sign-in sets itself, ``openid`` is missing, or an algorithm is not accepted.
    """

    name: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    scopes: tuple[str, ...] = tuple(DEFAULT_SCOPES)
    authorization_params: Mapping[str, str] = field(default_factory=dict)
    consent_params: Mapping[str, str] = field(default_factory=dict)
    redirect_path: str = "/"
    id_token_signing_algs: tuple[str, ...] = ("RS256",)
    iss_parameter_supported: bool = False
    style: str = "generic"
    revocation_endpoint: str | None = None
    token_endpoint_auth_method: str = "client_secret_post"
    userinfo_endpoint: str | None = None

    def __post_init__(self) -> None:
        for name in (*_REQUIRED_ENDPOINTS, *_OPTIONAL_ENDPOINTS):
            if name in _REQUIRED_ENDPOINTS or getattr(self, name) is not None:
                require_secure_endpoint(getattr(self, name), name, f"provider {self.name}")
        if self.token_endpoint_auth_method not in AUTH_METHODS:
            known = ", ".join(sorted(AUTH_METHODS))
            raise ConfigurationError(f"The token_endpoint_auth_method of {self.name} must be one of {known}.")
        for parameter in (*self.authorization_params, *self.consent_params):
            if parameter in PROTECTED_PARAMETERS:
                raise ConfigurationError(code="parameter_protected", subject=parameter)
        require_openid(self.scopes)
        refused = set(self.id_token_signing_algs) - ACCEPTED_ALGORITHMS
        if refused or not self.id_token_signing_algs:
            raise ConfigurationError(code="id_token_algorithm_refused", subject=", ".join(sorted(refused)))
        if not self.redirect_path.startswith("/") or "?" in self.redirect_path or "#" in self.redirect_path:
            raise ConfigurationError(f"The redirect path {self.redirect_path!r} must be a path such as '/'.")

    @classmethod
    def discover(cls, issuer: str, *, name: str | None = None) -> Provider:
        """Read a provider's metadata (OpenID Connect Discovery 1.0).

        Args:
            issuer: The issuer identifier, exactly as the provider writes it.
            name: How the sign-in button names it; by default the host of the issuer.

        Raises:
            ConfigurationError: ``endpoint_insecure`` if the issuer is not https (or http on loopback).
            DiscoveryError: If the metadata cannot be fetched, is of another issuer, or lacks what a
                sign-in needs.
        """
        from tokentoss.transport import TransportError, call  # noqa: PLC0415 - costs requests

        require_secure_endpoint(issuer, "issuer")
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            answer = call("GET", url, max_bytes=METADATA_LIMIT)
        except TransportError as failure:
            code = "discovery_invalid" if failure.reason == "too_large" else "discovery_unreachable"
            raise DiscoveryError(code=code, subject=url) from None
        metadata = answer.json_object() if answer.status == 200 else None  # noqa: PLR2004
        if metadata is None:
            code = "discovery_unreachable" if answer.status >= 500 else "discovery_invalid"  # noqa: PLR2004
            raise DiscoveryError(code=code, subject=f"{url} (HTTP {answer.status})")
        return _from_metadata(cls, issuer, name, metadata)


def require_openid(scopes: tuple[str, ...] | list[str]) -> None:
    """Check that an ID token is asked for.

    Raises:
        ConfigurationError: ``scope_openid_missing``.
    """
    if "openid" not in scopes:
        raise ConfigurationError(code="scope_openid_missing")


def _from_metadata(cls: type[Provider], issuer: str, name: str | None, metadata: dict[str, Any]) -> Provider:
    if metadata.get("issuer") != issuer:
        other = metadata.get("issuer")
        subject = other if isinstance(other, str) and split_url(other) else None
        raise DiscoveryError(code="discovery_issuer_mismatch", subject=subject)
    endpoints: dict[str, str] = {}
    for member in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        url = metadata.get(member)
        if not isinstance(url, str) or not is_secure(url):
            raise DiscoveryError(code="discovery_invalid", subject=f"{issuer} ({member})")
        endpoints[member] = url
    for member in _OPTIONAL_ENDPOINTS:
        url = metadata.get(member)
        if url is not None and not is_secure(url):
            raise DiscoveryError(code="discovery_invalid", subject=f"{issuer} ({member})")
    advertised = _strings(metadata, "id_token_signing_alg_values_supported") or ["RS256"]
    algorithms = tuple(name for name in advertised if name in ACCEPTED_ALGORITHMS)
    if not algorithms:
        raise DiscoveryError(
            code="discovery_invalid", subject=f"{issuer} (id_token_signing_alg_values_supported)"
        )
    supported = _strings(metadata, "scopes_supported")
    scopes = [scope for scope in DEFAULT_SCOPES if scope == "openid" or not supported or scope in supported]
    consent: dict[str, str] = {}
    if "offline_access" in supported:
        # A refresh token must be asked for, with consent (OpenID Connect Core section 11).
        scopes.append("offline_access")
        consent["prompt"] = "consent"
    parts = split_url(issuer)
    return cls(
        name=name or (parts.hostname if parts and parts.hostname else issuer),
        issuer=issuer,
        scopes=tuple(scopes),
        consent_params=consent,
        id_token_signing_algs=algorithms,
        iss_parameter_supported=metadata.get("authorization_response_iss_parameter_supported") is True,
        authorization_endpoint=endpoints["authorization_endpoint"],
        token_endpoint=endpoints["token_endpoint"],
        jwks_uri=endpoints["jwks_uri"],
        revocation_endpoint=metadata.get("revocation_endpoint"),
        token_endpoint_auth_method=_auth_method(metadata),
        userinfo_endpoint=metadata.get("userinfo_endpoint"),
    )


def _auth_method(metadata: dict[str, Any]) -> str:
    """Return how a client with a secret shows it; the body needs no preflight from a browser."""
    methods = _strings(metadata, "token_endpoint_auth_methods_supported")
    # Without the member, it is client_secret_basic (RFC 8414 section 2); the body is taken nearly everywhere.
    basic_only = "client_secret_basic" in methods and "client_secret_post" not in methods
    return "client_secret_basic" if basic_only else "client_secret_post"


def _strings(metadata: dict[str, Any], member: str) -> list[str]:
    value = metadata.get(member)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


GOOGLE = Provider(
    name="Google",
    issuer="https://accounts.google.com",
    authorization_endpoint="https://accounts.google.com/o/oauth2/v2/auth",
    token_endpoint="https://oauth2.googleapis.com/token",
    jwks_uri="https://www.googleapis.com/oauth2/v3/certs",
    authorization_params={"access_type": "offline"},
    consent_params={"prompt": "consent"},
    redirect_path="/",
    style="google",
    revocation_endpoint="https://oauth2.googleapis.com/revoke",
    userinfo_endpoint="https://openidconnect.googleapis.com/v1/userinfo",
)
"""Google accounts, with a client of type Desktop."""
