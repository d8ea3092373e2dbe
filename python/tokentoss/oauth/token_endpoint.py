"""Requests to a token endpoint (RFC 6749 sections 3.2 and 5), for codes and for refresh tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tokentoss import error_codes
from tokentoss.oauth.client_authentication import Form
from tokentoss.oauth.token_response import TokenRequestError, TokenResponse, tokens_in
from tokentoss.util.failures import TransportError
from tokentoss.util.http import call
from tokentoss.util.urls import require_secure_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.exceptions import TokenTossError
    from tokentoss.util.http import Answer

MAX_SIZE = 65_536
"""Largest answer that is read, in bytes."""

_OAUTH_ERROR = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What GitHub says instead (docs.github.com: "Troubleshooting OAuth app access token request errors").
_SPELLINGS = {
    "bad_refresh_token": "invalid_grant",
    "bad_verification_code": "invalid_grant",
    "incorrect_client_credentials": "invalid_client",
}
_OWN_CODES = ("grant_", "provider_")
_TRANSIENT_ERRORS = frozenset({"server_error", "temporarily_unavailable"})
_TRANSIENT_STATUSES = frozenset({408, 425, 429})


def request_tokens(
    token_endpoint: str, form: Mapping[str, str], error: type[TokenTossError]
) -> TokenResponse:
    """Send a token request and read the answer.

    Args:
        token_endpoint: Where the grant belongs.
        form: The fields of the request, with what identifies the client.
        error: The exception to raise.

    Raises:
        TokenTossError: As ``error``, with the provider's error code or one that says what was wrong
            with the answer.
    """
    try:
        return ask_for_tokens(token_endpoint, Form(form))
    except TokenRequestError as failure:
        raise error(code=failure.code, subject=failure.subject) from None


def ask_for_tokens(token_endpoint: str, form: Form) -> TokenResponse:
    """Send a token request and read the answer, with what a later attempt needs to know of a failure.

    Raises:
        TokenRequestError: If there are no tokens.
        ConfigurationError: ``endpoint_insecure``.
    """
    require_secure_endpoint(token_endpoint, "token endpoint")
    try:
        answer = call("POST", token_endpoint, form=form, authorization=form.authorization, max_bytes=MAX_SIZE)
    except TransportError as failure:
        code, subject = failure.named(
            "token_endpoint_unreachable", "token_response_too_large", token_endpoint
        )
        # A network comes back; a setting or an answer that is too large stays as it is.
        is_transient = error_codes.culprit(code) == "environment"
        may_have_spent = failure.reason == "too_large"
        raise TokenRequestError(
            code, subject, is_transient=is_transient, may_have_spent=may_have_spent
        ) from None
    outcome = refusal_of(answer, token_endpoint, form) or tokens_in(answer.json_object() or {})
    if isinstance(outcome, TokenRequestError):
        raise outcome
    return outcome


def refusal_of(answer: Answer, endpoint: str, form: Form) -> TokenRequestError | None:
    """Return why an answer of an endpoint of this kind is no success; None if it is a JSON object that is.

    Args:
        answer: The answer.
        endpoint: Whose it is.
        form: What was sent, which the reason must not repeat.
    """
    refusal = _refused(answer, endpoint)
    if refusal is not None and refusal.code == "provider_error" and _echoes(refusal.subject, form):
        refusal.subject = None
    return refusal


def _refused(answer: Answer, token_endpoint: str) -> TokenRequestError | None:
    if 300 <= answer.status < 400:  # noqa: PLR2004
        return TokenRequestError("token_endpoint_redirected", token_endpoint)
    document = answer.json_object()
    is_transient = answer.status >= 500 or answer.status in _TRANSIENT_STATUSES  # noqa: PLR2004
    error = document.get("error") if document is not None else None
    if is_transient and error not in _TRANSIENT_ERRORS:
        # Whatever its body says, such an answer says nothing of the grant.
        return TokenRequestError(
            "token_endpoint_failed",
            f"{token_endpoint} (HTTP {answer.status})",
            is_transient=True,
            retry_after=answer.retry_after(),
        )
    if document is not None and "error" in document:
        return _refusal(document, token_endpoint, answer.retry_after())
    if answer.status != 200:  # noqa: PLR2004
        return TokenRequestError("token_endpoint_failed", f"{token_endpoint} (HTTP {answer.status})")
    if document is None:
        # A portal or a proxy in between answers with a page of its own.
        return TokenRequestError(
            "token_response_not_json", token_endpoint, is_transient=True, may_have_spent=True
        )
    return None


def _refusal(document: dict[str, Any], token_endpoint: str, retry_after: float | None) -> TokenRequestError:
    value = document["error"]
    code = value if isinstance(value, str) and _OAUTH_ERROR.fullmatch(value) else None
    code = _SPELLINGS.get(code, code) if code is not None else None
    if code is None or error_codes.culprit(code) != "provider_refused" or code.startswith(_OWN_CODES):
        return TokenRequestError("provider_error", code)
    return TokenRequestError(
        code,
        token_endpoint,
        # GitHub's words name every cause there may be.
        cause=_cause_of_end(document) if value == "invalid_grant" else code,
        is_transient=code in _TRANSIENT_ERRORS,
        retry_after=retry_after,
    )


def _echoes(text: str | None, form: Form) -> bool:
    """Tell whether a provider said what it was sent, which may be a secret."""
    sent = (*form.values(), *(form.basic or ()))
    return text is not None and any(text in value or value in text for value in sent if value)


def _cause_of_end(document: dict[str, Any]) -> str:
    """Return why a grant ended. Providers say it in words; Google's and Box's are known."""
    words = " ".join(
        value.lower()
        for value in (document.get("error_subtype"), document.get("error_description"))
        if isinstance(value, str)
    )
    if "rapt" in words:
        return "invalid_rapt"
    if "admin_policy_enforced" in words:
        return "admin_policy_enforced"
    if "expired" in words and "revoked" not in words:
        return "grant_expired"
    if "revoked" in words and "expired" not in words:
        return "grant_revoked"
    return "invalid_grant"
