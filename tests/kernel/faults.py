"""What a token endpoint can suffer from without a fault of the session, as switches of the local provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.oauth import token_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def give_up_after(patch: pytest.MonkeyPatch, seconds: float, when: Callable[[], bool] = lambda: True) -> None:
    """Shorten the wait for a token endpoint that does not answer; it is on the real clock.

    `when` tells whether it is the provider that is silent; a well one is given time on a busy machine, too.
    """
    call = token_endpoint.call

    def impatient(*request, **options):
        return call(*request, **options | ({"deadline": seconds} if when() else {}))

    patch.setattr(token_endpoint, "call", impatient)


def answers(status, content_type, body, **headers):
    answer = {"status": status, "content_type": content_type, "body": body}
    return {"token_answer": answer | {"headers": {name.replace("_", "-"): headers[name] for name in headers}}}


FAULTS = {
    "503 with a page": answers(503, "text/html", "<h1>Down</h1>"),
    "500 with an OAuth error": answers(500, "application/json", '{"error": "server_error"}'),
    "temporarily unavailable": answers(400, "application/json", '{"error": "temporarily_unavailable"}'),
    "429": answers(429, "application/json", "{}", Retry_After="30"),
    "200 with a page": answers(200, "text/html", "<h1>Sign in to the Wi-Fi</h1>"),
    "cut off JSON": answers(200, "application/json", '{"access_token": "a'),
    "no answer": {"token_hold": True},
    "connection closed": {"token_drop": True},
    "no keys": {"answers": {"/jwks": {"status": 503, "content_type": "text/plain", "body": ""}}},
    "clock five minutes fast": {},
    "clock five minutes slow": {},
}
# With rotation the provider forgets the old refresh token before its answer is lost: that is no chance.
FAULTS_WITHOUT_ROTATION = {"answer lost": {"token_answer_lost": True}, "answer drips": {"token_drip_ms": 5}}
# Those that end with the patience of the one who asks.
SILENT = {"no answer", "answer drips"}
WELL = {
    "token_answer": None,
    "token_hold": False,
    "token_drop": False,
    "token_answer_lost": False,
    "token_drip_ms": 0,
    "answers": {},
}
SKEWS = {"clock five minutes fast": 300, "clock five minutes slow": -300}
