"""Providers whose ID tokens name one of many tenants as issuer, such as Entra ID's ``organizations``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tokentoss.util.urls import origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_TENANT = "{tenantid}"
_SHARED = ("common", "organizations")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_template(token_issuer: str, issuer: str) -> bool:
    """Tell whether this may be the issuer of ID tokens: of that origin, with one place for a tenant."""
    is_one = token_issuer.count(_TENANT) == 1 and token_issuer.count("{") == 1
    return is_one and origin_of(token_issuer.replace(_TENANT, "tenant")) == origin_of(issuer)


def template_of(metadata_issuer: object, issuer: str) -> str:
    """Return the issuer of ID tokens that metadata names for the tenants of an address; or ``""``.

    Args:
        metadata_issuer: What the metadata says.
        issuer: The issuer that was asked, such as ``https://login.microsoftonline.com/organizations/v2.0``.
    """
    if not isinstance(metadata_issuer, str) or not is_template(metadata_issuer, issuer):
        return ""
    shared = {metadata_issuer.replace(_TENANT, one) for one in _SHARED}
    return metadata_issuer if issuer in shared else ""


def is_issued_by(token_issuer: str, claims: Mapping[str, Any]) -> bool:
    """Tell whether an ID token names the tenant of its claim ``tid`` in its issuer."""
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or not _ID.fullmatch(tenant):
        return False
    return bool(claims.get("iss") == token_issuer.replace(_TENANT, tenant))


def are_tenants(tenants: tuple[str, ...]) -> bool:
    """Tell whether these are ids of tenants, in lower case."""
    return not isinstance(tenants, str) and all(_ID.fullmatch(one) for one in tenants)
