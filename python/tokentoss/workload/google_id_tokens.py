"""Which of google-auth's credentials give the ID token, by the kind of file or by what the machine offers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import google.auth
from google.auth import aws, identity_pool, impersonated_credentials, pluggable
from google.oauth2 import credentials as user_credentials
from google.oauth2 import id_token, service_account

from tokentoss.exceptions import ConfigurationError, StorageError
from tokentoss.util.folders import expanded
from tokentoss.util.urls import require_secure_endpoint
from tokentoss.workload.credentials_file import invalid, read_credentials, text_of

if TYPE_CHECKING:
    from tokentoss.workload.google_request import GoogleRequest

IAM_SCOPE = "https://www.googleapis.com/auth/iam"
"""What impersonating a service account needs."""

_AWS_TOKEN = "urn:ietf:params:aws:token-type:aws4_request"
_TARGET = re.compile(r"/serviceAccounts/([^/:@]+@[^/:@]+):generateAccessToken$")


def of_file(path: str, name: str, audience: str, impersonate: str | None) -> Any:
    """Return google-auth's credentials that give the ID tokens of a file.

    Args:
        path: A service account key, or a configuration of federation or impersonation.
        name: How messages call it.
        audience: Whom the ID tokens are for.
        impersonate: The service account to impersonate; None for the file's own.

    Raises:
        ConfigurationError: If the file cannot be read or used; the code says why.
    """
    try:
        place = expanded(path)
    except StorageError as failure:
        raise ConfigurationError(str(failure), code=failure.code) from None
    info = read_credentials(place, name)
    kind = info.get("type")
    if kind == "service_account" and impersonate is None:
        _require_key(info, name)
        return service_account.IDTokenCredentials.from_service_account_info(info, target_audience=audience)  # type: ignore[no-untyped-call]
    delegates = None
    if kind in {"external_account", "impersonated_service_account"}:
        named = _TARGET.search(str(info.get("service_account_impersonation_url") or ""))
        impersonate = impersonate or (named[1] if named else None)
        delegates = info.get("delegates") if named and impersonate == named[1] else None
    if kind == "impersonated_service_account":
        info = info.get("source_credentials") or {}
        if not isinstance(info, dict):
            raise invalid(name, "its source_credentials are not an object")
    source = _source(info, name, impersonate)
    if impersonate is None:
        raise ConfigurationError(code="credentials_target_missing", subject=name)
    return _impersonated(source, impersonate, audience, delegates)


def of_machine(audience: str, impersonate: str | None, request: GoogleRequest) -> Any:
    """Return google-auth's credentials that give the ID tokens of what this machine offers.

    Args:
        audience: Whom the ID tokens are for.
        impersonate: The service account to impersonate; None for the machine's own.
        request: google-auth's way to the network.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: If there are none.
    """
    if impersonate is None:
        return id_token.fetch_id_token_credentials(audience, request=request)  # type: ignore[no-untyped-call]
    source, _project = google.auth.default(scopes=[IAM_SCOPE], request=request)  # type: ignore[arg-type]
    return _impersonated(source, impersonate, audience, None)


def _source(info: dict[str, Any], name: str, impersonate: str | None) -> Any:
    """Return the credentials that may impersonate a service account."""
    kind = info.get("type")
    if kind == "service_account":
        _require_key(info, name)
        return service_account.Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]
    if kind == "external_account":
        return _federated(info, name)
    if kind == "authorized_user":
        if impersonate is None:
            raise ConfigurationError(code="credentials_of_user", subject=name)
        return user_credentials.Credentials.from_authorized_user_info(info)  # type: ignore[no-untyped-call]
    shown = f"{name} (its type is {kind!r})" if isinstance(kind, str) else f"{name} (it has no type)"
    raise ConfigurationError(code="credentials_type_unsupported", subject=shown)


def _federated(info: dict[str, Any], name: str) -> Any:
    require_secure_endpoint(text_of(info, "token_url", name), "token_url", name)
    text_of(info, "audience", name)
    source = info.get("credential_source")
    if not isinstance(source, dict):
        raise invalid(name, "its credential_source is missing or not an object")
    if "certificate" in source:
        subject = f"{name} (federation by an X.509 certificate)"
        raise ConfigurationError(code="credentials_type_unsupported", subject=subject)
    # Without this member they are what the pool knows, which is all that asking for an ID token takes.
    own = {member: value for member, value in info.items() if member != "service_account_impersonation_url"}
    if info.get("subject_token_type") == _AWS_TOKEN:
        return aws.Credentials.from_info(own)  # type: ignore[no-untyped-call]
    if "executable" in source:
        return pluggable.Credentials.from_info(own)  # type: ignore[no-untyped-call]
    return identity_pool.Credentials.from_info(own)  # type: ignore[no-untyped-call]


def _impersonated(source: Any, target: str, audience: str, delegates: Any) -> Any:
    made = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source, target_principal=target, target_scopes=[IAM_SCOPE], delegates=delegates
    )
    return impersonated_credentials.IDTokenCredentials(  # type: ignore[no-untyped-call]
        made, target_audience=audience, include_email=True
    )


def _require_key(info: dict[str, Any], name: str) -> None:
    for member in ("private_key", "client_email"):
        text_of(info, member, name)
    # The key signs what is sent there.
    require_secure_endpoint(text_of(info, "token_uri", name), "token_uri", name)
