"""Discovery: a provider's own metadata (OpenID Connect Discovery 1.0, RFC 8414), kept until it expires."""

from __future__ import annotations

import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from tokentoss.error_codes import printable
from tokentoss.exceptions import DiscoveryError
from tokentoss.oauth.catalogue import members_for_issuer
from tokentoss.oauth.constants import ACCEPTED_ALGORITHMS, DEFAULT_SCOPES, OFFLINE_ACCESS
from tokentoss.oauth.endpoints import require_same_side
from tokentoss.oauth.tenants import template_of
from tokentoss.util.failures import TransportError
from tokentoss.util.forks import anew_in_child
from tokentoss.util.http import call
from tokentoss.util.json_object import REPEATED
from tokentoss.util.urls import is_secure, require_secure_endpoint, split_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.util.http import Answer

Made = TypeVar("Made")
"""The provider, whose class this module does not know."""

MAX_SIZE = 262_144
"""Largest metadata document that is read, in bytes."""

DEFAULT_LIFETIME = 3600.0
"""Seconds that metadata is kept if the provider does not say."""

LONGEST_LIFETIME = 86_400.0
"""Seconds that metadata is kept at most."""

_OPENID_PATH = "/.well-known/openid-configuration"
_OAUTH_PATH = "/.well-known/oauth-authorization-server"
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,;])", re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|[\s,])no-(?:store|cache)(?:$|[\s,;=])", re.IGNORECASE)
_USERINFO_MEMBERS = {"subject": "sub", "login": "preferred_username", "name": "name", "email": "email"}

_Place = tuple[str, str | None]
"""An issuer, and where its metadata is if not at the well-known address."""

_kept: dict[_Place, tuple[float, dict[str, Any]]] = {}
_kept_lock = threading.Lock()
anew_in_child(sys.modules[__name__], _kept_lock=threading.Lock)


def discovered(
    make: Callable[..., Made], issuer: str, name: str | None, metadata_url: str | None = None, *, fresh: bool
) -> Made:
    """Return a provider made from its metadata; see :meth:`Provider.discover`.

    Args:
        make: Makes the provider: the class.
        issuer: The issuer identifier.
        name: How the sign-in button names it.
        metadata_url: Where the metadata is, if not at the issuer's well-known address.
        fresh: Whether to fetch the metadata although it is still kept.
    """
    require_secure_endpoint(issuer, "issuer")
    if metadata_url is not None:
        require_secure_endpoint(metadata_url, "metadata_url")
        require_same_side(issuer, metadata_url)
    place = issuer, metadata_url
    metadata = None if fresh else _from_memory(place)
    provider: Made | None = None
    if metadata is None:
        metadata, answer = _fetched(issuer, metadata_url)
        # Only what a sign-in can use is worth keeping.
        provider = _from_metadata(make, issuer, name, metadata)
        _keep(place, metadata, answer)
    return provider or _from_metadata(make, issuer, name, metadata)


def _from_memory(place: _Place) -> dict[str, Any] | None:
    with _kept_lock:
        expires_at, metadata = _kept.get(place, (0.0, {}))
    return metadata if time.monotonic() < expires_at else None


def _keep(place: _Place, metadata: dict[str, Any], answer: Answer) -> None:
    lifetime = _lifetime(answer.headers.get("Cache-Control", ""))
    with _kept_lock:
        _kept.pop(place, None)
        if lifetime > 0:
            _kept[place] = (time.monotonic() + lifetime, metadata)


def _lifetime(cache_control: str) -> float:
    """Return the seconds that an answer may be kept (RFC 9111 section 5.2.2)."""
    if _NOT_KEPT.search(cache_control):
        return 0.0
    match = _MAX_AGE.search(cache_control)
    return min(float(match[1]), LONGEST_LIFETIME) if match else DEFAULT_LIFETIME


def _fetched(issuer: str, metadata_url: str | None) -> tuple[dict[str, Any], Answer]:
    """Return an issuer's metadata: where it was said to be, else where OpenID Connect has it, then OAuth."""
    url = metadata_url or issuer.rstrip("/") + _OPENID_PATH
    answer = _answer(url)
    if metadata_url is None and 400 <= answer.status < 500:  # noqa: PLR2004
        other = _answer(_oauth_address(issuer))
        answer = other if other.status == 200 else answer  # noqa: PLR2004
    metadata = answer.json_object() if answer.status == 200 else None  # noqa: PLR2004
    if metadata is None or REPEATED in metadata.values():
        code = "discovery_unreachable" if answer.status >= 500 else "discovery_invalid"  # noqa: PLR2004
        raise DiscoveryError(code=code, subject=f"{url} (HTTP {answer.status})")
    _check_issuer(issuer, metadata)
    return metadata, answer


def _answer(url: str) -> Answer:
    try:
        return call("GET", url, max_bytes=MAX_SIZE)
    except TransportError as failure:
        code, subject = failure.named("discovery_unreachable", "discovery_invalid", url)
        raise DiscoveryError(code=code, subject=subject) from None


