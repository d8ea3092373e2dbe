"""The part of a broker's configuration that is about the local OpenID provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servers.provider import LocalProvider


def settings(provider: LocalProvider, url: str, *, name: str = "local", way: str = "page") -> str:
    """Sign-ins at a broker at `url`; for `page` the provider must have its `/callback` among its pages.

    `name` is what the broker calls the provider.
    """
    client, metadata = provider.confidential, provider.metadata()
    return f"""
public_url = "{url}"

[providers.{name}]
token_endpoint = "{metadata["token_endpoint"]}"
revocation_endpoint = "{metadata["revocation_endpoint"]}"
client_id = "{client.client_id}"
client_secrets = ["{client.secret_file}"]

[providers.{name}.sign_in]
way = "{way}"
display_name = "the local provider"
issuer = "{provider.issuer}"
authorization_endpoint = "{metadata["authorization_endpoint"]}"
iss_parameter_supported = true
scopes = ["openid", "email", "offline_access"]
"""
