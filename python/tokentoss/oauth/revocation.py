"""Revoking tokens at the provider (RFC 7009)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tokentoss.exceptions import RevocationError
from tokentoss.oauth.client_authentication import Form
from tokentoss.util.backoff import Retry

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider


RETRY_PAUSE = 1.0
"""Longest pause in seconds before a revocation is tried a second and last time."""


LONGEST_RETRY_PAUSE = 5.0
"""Seconds that a provider may ask to wait before the second attempt; a user waits for it."""


def revoke(provider: Provider, client: Form, *, refresh_token: str, access_token: str) -> None:
    """Ask a provider to revoke the tokens of a sign-in.

    The refresh token is revoked, and with it what it was exchanged for; without one, the access token.

    Args:
        provider: Who gave them.
        client: What identifies the client.
        refresh_token: The refresh token; empty if there is none.
        access_token: The access token.

    Raises:
        RevocationError: If the provider has no revocation endpoint, cannot be reached, or refuses.
    """
    from tokentoss.util.failures import TransportError  # noqa: PLC0415 - costs requests
    from tokentoss.util.http import call  # noqa: PLC0415

    endpoint = provider.revocation_endpoint
    if endpoint is None:
        raise RevocationError(code="revocation_unsupported", subject=provider.name)
    hint = "refresh_token" if refresh_token else "access_token"
    form = Form(client, token=refresh_token or access_token, token_type_hint=hint)
    tries = Retry(RETRY_PAUSE, math.inf, most=2)
    while True:
        wished = 0.0
        try:
            answer = call("POST", endpoint, form=form, authorization=form.authorization)
        except TransportError as reason:
            code, subject = reason.named("revocation_unreachable", "revocation_failed", endpoint)
            failure = RevocationError(code=code, subject=subject)
        else:
            # An invalid token is a revoked one (section 2.2); Google says so with a 400.
            document = answer.json_object() or {}
            if answer.status == 200 or document.get("error") == "invalid_token":  # noqa: PLR2004
                return
            failure = RevocationError(code="revocation_failed", subject=f"{endpoint} (HTTP {answer.status})")
            if answer.status < 500 and answer.status != 429:  # noqa: PLR2004
                break
            wished = min(answer.retry_after() or 0.0, LONGEST_RETRY_PAUSE)
        if not tries.wait(wished):
            break
    raise failure
