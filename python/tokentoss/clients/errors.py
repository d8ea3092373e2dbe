"""Exceptions for calls of a service behind a sign-in, apart because they need ``requests``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from tokentoss.exceptions import TokenTossError

if TYPE_CHECKING:
    from requests import Response


class ServiceUnreachableError(TokenTossError, requests.ConnectionError):
    """There was no answer; the code tells certificate, proxy, name, address and service apart."""

    default_code = "service_unreachable"


class ServiceTimeoutError(ServiceUnreachableError, requests.Timeout):
    """There was no answer in time."""


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

    default_code = "service_redirected"


class ServiceAnswerError(ServiceError, ValueError):
    """The service answered with something else than JSON."""

    default_code = "service_answer_not_json"
