"""What providers, requests and answers of OAuth 2.0 and OpenID Connect are checked against."""

from __future__ import annotations

DEFAULT_SCOPES = ["openid", "email", "profile"]
"""Scopes asked for by default: an ID token, and the user's e-mail address and name."""


OFFLINE_ACCESS = "offline_access"
"""The scope that asks for a refresh token (OpenID Connect Core section 11)."""


PROTECTED_PARAMETERS = frozenset(
    {
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    }
)
"""Parameters of the authorization request that belong to the sign-in itself."""


ACCEPTED_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signature algorithms with a public key; ``none`` and HMAC never sign an ID token here."""


ROTATIONS = frozenset({None, "one-use", "none"})
"""What happens to a refresh token that was used: it ends, or it stays; None where it is not known."""


IDENTITY_MEMBERS = {"subject": "id", "login": "login", "name": "name", "email": "email"}
"""Where an identity endpoint says who the user is, unless the provider's data says otherwise."""


BRANDING_MEMBERS = frozenset({"icon", "background", "foreground", "border"})
