"""Calls of a broker's routes: one deadline, no redirects, its problems as exceptions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokentoss import error_codes
from tokentoss.broker.problem import refusal_of
from tokentoss.exceptions import TokenTossError, error_for
from tokentoss.util.backoff import Retry
from tokentoss.util.failures import TransportError
from tokentoss.util.http import DEADLINE, Answer, call
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker

PATIENCE = 6.0
"""Seconds in which a call that can be repeated is tried again: a broker that restarts is back by then."""

FIRST_PAUSE = 0.5
"""Longest pause in seconds before the first of these attempts; each later one is twice as long."""

MAX_SIZE = 1_048_576
"""Largest answer that is read, in bytes."""

_LASTING = frozenset({"certificate_untrusted", "broker_answer_invalid"})
_SUCCESS = range(200, 300)


def ask(
    broker: Broker,
    method: str,
    path: str,
    members: dict[str, Any] | None = None,
    *,
    patience: float | None = None,
    deadline: float = DEADLINE,
) -> Answer:
    """Call a route.

    Args:
        broker: The broker.
        method: The HTTP method.
        path: The route's path with its query, from ``/v1``.
        members: The JSON object to send.
        patience: Seconds in which the call is tried again after a passing failure; by default
            :data:`PATIENCE`, and 0 for one that must not come twice.
        deadline: Seconds for each try.

    Raises:
        TokenTossError: What the broker says, or ``broker_unreachable``.
    """
    tries = Retry(FIRST_PAUSE, PATIENCE if patience is None else patience)
    body = None if members is None else Secret(json.dumps(members))
    while True:
        try:
            return _answered(broker, method, path, body, deadline)
        except TokenTossError as failure:
            if failure.action != "retry" or not tries.wait(failure.retry_after or 0.0):
                raise


def _answered(broker: Broker, method: str, path: str, body: str | None, deadline: float) -> Answer:
    try:
        answer = call(
            method,
            broker.url + path,
            json=body,
            bearer=broker.key(),
            more_headers=broker.headers(),
            max_bytes=MAX_SIZE,
            deadline=deadline,
        )
    except TransportError as failure:
        raise _transport_error(failure, broker) from None
    if answer.status not in _SUCCESS:
        raise refusal_of(answer, broker.url)
    return answer


def _transport_error(failure: TransportError, broker: Broker) -> TokenTossError:
    code, subject = failure.named("broker_unreachable", "broker_answer_invalid", broker.url)
    if code not in {"broker_unreachable", "broker_answer_invalid"}:
        # A name, a certificate, a proxy: the sentence of that, and whose it is.
        error = error_for("broker_unreachable", broker.url)
        error.args = (error_codes.sentence(code, subject),)
        error.code = code
    else:
        error = error_for(code, subject if broker.url in subject else f"{broker.url} ({subject})")
    # To ask again is no use where the answer is what cannot be used.
    is_passing = error_codes.culprit(code) == "environment" and code not in _LASTING
    error.action = "retry" if is_passing else None
    return error
