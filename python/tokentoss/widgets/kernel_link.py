"""A widget's sign-in by link: run in the kernel, for a page in which WebAssembly cannot start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokentoss.handoff.kernel_sign_in import KernelSignIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.handoff.kernel_request import KernelRequest
    from tokentoss.handoff.sign_in import HandOff
    from tokentoss.session.auth_manager import AuthManager


class SignInByLink:
    """Answers the messages of a page that leaves the sign-in to the kernel.

    A link and an address that was pasted hold the state, so both go by message: no trait keeps them.

    Args:
        manager: Whose client signs in, and who takes the tokens.
        send: Sends a custom message to the page.
        show: Called with whether the user is now expected to follow a link.
    """

    def __init__(
        self, manager: AuthManager, send: Callable[[dict[str, Any]], None], show: Callable[[bool], None]
    ) -> None:
        self._manager = manager
        self._send = send
        self._show = show

    def take(self, content: dict[str, Any], hand_off: HandOff | None) -> None:
        """Act on a message, if it is one of these and a sign-in is awaited."""
        kind = content.get("type")
        if hand_off is None or hand_off.done.is_set():
            return
        if kind == "ask_for_link":
            sign_in = KernelSignIn(self._manager, hand_off)
            hand_off.run_in_kernel(sign_in)
            self._show(True)
            self._tell(hand_off, sign_in)
        elif kind == "drop_link" and hand_off.in_kernel is not None:
            hand_off.in_kernel.cancel()
            if not hand_off.is_deciding:
                self._show(False)
        elif kind == "paste" and content.get("ticket") == hand_off.id:
            self._take_address(content.get("address"), hand_off)

    def _take_address(self, address: object, hand_off: HandOff) -> None:
        sign_in = hand_off.in_kernel
        if sign_in is not None and isinstance(address, str):
            problem = sign_in.paste(address)
            if problem is not None:
                self._tell(hand_off, sign_in, str(problem))

    def _tell(self, hand_off: HandOff, sign_in: KernelRequest, problem: str | None = None) -> None:
        self._send(
            {
                "type": "link",
                "ticket": hand_off.id,
                "link": sign_in.address,
                # Where nobody listens, the address that the user ends on is the only answer.
                "paste": not hand_off.is_listening,
                "problem": problem,
            }
        )
