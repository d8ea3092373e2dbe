"""Providers as data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from tokentoss.exceptions import ConfigurationError
from tokentoss.oauth.catalogue import members_of, name_of
from tokentoss.oauth.client_authentication import AUTH_METHODS
from tokentoss.oauth.constants import (
    ACCEPTED_ALGORITHMS,
    BRANDING_MEMBERS,
    DEFAULT_SCOPES,
    IDENTITY_MEMBERS,
    OFFLINE_ACCESS,
    PROTECTED_PARAMETERS,
    ROTATIONS,
)
from tokentoss.oauth.endpoints import require_same_side
from tokentoss.oauth.tenants import are_tenants, is_issued_by, is_template
from tokentoss.util.urls import require_secure_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_REQUIRED_ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint")
_OPTIONAL_ENDPOINTS = (
    "userinfo_endpoint",
    "identity_endpoint",
    "revocation_endpoint",
    "device_authorization_endpoint",
)


@dataclass(frozen=True)
class Provider:
    """What a sign-in needs to know about a provider of OpenID Connect, or of OAuth 2.0 alone.

    Args:
        name: How the sign-in button names it.
        issuer: Its issuer identifier, compared to the letter. For a provider without OpenID Connect, an
            address of its own that stands for it in account keys.
        authorization_endpoint: Where the popup goes.
        token_endpoint: Where codes and refresh tokens are redeemed.
        jwks_uri: Where it publishes the keys that sign ID tokens; empty without OpenID Connect.
        scopes: Scopes asked for unless the widget is given others.
        authorization_params: Parameters added to every authorization request.
        consent_params: Parameters added while no refresh token is stored, or scopes are missing.
        redirect_path: Path of the loopback redirect URI.
        id_token_signing_algs: Algorithms accepted on its ID tokens.
        iss_parameter_supported: Whether its authorization responses name the issuer (RFC 9207).
        style: Look of the button, ``google`` or ``generic``.
        revocation_endpoint: Where it revokes tokens (RFC 7009), if it does.
        openid_connect: Whether it gives ID tokens. Without them, ``identity_endpoint`` says who the
            user is.
        token_endpoint_auth_method: How a client with a secret shows it at the token endpoint:
            ``client_secret_post``, ``client_secret_basic``, or ``none`` for not at all.
        token_endpoint_cors: Whether the token endpoint answers browsers (CORS); None if not known.
        rotation: ``one-use`` if a refresh token ends when it is used, ``none`` if it stays; None if
            not known. It decides what a lost answer to a refresh means.
        userinfo_endpoint: Where it answers with claims about the user (OpenID Connect Core 5.3).
        identity_endpoint: Where an access token is answered with who the user is.
        identity_members: Names there of ``subject``, ``login``, ``name`` and ``email``.
        device_authorization_endpoint: Where a sign-in on another device begins (RFC 8628).
        incremental_params: Parameters added when more scopes are asked for of somebody signed in.
        account_choice_params: Parameters that make it ask which account to use, where its own session would
            answer; none if it knows of no such thing.
        scope_aliases: Names under which scopes are granted, where they are not the names asked for.
        scope_separator: What stands between granted scopes in its answers.
        access_token_lifetime: Seconds that an access token lives if the answer does not say.
        offline_access_needs_consent: Whether the scope ``offline_access`` brings a refresh token only with
            ``prompt=consent`` (OpenID Connect Core section 11); Entra ID would then ask an administrator.
        trusted_audiences: Audiences of its ID tokens that may stand beside the client, such as the project
            ID that ZITADEL adds (OpenID Connect Core section 3.1.3.7).
        token_issuer: The issuer of its ID tokens with ``{tenantid}`` for their claim ``tid``, where it signs
            in the accounts of many tenants, such as Entra ID's ``organizations``.
        allowed_tenants: The tenants whose accounts may sign in then; all, if there are none.
        branding: Colours of the button (``background``, ``foreground``, ``border``, as ``#rrggbb``) and
            an ``icon`` (a ``data:image/`` address).

    Raises:
        ConfigurationError: If an endpoint is not https (or http on loopback), is on loopback while the
            issuer is not, a parameter is one
            that the sign-in sets itself, ``openid`` or the identity endpoint is missing, or a value
            is not one of those above.
    """

    name: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str = ""
    scopes: tuple[str, ...] = tuple(DEFAULT_SCOPES)
    authorization_params: Mapping[str, str] = field(default_factory=dict)
    consent_params: Mapping[str, str] = field(default_factory=dict)
    redirect_path: str = "/"
    id_token_signing_algs: tuple[str, ...] = ("RS256",)
    iss_parameter_supported: bool = False
    style: str = "generic"
    revocation_endpoint: str | None = None
    openid_connect: bool = True
    token_endpoint_auth_method: str = "client_secret_post"
    token_endpoint_cors: bool | None = None
    rotation: str | None = None
    userinfo_endpoint: str | None = None
    identity_endpoint: str | None = None
    identity_members: Mapping[str, str] = field(default_factory=lambda: dict(IDENTITY_MEMBERS))
    device_authorization_endpoint: str | None = None
    incremental_params: Mapping[str, str] = field(default_factory=dict)
    account_choice_params: Mapping[str, str] = field(default_factory=lambda: {"prompt": "select_account"})
    scope_aliases: Mapping[str, str] = field(default_factory=dict)
    scope_separator: str = " "
    access_token_lifetime: float | None = None
    offline_access_needs_consent: bool = True
    trusted_audiences: tuple[str, ...] = ()
    token_issuer: str = ""
    allowed_tenants: tuple[str, ...] = ()
    branding: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        endpoints = [*_REQUIRED_ENDPOINTS, *(["jwks_uri"] if self.openid_connect else [])]
        endpoints += [name for name in _OPTIONAL_ENDPOINTS if getattr(self, name) is not None]
        for name in endpoints:
            require_secure_endpoint(getattr(self, name), name, f"provider {self.name}")
        if self.openid_connect:
            # Elsewhere the issuer is a name for account keys, and metadata is checked where it is read.
            require_same_side(self.issuer, *(getattr(self, name) for name in endpoints))
        added = (self.authorization_params, self.consent_params, self.incremental_params)
        for parameter in chain(*added, self.account_choice_params):
            if parameter in PROTECTED_PARAMETERS:
                raise ConfigurationError(code="parameter_protected", subject=parameter)
        self.require_scopes(self.scopes)
        if not self.openid_connect and self.identity_endpoint is None:
            raise ConfigurationError(code="provider_identity_missing", subject=self.name)
        refused = set(self.id_token_signing_algs) - ACCEPTED_ALGORITHMS
        if refused or not self.id_token_signing_algs:
            raise ConfigurationError(code="id_token_algorithm_refused", subject=", ".join(sorted(refused)))
        if not self.redirect_path.startswith("/") or "?" in self.redirect_path or "#" in self.redirect_path:
            value = f"redirect_path of {self.name} ({self.redirect_path!r})"
            raise ConfigurationError(code="provider_value_invalid", subject=value)
        self._check_values()

    def __hash__(self) -> int:
        # Equal providers have equal issuers; members such as the branding cannot be hashed.
        return hash((self.issuer, self.authorization_endpoint, self.token_endpoint))

    @classmethod
    def named(cls, name: str, /, **parameters: str) -> Provider:
        """Return a provider that comes with the package.

        Args:
            name: One of :func:`tokentoss.oauth.catalogue.names`, such as ``google``, ``box`` or ``keycloak``.
            **parameters: What its addresses depend on, such as ``tenant`` or ``domain``.

        Raises:
            ConfigurationError: ``provider_unknown`` or ``provider_parameter_invalid``.
        """
        members = members_of(name, parameters)
        for member in ("scopes", "id_token_signing_algs", "trusted_audiences"):
            if member in members:
                members[member] = tuple(members[member])
        return cls(**members)

    @classmethod
    def discover(
        cls,
        issuer: str,
        *,
        name: str | None = None,
        metadata_url: str | None = None,
        fresh: bool = False,
    ) -> Provider:
        """Read a provider's metadata (OpenID Connect Discovery 1.0, RFC 8414).

        The metadata is kept in this process for as long as its ``Cache-Control`` says.

        Args:
            issuer: The issuer identifier, exactly as the provider writes it.
            name: How the sign-in button names it; by default the host of the issuer.
            metadata_url: Where the metadata is, if not at the issuer's well-known address; it must name the
                issuer all the same.
            fresh: Whether to fetch the metadata although it is still kept.

        Raises:
            ConfigurationError: ``endpoint_insecure`` if an address is not https (or http on loopback).
            DiscoveryError: If the metadata cannot be fetched, is of another issuer, or lacks what a
                sign-in needs.
        """
        from tokentoss.oauth.discovery import discovered  # noqa: PLC0415 - costs requests

        return discovered(cls, issuer, name, metadata_url, fresh=fresh)

    @classmethod
    def of(cls, issuer: str) -> Provider:
        """Return the provider with this issuer: one that comes with the package, or else a discovered one.

        Raises:
            ConfigurationError, DiscoveryError: As :meth:`discover`.
        """
        name = name_of("issuer", issuer)
        return cls.discover(issuer) if name is None else cls.named(name)

    def has_issued(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether an ID token names this provider, or one of its tenants, as its issuer."""
        if self.token_issuer:
            return is_issued_by(self.token_issuer, claims)
        return bool(claims.get("iss") == self.issuer)

    def allows_tenant(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the tenant of an ID token may sign in."""
        return not self.allowed_tenants or claims.get("tid") in self.allowed_tenants

    def is_same_as(self, other: Provider) -> bool:
        """Tell whether tokens of the other provider are this one's, however the two are called and shown."""
        return (self.issuer, self.token_endpoint) == (other.issuer, other.token_endpoint)

    def require_scopes(self, scopes: tuple[str, ...] | list[str]) -> None:
        """Check scopes to ask this provider for: an ID token comes with ``openid`` only.

        Raises:
            ConfigurationError: ``scope_openid_missing``.
        """
        if self.openid_connect:
            require_openid(scopes)

    def consent_for(self, scopes: list[str]) -> dict[str, str]:
        """Return the parameters without which these scopes bring no refresh token.

        Args:
            scopes: What is asked for.
        """
        asks = self.openid_connect and OFFLINE_ACCESS in scopes and self.offline_access_needs_consent
        return {**({"prompt": "consent"} if asks else {}), **self.consent_params}

    def asking_for_account(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return parameters of an authorization request that has the user choose an account.

        Args:
            parameters: Those of a request that goes on with the account of the provider's own session.
        """
        chosen = self.account_choice_params
        prompts = f"{chosen.get('prompt', '')} {parameters.get('prompt', '')}".split()
        # Nothing may be asked for beside "none" (OpenID Connect Core section 3.1.2.1).
        prompt = " ".join(dict.fromkeys(one for one in prompts if one != "none"))
        return {**parameters, **chosen, **({"prompt": prompt} if prompt else {})}

    def _check_values(self) -> None:
        unknown = [
            (self.token_endpoint_auth_method in AUTH_METHODS, "token_endpoint_auth_method"),
            (self.rotation in ROTATIONS, "rotation"),
            (set(self.identity_members) <= set(IDENTITY_MEMBERS), "identity_members"),
            ("subject" in self.identity_members, "identity_members"),
            (self.scope_separator in {" ", ","}, "scope_separator"),
            (not isinstance(self.trusted_audiences, str), "trusted_audiences"),
            (not self.token_issuer or is_template(self.token_issuer, self.issuer), "token_issuer"),
            (are_tenants(self.allowed_tenants), "allowed_tenants"),
            (bool(self.token_issuer) or not self.allowed_tenants, "allowed_tenants"),
            (self.access_token_lifetime is None or self.access_token_lifetime > 0, "access_token_lifetime"),
            (all(_is_branding(*item) for item in self.branding.items()), "branding"),
        ]
        for is_good, member in unknown:
            if not is_good:
                value = getattr(self, member)
                raise ConfigurationError(
                    code="provider_value_invalid", subject=f"{member} of {self.name} ({value!r})"
                )


def require_openid(scopes: tuple[str, ...] | list[str]) -> None:
    """Check that an ID token is asked for.

    Raises:
        ConfigurationError: ``scope_openid_missing``.
    """
    if "openid" not in scopes:
        raise ConfigurationError(code="scope_openid_missing")


def _is_branding(member: str, value: str) -> bool:
    if member == "icon":
        # Nothing that the page would have to fetch.
        return value.startswith("data:image/")
    return member in BRANDING_MEMBERS and _COLOUR.fullmatch(value) is not None


GOOGLE = Provider.named("google")
"""Google accounts, with a client of type Desktop."""

BOX = Provider.named("box")
"""Box accounts. Box has no OpenID Connect: its identity endpoint says who the user is."""
