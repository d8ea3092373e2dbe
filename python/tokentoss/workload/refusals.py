"""What google-auth's failures mean, as errors of this package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from google.auth import exceptions as google_exceptions

from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError, TokenRefreshError, TokenTossError
from tokentoss.util.http import error_of as transport_error
from tokentoss.util.urls import origin_of

if TYPE_CHECKING:
    from tokentoss.util.failures import TransportError
    from tokentoss.util.http import Answer
    from tokentoss.workload.google_request import Exchange

IAM = "https://iamcredentials.googleapis.com"

_STATUS = re.compile(r"'code': (\d{3})")
# In the words of Google's token endpoint: "a reasonable timeframe", "Check your iat and exp values".
_CLOCK = ("timeframe", "iat and exp", "short-lived")
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER = 200, 401, 403, 404, 429, 500
_METADATA = "Google's metadata server"
_PATH = "/computeMetadata/"


@dataclass
class Asked:
    """What was asked for, as far as an error names it.

    Args:
        source: How messages call where the credentials come from.
        is_of_machine: Whether that is no file.
        target: The service account that is impersonated, if any.
        token_url: Where an identity pool exchanges the tokens of others.
    """

    source: str
    is_of_machine: bool
    target: str | None
    token_url: str | None = None

    def learn_from(self, made: Any) -> None:
        """Note what google-auth's credentials say about themselves."""
        target = getattr(made, "_target_credentials", None)
        self.target = getattr(target, "service_account_email", None) or self.target
        source = getattr(target, "_source_credentials", None)
        self.token_url = getattr(source, "_token_url", None)


def error_of(failure: Exception, asked: Asked, last: Exchange | None) -> TokenTossError:
    """Return the error for a failure of google-auth; nothing of the answer is quoted.

    Args:
        failure: What google-auth raised.
        asked: What was asked for.
        last: The last exchange with a server; that with the IAM API is not among them.
    """
    if isinstance(failure, requests.RequestException) and not isinstance(failure, ValueError):
        return _of_session(failure)
    if asked.is_of_machine and isinstance(failure, google_exceptions.DefaultCredentialsError):
        answer = last.answer if last is not None and last.url.partition(_PATH)[1] else None
        if last is None or answer is None:
            return TokenRefreshError(code="minting_metadata_unreachable", subject=_METADATA)
        return _of_answer(last.url, answer, asked)
    if last is None:
        return _before_any_call(failure, asked)
    if last.failure is not None:
        if _is_of_metadata(last.url):
            return TokenRefreshError(code="minting_metadata_unreachable", subject=_host(last.url))
        if asked.token_url is not None and last.url != asked.token_url:
            return TokenRefreshError(code="minting_subject_missing", subject=_host(last.url))
        return _unreached(last.failure, last.url)
    assert last.answer is not None  # noqa: S101 - there is one or the other
    if asked.token_url is not None and last.url != asked.token_url:
        return TokenRefreshError(code="minting_subject_missing", subject=_host(last.url))
    if last.answer.status == _OK and asked.target is not None and last.answer.json_object() is not None:
        return _of_iam(failure, asked.target)
    return _of_answer(last.url, last.answer, asked)


def _of_session(failure: requests.RequestException) -> TokenTossError:
    """Return the error of a call that google-auth made by a session of its own, to the IAM API."""
    reason = transport_error(failure, IAM, None)
    if reason.reason == "answer_incomplete" and isinstance(failure, requests.ConnectionError):
        return TokenRefreshError(code="minting_unreachable", subject=_host(IAM))
    return _unreached(reason, IAM)


def _before_any_call(failure: Exception, asked: Asked) -> TokenTossError:
    """Return the error of what failed on this machine."""
    if isinstance(failure, google_exceptions.RefreshError) or asked.token_url is not None:
        return TokenRefreshError(code="minting_subject_missing", subject=asked.source)
    reason = "google-auth cannot read it; is the private key whole?"
    return ConfigurationError(code="credentials_file_invalid", subject=f"{asked.source} ({reason})")


def _of_answer(url: str, answer: Answer, asked: Asked) -> TokenTossError:
    if _is_of_metadata(url):
        codes = {_OK: "minting_answer_invalid", _NOT_FOUND: "minting_metadata_empty"}
        return TokenRefreshError(code=codes.get(answer.status, "minting_unavailable"), subject=_METADATA)
    said = answer.json_object()
    if answer.status >= _SERVER or answer.status == _TOO_MANY:
        return _with_pause(TokenRefreshError(code="minting_unavailable", subject=_host(url)), answer)
    if said is None or answer.status == _OK:
        return TokenRefreshError(code="minting_answer_invalid", subject=_host(url))
    word, words = said.get("error"), str(said.get("error_description") or "")
    if any(mark in words for mark in _CLOCK):
        return TokenRefreshError(code="minting_clock_wrong", subject=asked.source)
    shown = f" ({printable(word, 40)})" if isinstance(word, str) else f" ({answer.status})"
    if url == asked.token_url:
        return TokenRefreshError(code="minting_federation_refused", subject=asked.source + shown)
    return TokenRefreshError(code="minting_key_refused", subject=asked.source + shown)


def _of_iam(failure: Exception, target: str) -> TokenTossError:
    """Return the error of the IAM API, whose answer google-auth has put into its sentence."""
    words = str(failure)
    found = _STATUS.search(words) if isinstance(failure, google_exceptions.RefreshError) else None
    status = int(found[1]) if found else 0
    host = _host(IAM)
    if status == _FORBIDDEN and "SERVICE_DISABLED" in words:
        return TokenRefreshError(code="minting_api_disabled", subject=host)
    if status == _FORBIDDEN:
        return TokenRefreshError(code="minting_impersonation_denied", subject=target)
    if status == _NOT_FOUND:
        return TokenRefreshError(code="minting_account_unknown", subject=target)
    if status == _TOO_MANY or status >= _SERVER:
        return TokenRefreshError(code="minting_unavailable", subject=host)
    if status:
        return TokenRefreshError(code="minting_refused", subject=f"{host} ({status})")
    return TokenRefreshError(code="minting_answer_invalid", subject=host)


def _unreached(failure: TransportError, url: str) -> TokenTossError:
    code, subject = failure.named("minting_unreachable", "minting_answer_invalid", _host(url))
    return TokenRefreshError(code=code, subject=subject)


def _with_pause(failure: TokenRefreshError, answer: Answer) -> TokenRefreshError:
    failure.retry_after = answer.retry_after()
    return failure


def _is_of_metadata(url: str) -> bool:
    """Tell whether an address is the metadata server's, wherever a variable says that it is."""
    path = urlsplit(url).path
    return path in {"", "/"} or path.startswith(_PATH)


def _host(url: str) -> str:
    return origin_of(url) or url.partition("?")[0]
