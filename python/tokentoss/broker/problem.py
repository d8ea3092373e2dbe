"""Problem details of a broker (RFC 9457), as the exceptions that callers know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tokentoss import error_codes, texts
from tokentoss.exceptions import NoCredentialsError, TokenTossError, error_for
from tokentoss.util.http import LONGEST_RETRY_AFTER

if TYPE_CHECKING:
    from tokentoss.util.http import Answer

AMBIGUOUS = "account_ambiguous"
"""The code for several connected accounts, of which none is named."""

CONTENT_TYPE = "application/problem+json"

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ACTIONS = frozenset({"sign_in", "ask_admin", "retry", "fix_config"})
_TRACE = re.compile(r"[0-9a-f]{32}")
_GATEWAY = frozenset({502, 503, 504})
_MAX_TITLE = 300


def refusal_of(answer: Answer, where: str) -> TokenTossError:
    """Return the exception for an answer that is no success.

    Args:
        answer: The answer.
        where: The broker's address.
    """
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    members = answer.json_object() if kind == CONTENT_TYPE else None
    if members is None or _text(members, "code") is None:
        # What stands in front of a broker that is away says so in words of its own.
        code = "broker_unreachable" if answer.status in _GATEWAY else "broker_answer_invalid"
        failure = error_for(code, f"{where} (HTTP {answer.status})")
        failure.action = "retry" if answer.status in _GATEWAY else None
        failure.retry_after = answer.retry_after()
        return failure
    return error_of(members, where, answer.retry_after())


def error_of(members: dict[str, Any], where: str, retry_after: float | None = None) -> TokenTossError:
    """Return the exception for the members of a problem.

    Args:
        members: The members; those that are not as the interface has them count as missing.
        where: The broker's address.
        retry_after: What the header ``Retry-After`` says, in seconds.
    """
    code = _text(members, "code") or "broker_answer_invalid"
    action = members.get("action")
    trace = members.get("trace_id")
    trace_id = trace if isinstance(trace, str) and _TRACE.fullmatch(trace) else None
    # An administrator finds the reason by it; to others it says nothing.
    place = f"{where}, trace {trace_id}" if trace_id and action == "ask_admin" else where
    failure = several_accounts(where) if code == AMBIGUOUS else _titled(code, members.get("title"), place)
    # Also one that this version does not know.
    failure.code = code
    failure.cause = _text(members, "cause")
    failure.subject, failure.trace_id = error_codes.printable(where), trace_id
    failure.action = action if isinstance(action, str) and action in _ACTIONS else None
    failure.retry_after = retry_after if retry_after is not None else _seconds(members.get("retry_after"))
    return failure


def several_accounts(where: str) -> NoCredentialsError:
    """Return the error for several connected accounts: what helps is the user's to do, and not the request's.

    Args:
        where: The broker's address.
    """
    return NoCredentialsError(code=AMBIGUOUS, subject=where, case="broker")


def _titled(code: str, title: object, where: str) -> TokenTossError:
    is_known = error_codes.is_known(code)
    failure = error_for(code if is_known else "broker_answer_invalid", where)
    # Brokers write English.
    if isinstance(title, str) and title.strip() and not (is_known and texts.language() != texts.ENGLISH):
        failure.args = (f"{error_codes.printable(title, _MAX_TITLE)} [{where}]",)
    return failure


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # Limited first: not every number that JSON can hold is a float.
    return float(min(max(value, 0), LONGEST_RETRY_AFTER))


def _text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None
