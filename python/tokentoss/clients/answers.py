"""What an answer of a service behind an access proxy means: JSON, a refusal, or a sign-in page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, urljoin

import requests

from tokentoss.clients.errors import (
    ServiceAnswerError,
    ServiceAudienceMismatchError,
    ServiceForbiddenError,
    ServiceRedirectError,
    ServiceScopeMissingError,
    ServiceSignInRedirectError,
    ServiceUnauthenticatedError,
)
from tokentoss.oauth.provider import GOOGLE
from tokentoss.util.urls import origin_of, split_url

if TYPE_CHECKING:
    from requests import Response

_EXCERPT = 4096
_IAP_MARK = "X-Goog-IAP-Generated-Response"
# IAP's own words, for versions and proxies that lose its header.
_IAP_WORDS = (b"iap credentials", b"jwt audience", b"gcip id token")
_SIGN_IN_QUERY = frozenset({"samlrequest", "relaystate", "wa", "wctx", "returnurl", "redirect_url"})
_SIGN_IN_PATH = re.compile(
    r"/(?:cdn-cgi/access|login|log-in|signin|sign-in|sign_in|sso|saml2?|adfs|idp|oauth2|authn?)(?:[/.?;]|$)",
    re.IGNORECASE,
)
_SIGN_IN_HOST = re.compile(r"(?:^|\.)(?:cloudflareaccess\.com|login|sso|idp|auth|accounts?|signin)(?:\.|$)")


def json_of(response: Response) -> Any:
    """Return the JSON of an answer.

    Raises:
        ServiceError: As :func:`raise_for_refusal`; a :class:`ServiceAnswerError` if there is no JSON.
        requests.HTTPError: For any other status that is not a success.
    """
    raise_for_refusal(response)
    response.raise_for_status()
    address = response.url.partition("?")[0]
    if not response.content:
        subject = f"{address} ({response.status_code})"
        raise ServiceAnswerError(code="service_answer_empty", subject=subject, response=response)
    try:
        return response.json()
    except ValueError:
        kind = response.headers.get("Content-Type", "no type").partition(";")[0]
    raise ServiceAnswerError(subject=f"{address} ({response.status_code}, {kind})", response=response)


def raise_for_refusal(response: Response) -> None:
    """Raise the error of a 401, a 403 or a redirect that was not followed; leave other answers alone.

    Raises:
        ServiceError: With the answer as ``response``.
    """
    service = origin_of(response.url) or "The service"
    if response.is_redirect:
        _raise_for_redirect(response, service)
    if response.status_code == requests.codes.unauthorized:
        _raise_for_401(response, service)
    if response.status_code == requests.codes.forbidden:
        if "insufficient_scope" in response.headers.get("WWW-Authenticate", ""):
            raise ServiceScopeMissingError(subject=service, response=response)
        raise ServiceForbiddenError(subject=service, response=response)


def _raise_for_redirect(response: Response, service: str) -> None:
    target = split_url(urljoin(response.url, response.headers["location"]))
    query = {name.lower() for name in parse_qs(target.query)} if target is not None else set()
    if {"apikey", "mode"} <= query:
        # Where IAP has external identities, it sends people to a page with the key of Identity Platform.
        code = "service_external_identities"
        raise ServiceSignInRedirectError(code=code, subject=service, response=response)
    if {"client_id", "response_type"} <= query or (
        target is not None and origin_of(target.geturl()) == origin_of(GOOGLE.authorization_endpoint)
    ):
        # An authorization request, whoever the provider is (RFC 6749 section 4.1.1).
        raise ServiceSignInRedirectError(subject=service, response=response)
    if target is not None and _is_sign_in_page(target, query):
        raise ServiceSignInRedirectError(code="service_sign_in_page", subject=service, response=response)
    elsewhere = origin_of(target.geturl()) if target is not None else None
    subject = f"{service} (to {elsewhere})" if elsewhere else service
    raise ServiceRedirectError(subject=subject, response=response)


def _is_sign_in_page(target: SplitResult, query: set[str]) -> bool:
    return bool(
        query & _SIGN_IN_QUERY
        or _SIGN_IN_PATH.search(target.path)
        or _SIGN_IN_HOST.search(target.hostname or "")
    )


def _raise_for_401(response: Response, service: str) -> None:
    body = response.content[:_EXCERPT].lower()
    challenge = response.headers.get("WWW-Authenticate", "").lower()
    is_of_proxy = _IAP_MARK in response.headers or any(words in body for words in _IAP_WORDS)
    if b"gcip" in body and is_of_proxy:
        code = "service_external_identities"
        raise ServiceUnauthenticatedError(code=code, subject=service, response=response)
    # The challenge tells of tokens as well (RFC 6750 section 3).
    if "audience" in challenge or (is_of_proxy and b"audience" in body):
        raise ServiceAudienceMismatchError(subject=service, response=response)
    if is_of_proxy or "bearer" in challenge:
        raise ServiceUnauthenticatedError(subject=service, response=response)
    raise ServiceUnauthenticatedError(code="service_refused_call", subject=service, response=response)
