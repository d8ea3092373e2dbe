"""What a page says to the sign-in widget beside its traits: reports, registrations, repeated envelopes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tokentoss import error_codes
from tokentoss.exceptions import HandOffError, TokenTossError, error_for
from tokentoss.handoff.registration import page_key_of, registration_of
from tokentoss.widgets.sign_in_traits import PHASES, WAITING_BY_WAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.handoff.sign_in import HandOff

logger = logging.getLogger(__name__)


class Reports:
    """Reads the reports of pages on how far their sign-in is."""

    def __init__(self) -> None:
        self._latest: tuple[object, int] = None, 0

    def take(self, content: dict[str, Any], hand_off: HandOff | None) -> TokenTossError | str | None:
        """Return the status that a report calls for, or what went wrong; None for no news.

        Args:
            content: The report.
            hand_off: The hand-off that is awaited.
        """
        if hand_off is None or content.get("ticket") != hand_off.id or hand_off.done.is_set():
            return None
        if self._is_overtaken(content):
            return None
        phase, code, subject = (content.get(name) for name in ("phase", "code", "subject"))
        hand_off.page_grants.report(content.get("page"), phase)
        if isinstance(phase, str) and phase in PHASES:
            if phase == "code":  # no page registers for it
                hand_off.prepare()
            way = content.get("way") if phase == "waiting" else None
            status = WAITING_BY_WAY.get(way) if isinstance(way, str) else None
            return status or PHASES[phase]
        if phase == "failed" and isinstance(code, str) and error_codes.is_known(code):
            return error_for(code, subject if isinstance(subject, str) and subject else None)
        return None

    def _is_overtaken(self, report: dict[str, Any]) -> bool:
        """Tell whether a later report of the same page came first: two threads may read one comm."""
        page, number = report.get("page"), report.get("number")
        latest_page, latest = self._latest
        if page == latest_page and isinstance(number, int) and number <= latest:
            return True
        self._latest = page, number if isinstance(number, int) else 0
        return False


def deliver_again(content: dict[str, Any], hand_off: HandOff | None) -> None:
    """Take an envelope whose trait may have been lost on its way."""
    sealed = content.get("sealed")
    if hand_off is not None and content.get("ticket") == hand_off.id and isinstance(sealed, str):
        hand_off.deliver(sealed)


def introduce(
    content: dict[str, Any], hand_off: HandOff | None, send: Callable[[dict[str, Any]], None]
) -> None:
    """Give a page that makes itself known a proof, sealed to its key: only the notebook can ask for it here.

    Args:
        content: What the page says.
        hand_off: The hand-off that is awaited.
        send: Sends a custom message to the page.
    """
    members = _texts(content, "ticket", "key", "origin")
    if members is None or hand_off is None or members["ticket"] != hand_off.id:
        return
    try:
        sealed = hand_off.introduce(page_key_of(members["key"]), members["origin"])
    except HandOffError as refusal:
        # The page goes on without: the user is asked on the start page instead.
        logger.debug("a page was not introduced: %s", refusal.code)
        return
    send({"type": "introduced", "ticket": hand_off.id, "key": members["key"], "sealed": sealed})


def register(
    content: dict[str, Any], hand_off: HandOff | None, send: Callable[[dict[str, Any]], None]
) -> None:
    """Register a page that says so itself, because the start page has not, and answer it.

    Args:
        content: What the page says.
        hand_off: The hand-off that is awaited.
        send: Sends a custom message to the page.
    """
    members = _texts(content, "ticket", "key", "sealed")
    if members is None or hand_off is None or members["ticket"] != hand_off.id:
        return
    key = members["key"]
    try:
        url = hand_off.open_request(members["sealed"])
        registration = registration_of(hand_off, origin=None, url=url, key=key)
        hand_off.register(registration)
        sealed = hand_off.sealed_answer_to(registration)
    except HandOffError as refusal:
        # The page goes on without: the code then comes to the kernel, if it comes at all.
        logger.debug("a page was not registered: %s", refusal.code)
        return
    send({"type": "registered", "ticket": hand_off.id, "key": key, "sealed": sealed})


def _texts(content: dict[str, Any], *names: str) -> dict[str, str] | None:
    """Return members that must be texts; None if one is not."""
    members = {name: content.get(name) for name in names}
    texts = {name: value for name, value in members.items() if isinstance(value, str)}
    return texts if len(texts) == len(names) else None
