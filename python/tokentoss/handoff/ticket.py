"""The ticket of a sign-in: what a page needs to start one by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tokentoss.handoff.remote_kernel import is_remote
from tokentoss.util.base64url import b64url

if TYPE_CHECKING:
    from tokentoss.session.auth_manager import AuthManager


TICKET_VERSION = 2


Exchange = Literal["browser", "kernel", "auto"]
"""Who redeems the code: the page, the kernel, or whichever of them can."""


EXCHANGES: tuple[Exchange, ...] = ("browser", "kernel", "auto")


def effective_exchange(manager: AuthManager, exchange: Exchange) -> Exchange:
    """Return who redeems the code.

    The secret of a web client never leaves the kernel, and only the kernel knows of further audiences and of
    tenants.
    """
    provider = manager.provider
    is_judged_here = provider.trusted_audiences or provider.token_issuer
    is_kernels = manager.client_config.client_type == "web" or is_judged_here
    return "kernel" if is_kernels else exchange


def secret_goes_to_page(manager: AuthManager, exchange: Exchange) -> bool:
    """Tell whether a page is given the client secret: it may redeem the code, for a Desktop client."""
    return bool(manager.client_config.client_secret) and effective_exchange(manager, exchange) != "kernel"


def device_endpoint_of_page(manager: AuthManager, exchange: Exchange) -> str | None:
    """Return where a page may ask for a code by itself; None where only the kernel may, if anybody."""
    provider = manager.provider
    is_kernels = effective_exchange(manager, exchange) == "kernel"
    kernel_only = is_kernels or manager.client_config.client_secret or not provider.openid_connect
    return None if kernel_only else provider.device_authorization_endpoint


def ticket_of(
    manager: AuthManager,
    *,
    ticket_id: str,
    nonce: str,
    public_key: bytes,
    redirect_uri: str | None,
    callback_pages: tuple[str, ...],
    exchange: Exchange,
    login_hint: str | None,
    another_account: bool = False,
) -> dict[str, Any]:
    """Return what a page needs to start a sign-in by itself. It holds no secret.

    Args:
        manager: Whose client signs in.
        ticket_id: Names the hand-off.
        nonce: From which the nonce of a request is made.
        public_key: The HPKE key to which a page seals what it sends.
        redirect_uri: The loopback address to which the provider sends the popup, if there is one.
        callback_pages: Static callback pages to which it may send the popup instead.
        exchange: Who redeems the code.
        login_hint: The account that the provider should suggest.
        another_account: Whether the provider should ask which account to use.
    """
    provider = manager.provider
    return {
        "version": TICKET_VERSION,
        "id": ticket_id,
        "nonce": nonce,
        "public_key": b64url(public_key),
        "client_id": manager.client_config.client_id,
        "client_secret_sealed": secret_goes_to_page(manager, exchange),
        "scopes": list(manager.scopes),
        "redirect_uri": redirect_uri,
        "callback_pages": list(callback_pages),
        "exchange": effective_exchange(manager, exchange),
        "remote_kernel": is_remote(),
        "provider": {
            "issuer": provider.issuer,
            "authorization_endpoint": provider.authorization_endpoint,
            "token_endpoint": provider.token_endpoint,
            "device_authorization_endpoint": device_endpoint_of_page(manager, exchange),
            "token_endpoint_auth_method": provider.token_endpoint_auth_method,
            "token_endpoint_cors": provider.token_endpoint_cors,
            "openid_connect": provider.openid_connect,
            "iss_parameter_supported": provider.iss_parameter_supported,
            "authorization_params": manager.authorization_params(another_account=another_account),
            "id_token_signing_algs": list(provider.id_token_signing_algs),
        },
        "hosted_domain": manager.hosted_domain,
        "login_hint": login_hint,
    }
