"""What a page tells the kernel through a start page, sealed: the start page passes it on unread."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tokentoss.exceptions import HandOffError
from tokentoss.handoff.answer import ANSWER_KEY_LENGTH
from tokentoss.util.base64url import from_b64url

_MAX_URL = 16_384


@dataclass(frozen=True)
class Start:
    """The attempt of a page.

    Args:
        url: The authorization request to which the popup is to go on.
        key: The attempt's HPKE public key, as text.
        proof: What the page got when it was introduced; None if it was not.
        answer_key: With which the answer is made.
    """

    url: str = field(repr=False)
    key: str
    proof: str | None = field(repr=False)
    answer_key: bytes = field(repr=False)


def read_start(plaintext: bytes) -> Start:
    """Read what was sealed for purpose ``start``.

    Raises:
        HandOffError: ``registration_refused`` if it is none.
    """
    try:
        members = json.loads(plaintext.decode("utf-8"))
        url, key, proof, answer_key = (members[name] for name in ("url", "key", "proof", "answer_key"))
        if (
            not isinstance(url, str)
            or len(url) > _MAX_URL
            or not isinstance(key, str)
            or not (proof is None or isinstance(proof, str))
        ):
            raise TypeError
        opened = from_b64url(answer_key)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise HandOffError(code="registration_refused") from None
    if len(opened) != ANSWER_KEY_LENGTH:
        raise HandOffError(code="registration_refused")
    return Start(url, key, proof, opened)
