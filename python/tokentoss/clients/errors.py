"""Exceptions for the answers of a service behind a sign-in, apart because they need ``requests``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urljoin

import requests

from tokentoss.exceptions import TokenTossError
from tokentoss.oauth.provider import GOOGLE
from tokentoss.util.urls import origin_of, split_url

if TYPE_CHECKING:
    from requests import Response

_EXCERPT = 4096


class ServiceError(TokenTossError, requests.HTTPError):
    """A service refused a call; ``response`` is its answer."""

    default_code = "service_forbidden"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        subject: str | None = None,
        response: Response | None = None,
    ) -> None:
        TokenTossError.__init__(self, message, code=code, subject=subject)
        self.response = response
        self.request = response.request if response is not None else None


class ServiceUnauthenticatedError(ServiceError):
    """The service did not accept the token (401)."""

    default_code = "service_unauthenticated"


class ServiceAudienceMismatchError(ServiceError):
    """The ID token is for another client than the service expects."""

    default_code = "service_audience_mismatch"


class ServiceForbiddenError(ServiceError):
    """The service knows the user and denies access (403)."""

    default_code = "service_forbidden"


class ServiceScopeMissingError(ServiceForbiddenError):
    """The token lacks a scope that the service needs (RFC 6750 section 3.1)."""

    default_code = "service_scope_missing"


class ServiceSignInRedirectError(ServiceError):
    """The service answered with a redirect to a sign-in page: the call was not authorised."""

    default_code = "service_sign_in_redirect"


class ServiceRedirectError(ServiceError):
    """The service answered with a redirect to a foreign origin, which was not followed."""

    default_code = "origin_not_allowed"


def raise_for_refusal(response: Response) -> None:
    """Raise the error of a 401, a 403 or a redirect that was not followed; leave other answers alone.

    Raises:
        ServiceError: With the answer as ``response``.
    """
    service = origin_of(response.url) or "The service"
    if response.is_redirect:
        target = urljoin(response.url, response.headers["location"])
        origin = origin_of(target)
        if origin == origin_of(GOOGLE.authorization_endpoint) or _is_authorization_request(target):
            raise ServiceSignInRedirectError(subject=service, response=response)
        raise ServiceRedirectError(subject=origin or "the redirect's address", response=response)
    if response.status_code == requests.codes.unauthorized:
        if _names_audience(response):
            raise ServiceAudienceMismatchError(subject=service, response=response)
        raise ServiceUnauthenticatedError(subject=service, response=response)
    if response.status_code == requests.codes.forbidden:
        if "insufficient_scope" in response.headers.get("WWW-Authenticate", ""):
            raise ServiceScopeMissingError(subject=service, response=response)
        raise ServiceForbiddenError(subject=service, response=response)


def _is_authorization_request(url: str) -> bool:
    # It names its client and what it wants back, whoever the provider is (RFC 6749 section 4.1.1).
    parts = split_url(url)
    return parts is not None and {"client_id", "response_type"} <= set(parse_qs(parts.query))


def _names_audience(response: Response) -> bool:
    """Tell whether a 401 is about the audience: in IAP's page, or in the challenge (RFC 6750 section 3)."""
    challenge = response.headers.get("WWW-Authenticate", "")
    return b"audience" in response.content[:_EXCERPT].lower() or "audience" in challenge.lower()
