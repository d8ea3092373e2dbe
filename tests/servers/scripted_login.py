"""Signs in at the local provider without a browser: what a user does at its pages, as HTTP requests."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests

if TYPE_CHECKING:
    from .provider import Client, LocalProvider

REDIRECT_URI = "http://127.0.0.1:49152/callback"
TIMEOUT = 60
MOST_STEPS = 12


class LoginFailedError(RuntimeError):
    """The provider's pages did not lead to the redirect URI."""


def follow_to_callback(authorization_url: str, login: str, *, approve: bool = True) -> str:
    """Return the callback URL the provider redirects to after `login` approved, or declined, the request."""
    redirect_uri = parse_qs(urlsplit(authorization_url).query)["redirect_uri"][0]
    session = requests.Session()
    answer = session.get(authorization_url, allow_redirects=False, timeout=TIMEOUT)
    for _ in range(MOST_STEPS):
        if answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if target.startswith(redirect_uri):
                return target
            answer = session.get(target, allow_redirects=False, timeout=TIMEOUT)
        elif answer.status_code == requests.codes.ok and "/interaction/" in answer.url:
            answer = _answer_page(session, answer, login, approve=approve)
        else:
            break
    message = f"{answer.status_code} from {urlsplit(answer.url).path} instead of a redirect to the client"
    raise LoginFailedError(message)


def authorize(
    provider: LocalProvider,
    client: Client,
    login: str,
    *,
    approve: bool = True,
    scope: str = "openid email profile",
    redirect_uri: str = REDIRECT_URI,
) -> tuple[dict[str, str], str]:
    """Run an authorization request of our own; return the callback's parameters and the code verifier."""
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    request = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": secrets.token_urlsafe(16),
        "nonce": secrets.token_urlsafe(16),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    url = f"{provider.metadata()['authorization_endpoint']}?{urlencode(request)}"
    callback = urlsplit(follow_to_callback(url, login, approve=approve))
    return {name: values[0] for name, values in parse_qs(callback.query).items()}, verifier


def token_request(
    provider: LocalProvider, client: Client, form: dict[str, str], **arguments: Any
) -> requests.Response:
    """Post a form to the token endpoint as the client."""
    form = {"client_id": client.client_id, **form}
    if client.client_secret is not None:
        form["client_secret"] = client.client_secret
    return requests.post(
        provider.metadata()["token_endpoint"], data=form, allow_redirects=False, timeout=TIMEOUT, **arguments
    )


def sign_in(provider: LocalProvider, client: Client, login: str, **request: Any) -> dict[str, Any]:
    """The whole way to a token response."""
    callback, verifier = authorize(provider, client, login, **request)
    answer = token_request(
        provider,
        client,
        {
            "grant_type": "authorization_code",
            "code": callback["code"],
            "redirect_uri": request.get("redirect_uri", REDIRECT_URI),
            "code_verifier": verifier,
        },
    )
    answer.raise_for_status()
    tokens: dict[str, Any] = answer.json()
    return tokens


def _answer_page(
    session: requests.Session, page: requests.Response, login: str, *, approve: bool
) -> requests.Response:
    """Fill in the development page: its login form, its consent form, or its cancel link."""
    if not approve:
        return session.get(f"{page.url}/abort", allow_redirects=False, timeout=TIMEOUT)
    form = (
        {"prompt": "login", "login": login, "password": "any"}
        if 'name="login"' in page.text
        else {"prompt": "consent"}
    )
    return session.post(page.url, data=form, allow_redirects=False, timeout=TIMEOUT)
