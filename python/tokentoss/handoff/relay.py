"""The second way of a provider's answer: through the kernel, when the popup has lost its opener."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentoss.handoff.registration import Registration
    from tokentoss.handoff.sign_in import HandOff

logger = logging.getLogger(__name__)

PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between two sendings: one is lost if the page registers its handler only later."""


def start_relay(hand_off: HandOff, registration: Registration) -> None:
    """Send a callback, sealed, to the page that started the attempt, until the hand-off is decided."""
    if registration.relayed:
        return
    registration.relayed = True
    message = {
        "type": "relay",
        "ticket": hand_off.id,
        "sealed": hand_off.sealed_callback(registration),
    }
    threading.Thread(target=_relay, args=(hand_off, message), name="tokentoss-relay", daemon=True).start()


def _relay(hand_off: HandOff, message: dict[str, str]) -> None:
    for pause in PAUSES:
        try:
            hand_off.send(message)
        except Exception as failure:  # noqa: BLE001 - a comm of a host that is going away can raise anything
            logger.debug("the callback could not be relayed: %s", type(failure).__name__)
        if hand_off.done.wait(pause):
            return
