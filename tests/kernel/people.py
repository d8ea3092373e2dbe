"""Somebody who is signed in at the local provider, by the package's own interface and a scripted login."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
from servers.scripted_login import REDIRECT_URI, follow_to_callback
from tokentoss import AuthManager, ClientConfig, FileStorage, Provider, generate_pkce_pair

if TYPE_CHECKING:
    from pathlib import Path

    from servers.provider import Client, LocalProvider
    from tokentoss import TokenData

ADA = "ada@corp.example"
GRACE = "grace@corp.example"

DUE, EXPIRED = 3500, 3700
"""Ages in seconds at which tokens, which live for an hour, are to be renewed, and are no longer valid."""


def config_of(client: Client) -> ClientConfig:
    """The client as a notebook is configured with it."""
    return ClientConfig(client.client_id, client.client_secret or "")


def client_secrets(provider: LocalProvider, folder: Path, *, client: Client | None = None) -> Path:
    """The client_secrets.json of a client, by default the public one, as a configuration names it."""
    metadata = provider.metadata()
    client = client or provider.public
    path = folder / "client_secrets.json"
    path.touch(mode=0o600)
    section = {
        "client_id": client.client_id,
        "client_secret": client.client_secret or "",
        "auth_uri": metadata["authorization_endpoint"],
        "token_uri": metadata["token_endpoint"],
    }
    path.write_text(json.dumps({"installed": section}))
    return path


def manager_at(provider: LocalProvider, **arguments: Any) -> AuthManager:
    """An auth manager for the public client of the local provider."""
    named: dict[str, Any] = {
        "client_config": config_of(provider.public),
        "provider": Provider.discover(provider.issuer),
    }
    return AuthManager(**(named | arguments))


def sign_in(manager: AuthManager, login: str = ADA) -> AuthManager:
    """Sign in by the address and the code, as a script without a widget does."""
    verifier, challenge = generate_pkce_pair()
    callback = follow_to_callback(manager.get_authorization_url(challenge, REDIRECT_URI), login)
    code = parse_qs(urlsplit(callback).query)["code"][0]
    manager.exchange_code(code, verifier, REDIRECT_URI)
    return manager


def aged(provider: LocalProvider, tokens: TokenData, seconds: int) -> TokenData:
    """The same tokens, issued that much earlier; the ID token is signed anew by the provider."""
    claims = jwt.decode(tokens.id_token, options={"verify_signature": False})
    claims |= {name: claims[name] - seconds for name in ("iat", "exp")}
    expiry = tokens.expiry_datetime - timedelta(seconds=seconds)
    updated_at = (expiry - timedelta(hours=1)).isoformat()
    return replace(tokens, id_token=provider.sign(claims), expiry=expiry.isoformat(), updated_at=updated_at)


def sign_in_aged(
    provider: LocalProvider, path: Path, age: int = EXPIRED, *, client: Client | None = None
) -> AuthManager:
    """A manager over a file whose tokens are of that age, and a provider that has forgotten the sign-in."""
    named: dict[str, Any] = {
        "storage": FileStorage(path),
        "client_config": config_of(client or provider.public),
    }
    tokens = sign_in(manager_at(provider, **named)).token_data
    assert tokens is not None
    named["storage"].save(aged(provider, tokens, age))
    manager = manager_at(provider, **named)
    provider.forget_requests()
    return manager


def refreshes(provider: LocalProvider) -> int:
    """Token requests that have reached the provider."""
    return len(provider.requests("/token", "POST"))
