"""The answer to an authorization request that the kernel made (RFC 6749 section 4.1.2, RFC 9207).

The rules, and the codes of what breaks them, are those of the page (``authorization_response.rs`` and
``paste.rs``).
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tokentoss.exceptions import TokenTossError, error_for
from tokentoss.util.constant_time import same_text
from tokentoss.util.texts import is_whole

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider

MAX_QUERY = 16_384
"""Bytes of the longest query that is looked at."""

MAX_VALUE = 4096
"""Bytes of the longest parameter that is used."""

MAX_PASTE = 32_768
"""Bytes of the longest text that is taken for an address."""

_KNOWN = frozenset({"code", "state", "iss", "error", "error_description"})

# What a provider may say (RFC 6749 section 4.1.2.1, OpenID Connect Core 3.1.2.6).
_REFUSALS = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)


def authorization_code(query: str, state: str, provider: Provider) -> str:
    """Return the code of an answer.

    The issuer and the state come first, whatever else the answer holds. One without the right state is
    nobody's answer to this request: its error is a stranger's, and must end nothing.

    Args:
        query: The query of the callback.
        state: The state of the request.
        provider: To whom the request was made.

    Raises:
        TokenTossError: ``message_malformed`` or ``state_mismatch``, a stranger's; ``parameter_duplicated``,
            ``issuer_missing``, ``issuer_mismatch``, ``callback_invalid``, or the provider's own refusal.
    """
    if len(query.encode("utf-8", "replace")) > MAX_QUERY:
        raise error_for("message_malformed")
    pairs = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name in _KNOWN]
    if not any(name == "state" and same_text(value, state) for name, value in pairs):
        raise error_for("state_mismatch")
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise error_for("parameter_duplicated", name)
        if len(value.encode("utf-8", "replace")) > MAX_VALUE:
            raise error_for("callback_invalid")
        values[name] = value
    issuer, error, code = (values.get(name) for name in ("iss", "error", "code"))
    # An empty value counts as none (RFC 6749 section 3.1).
    if not issuer and provider.iss_parameter_supported:
        raise error_for("issuer_missing")
    if issuer and issuer != provider.issuer:
        raise error_for("issuer_mismatch", issuer)
    if error and not code:
        raise _refusal(error, provider)
    if error or not code or not is_whole(code):
        raise error_for("callback_invalid")
    return code


def require_issuer(query: str, provider: Provider) -> None:
    """Check that an answer is this provider's, as far as it says whose it is (RFC 9207 section 2.4).

    Raises:
        TokenTossError: ``issuer_missing`` if the provider promises to say so; ``issuer_mismatch``.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    # An empty value counts as none (RFC 6749 section 3.1).
    issuers = [value for name, value in pairs if name == "iss" and value]
    if not issuers and provider.iss_parameter_supported:
        raise error_for("issuer_missing")
    for issuer in issuers:
        if issuer != provider.issuer:
            raise error_for("issuer_mismatch", issuer)


def query_of_address(text: str, redirect_uri: str) -> str:
    """Return the query of an address that a user pasted, not yet checked.

    It must be the whole address: its state ties the code to one request (RFC 6749 section 10.12).

    Raises:
        TokenTossError: ``paste_not_an_address``, ``paste_code_only``, or ``paste_other_address``.
    """
    text = text.strip()
    if len(text.encode("utf-8", "replace")) > MAX_PASTE or any(
        letter.isspace() or unicodedata.category(letter) == "Cc" for letter in text
    ):
        raise error_for("paste_not_an_address")
    if not text.startswith(("https://", "http://")):
        is_code = text and not any(mark in text for mark in ":?&=")
        raise error_for("paste_code_only" if is_code else "paste_not_an_address")
    page, _, query = text.partition("#")[0].partition("?")
    # A browser shows an empty path as "/".
    without_path = redirect_uri.count("/") == 2  # noqa: PLR2004 - those before the host
    if page == redirect_uri or (without_path and page == f"{redirect_uri}/"):
        return query
    raise error_for("paste_other_address", redirect_uri)


def is_strangers(failure: TokenTossError) -> bool:
    """Tell whether an answer is to another request, so that this one goes on."""
    return failure.culprit == "stranger"


def _refusal(error: str, provider: Provider) -> TokenTossError:
    if error in _REFUSALS:
        return error_for(error, urlsplit(provider.authorization_endpoint).netloc)
    return error_for("provider_error", error)
