"""The problems of the interface, each with its status and what helps."""

from __future__ import annotations

import secrets
from typing import Any

from tokentoss import error_codes

_PAGE = "https://github.com/NicholasGrundl/tokentoss/tree/main/docs/troubleshooting.md"
_STATUSES: dict[int, tuple[str, ...]] = {
    400: ("invalid_request", "min_ttl_unreachable", "request_incomplete", "state_mismatch"),
    401: ("caller_unauthenticated",),
    403: (
        "caller_forbidden",
        "scope_forbidden",
        "audience_forbidden",
        "target_forbidden",
        "confirmation_wrong",
        "origin_forbidden",
    ),
    404: ("not_connected", "authorization_unknown", "route_unknown"),
    405: ("method_not_allowed",),
    409: (
        "reauth_required",
        "scope_missing",
        "account_ambiguous",
        "id_token_missing",
        "way_unavailable",
    ),
    410: ("authorization_expired",),
    413: ("request_too_large",),
    429: ("rate_limited",),
    500: ("client_misconfigured", "key_unavailable"),
    502: ("provider_misbehaved", "target_misbehaved"),
    503: (
        "provider_unavailable",
        "refresh_busy",
        "storage_unavailable",
        "target_unavailable",
        "hub_unavailable",
        "cluster_unavailable",
        "directory_unavailable",
    ),
}
STATUS_OF = {code: status for status, codes in _STATUSES.items() for code in codes}

_SIGN_IN = {
    "not_connected",
    "reauth_required",
    "scope_missing",
    "authorization_unknown",
    "authorization_expired",
}
_RETRY_STATUSES = {429, 502, 503}
_ADMIN_STATUSES = {403, 500}


class ProblemError(Exception):
    """An answer that is no success.

    Args:
        code: The stable code.
        cause: What lies behind it.
        retry_after: Seconds to wait.
        title: A sentence; by default one of this package.
        action: What helps; by default what the code stands for.
    """

    def __init__(
        self,
        code: str,
        cause: str | None = None,
        retry_after: float | None = None,
        title: str | None = None,
        action: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS_OF[code]
        self.cause = cause
        self.retry_after = 1 if retry_after is None and self.status == 503 else retry_after  # noqa: PLR2004
        self.title = title or error_codes.sentence(code)
        self.action = action or _action_for(code, self.status)

    def members(self) -> dict[str, Any]:
        """Return the members of the answer."""
        optional = {"cause": self.cause, "retry_after": self.retry_after}
        return {
            "type": f"{_PAGE}#{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "action": self.action,
            "trace_id": secrets.token_hex(16),
            **{name: value for name, value in optional.items() if value is not None},
        }

    def headers(self) -> dict[str, str]:
        """Return the headers of the answer."""
        named = {} if self.retry_after is None else {"Retry-After": str(int(self.retry_after))}
        return {**named, **({"WWW-Authenticate": "Bearer"} if self.status == 401 else {})}  # noqa: PLR2004


def _action_for(code: str, status: int) -> str:
    if code in _SIGN_IN:
        return "sign_in"
    if status in _RETRY_STATUSES or code == "request_incomplete":
        return "retry"
    return "ask_admin" if status in _ADMIN_STATUSES and code != "confirmation_wrong" else "fix_config"
