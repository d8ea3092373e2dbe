"""Taking what was in an envelope: the manager checks it against the attempt that it must be of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.handoff.device_tokens import require_fresh
from tokentoss.handoff.sealing import request_nonce

if TYPE_CHECKING:
    from tokentoss.handoff.envelope import CodeEnvelope, DeviceTokensEnvelope, TokensEnvelope
    from tokentoss.session.auth_manager import AuthManager


def take_tokens(manager: AuthManager, envelope: TokensEnvelope, ticket_nonce: str) -> None:
    """Take tokens that the page redeemed a code for.

    Raises:
        TokenTossError: What stands against them.
    """
    nonce = request_nonce(ticket_nonce, envelope.salt)
    manager.accept(envelope.response, nonce=nonce, received_at=envelope.received_at)


def take_device_tokens(manager: AuthManager, envelope: DeviceTokensEnvelope) -> None:
    """Take tokens for a user code, which have no nonce.

    Raises:
        TokenTossError: What stands against them.
    """
    require_fresh(envelope.response)
    manager.accept(envelope.response, nonce=None, received_at=envelope.received_at)


def take_code(manager: AuthManager, envelope: CodeEnvelope, ticket_nonce: str) -> None:
    """Redeem a code, and take its tokens.

    Raises:
        TokenTossError: What stands against it.
    """
    has_nonce = manager.provider.openid_connect
    nonce = request_nonce(ticket_nonce, envelope.salt) if has_nonce else None
    manager.accept_code(envelope.code, envelope.code_verifier, envelope.redirect_uri, nonce=nonce)