def _oauth_address(issuer: str) -> str:
    """Return the address with the well-known part before the issuer's path (RFC 8414 section 3.1)."""
    parts = split_url(issuer)
    path = parts.path.rstrip("/") if parts else ""
    origin = f"{parts.scheme}://{parts.netloc}" if parts else issuer
    return f"{origin}{_OAUTH_PATH}{path}"


def _check_issuer(issuer: str, metadata: dict[str, Any]) -> None:
    other = metadata.get("issuer")
    if other != issuer and not template_of(other, issuer):
        subject = other if isinstance(other, str) and split_url(other) else None
        raise DiscoveryError(code="discovery_issuer_mismatch", subject=subject)


def _from_metadata(
    make: Callable[..., Made], issuer: str, name: str | None, metadata: dict[str, Any]
) -> Made:
    advertised = _strings(metadata, "id_token_signing_alg_values_supported")
    supported = _strings(metadata, "scopes_supported")
    # RFC 8414 metadata may be of a server without OpenID Connect: nothing there speaks of ID tokens.
    openid_connect = "jwks_uri" in metadata or bool(advertised) or "openid" in supported
    required = ["authorization_endpoint", "token_endpoint"]
    required.append("jwks_uri" if openid_connect else "userinfo_endpoint")
    endpoints: dict[str, Any] = {member: _endpoint(metadata, member, issuer) for member in required}
    for member in ("userinfo_endpoint", "revocation_endpoint", "device_authorization_endpoint"):
        if metadata.get(member) is not None:
            endpoints[member] = _endpoint(metadata, member, issuer)
    require_same_side(issuer, *endpoints.values())
    identity: dict[str, Any] = {}
    if not openid_connect:
        identity = {
            "identity_endpoint": endpoints["userinfo_endpoint"],
            "identity_members": dict(_USERINFO_MEMBERS),
        }
    scopes = _scopes(supported) if openid_connect else []
    known = members_for_issuer(issuer)
    parts = split_url(issuer)
    return make(
        name=name or (parts.hostname if parts and parts.hostname else issuer),
        issuer=issuer,
        scopes=tuple(scopes),
        offline_access_needs_consent=known.get("offline_access_needs_consent", True),
        trusted_audiences=tuple(known.get("trusted_audiences", ())),
        token_issuer=template_of(metadata.get("issuer"), issuer),
        rotation=known.get("rotation"),
        account_choice_params=known.get("account_choice_params", _account_choice(metadata)),
        id_token_signing_algs=_algorithms(issuer, advertised),
        iss_parameter_supported=metadata.get("authorization_response_iss_parameter_supported") is True,
        openid_connect=openid_connect,
        token_endpoint_auth_method=_auth_method(metadata),
        **endpoints,
        **identity,
    )


def _endpoint(metadata: dict[str, Any], member: str, issuer: str) -> str:
    url = metadata.get(member)
    if not isinstance(url, str) or not is_secure(url) or "#" in url:
        raise DiscoveryError(code="discovery_invalid", subject=f"{issuer} ({member})")
    return url


def _algorithms(issuer: str, advertised: list[str]) -> tuple[str, ...]:
    algorithms = tuple(name for name in advertised or ["RS256"] if name in ACCEPTED_ALGORITHMS)
    if not algorithms:
        named = ", ".join(printable(name, 16) for name in advertised[:4])
        # Such as authentik without a signing key, which signs with the client secret.
        raise DiscoveryError(
            code="discovery_algorithms_refused",
            subject=f"{issuer} signs ID tokens with {named}",
        )
    return algorithms


def _auth_method(metadata: dict[str, Any]) -> str:
    """Return how a client with a secret shows it; the body needs no preflight from a browser."""
    methods = _strings(metadata, "token_endpoint_auth_methods_supported")
    # Without the member, it is client_secret_basic (RFC 8414 section 2); the body is taken nearly everywhere.
    basic_only = "client_secret_basic" in methods and "client_secret_post" not in methods
    return "client_secret_basic" if basic_only else "client_secret_post"


def _account_choice(metadata: dict[str, Any]) -> dict[str, str]:
    """Return what makes it ask for the account; who offers no choice is asked for a new sign-in."""
    prompts = _strings(metadata, "prompt_values_supported")
    asks_anew = "login" in prompts and "select_account" not in prompts
    return {"prompt": "login" if asks_anew else "select_account"}


def _scopes(supported: list[str]) -> list[str]:
    scopes = [scope for scope in DEFAULT_SCOPES if scope == "openid" or not supported or scope in supported]
    # A refresh token must be asked for (OpenID Connect Core section 11).
    return [*scopes, OFFLINE_ACCESS] if OFFLINE_ACCESS in supported else scopes


def _strings(metadata: dict[str, Any], member: str) -> list[str]:
    value = metadata.get(member)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
