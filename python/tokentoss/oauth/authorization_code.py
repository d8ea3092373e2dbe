"""The authorization code flow driven from Python, for code that opens the browser by itself."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tokentoss.exceptions import TokenExchangeError
from tokentoss.oauth.client_authentication import Form
from tokentoss.oauth.token_endpoint import request_tokens
from tokentoss.util.base64url import b64url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.oauth.token_response import TokenResponse


def authorization_url(
    endpoint: str, parameters: Mapping[str, str], code_challenge: str, *, openid_connect: bool = True
) -> str:
    """Return the address of an authorization request with PKCE and, for an ID token, a nonce.

    Args:
        endpoint: The authorization endpoint; a query that it has is kept (RFC 6749 section 3.1).
        parameters: What else the request says.
        code_challenge: The S256 challenge of the code verifier.
        openid_connect: Whether an ID token will come, which repeats the nonce.
    """
    nonce = {"nonce": nonce_of(code_challenge)} if openid_connect else {}
    query = urlencode(
        {
            **parameters,
            **nonce,
            "response_type": "code",
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
    )
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def redeem_code(
    token_endpoint: str, client: Form, code: str, code_verifier: str, redirect_uri: str
) -> TokenResponse:
    """Send the token request of an authorization code, once (RFC 6749 section 4.1.3).

    Args:
        token_endpoint: The token endpoint of the provider that gave the code.
        client: What identifies the client.
        code: The code.
        code_verifier: The verifier of the authorization request.
        redirect_uri: The redirect URI of the authorization request.

    Raises:
        TokenExchangeError: If there are no tokens for it.
    """
    form = Form(
        client,
        grant_type="authorization_code",
        code=code,
        code_verifier=code_verifier,
        redirect_uri=redirect_uri,
    )
    return request_tokens(token_endpoint, form, TokenExchangeError)


def nonce_of(code_challenge: str) -> str:
    """Return the nonce that belongs to a challenge.

    It follows from the verifier, so the exchange can tell it without anything kept in between.
    """
    return b64url(sha256(b"tokentoss/nonce/pkce/1\n" + code_challenge.encode("ascii")).digest())
