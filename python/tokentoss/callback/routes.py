"""The listener's HTTP: which requests it answers, and how."""

from __future__ import annotations

import json
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tokentoss import error_codes
from tokentoss._version import __version__
from tokentoss.callback.answering import AnsweringHandler
from tokentoss.callback.own_server import is_own_server
from tokentoss.callback.pages import (
    callback_page,
    end_page,
    link_used,
    not_signed_in,
    signed_in,
    start_page,
)
from tokentoss.callback.peers import Peer, peer_of
from tokentoss.callback.sockets import BoundedReader
from tokentoss.exceptions import HandOffError, TokenTossError
from tokentoss.handoff.kernel_sign_in import BEGIN_PATH
from tokentoss.handoff.registration import page_key_of, registration_of
from tokentoss.handoff.relay import start_relay
from tokentoss.handoff.sealing import MAX_SEALED_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.callback.listener import LoopbackListener
    from tokentoss.handoff.registration import Registration
    from tokentoss.handoff.sign_in import HandOff
    from tokentoss.handoff.start import Start

START_PATH = "/tokentoss/start"
REGISTER_PATH = "/tokentoss/register"
WHERE_PATH = "/tokentoss/where"
RELAY_PATH = "/tokentoss/relay"
DELIVER_PATH = "/tokentoss/deliver"

MAX_TARGET = 32_768
"""Characters of the longest request target that is answered."""

MAX_BODY = MAX_SEALED_LENGTH + 4096
"""Bytes of the longest request body that is read."""

_MAX_HEADER_BYTES = 65_536


class RequestHandler(AnsweringHandler):
    """Answers one request and closes the connection."""

    protocol_version = "HTTP/1.1"
    server_version = f"tokentoss/{__version__}"
    sys_version = ""
    timeout = 5.0  # seconds for each read
    disable_nagle_algorithm = True  # head and body are two small writes
    listener: LoopbackListener
    peer: Peer

    def setup(self) -> None:
        """Prepare reading, with a limit on everything before the body."""
        super().setup()
        self.listener = self.server.listener  # type: ignore[attr-defined]
        self.peer = peer_of(self.connection)
        self.rfile = BoundedReader(self.rfile, _MAX_HEADER_BYTES)  # type: ignore[assignment]

    def handle(self) -> None:
        """Answer one request; what clients break off is no error of ours."""
        self.close_connection = True
        with suppress(OSError):
            self.handle_one_request()

    def parse_request(self) -> bool:
        """Parse the request head, then check what holds for every route."""
        if not super().parse_request():
            return False
        if self.peer is Peer.OTHER_USER:
            self._refuse_other_user()
            return False
        # One request a connection: nothing is smuggled behind the first.
        self.close_connection = True
        # The base class has rewritten a target that begins with two slashes.
        self.path = self.requestline.split()[1]
        if self.request_version == "HTTP/0.9" or len(self.path) > MAX_TARGET:
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return False
        # DNS rebinding: the browser must think that it talks to this very address.
        if self.headers.get_all("Host", []) != [self.listener.authority]:
            self.send_error(HTTPStatus.FORBIDDEN)
            return False
        return True

    def _refuse_other_user(self) -> None:
        code = "peer_of_another_user"
        if self.is_for_reading():
            self._refuse_sign_in(HTTPStatus.FORBIDDEN, code)
        else:
            self.answer_json(HTTPStatus.FORBIDDEN, {"code": code})

    def do_GET(self) -> None:
        """Serve the start page and the callback page, to top-level navigations only."""
        self.listener.connections.answering(self.connection)
        if not self._is_navigation():
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        path, _, query = self.path.partition("?")
        if path == START_PATH:
            self.answer(HTTPStatus.OK, *start_page(self.language()))
        elif path == BEGIN_PATH:
            self._begin(query)
        elif path in self.listener.redirect_paths():
            self._callback(path, query)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Take what the two pages say, from themselves only."""
        action = {
            REGISTER_PATH: self._register,
            WHERE_PATH: self._where,
            RELAY_PATH: self._relay,
            DELIVER_PATH: self._deliver,
        }.get(self.path)
        if action is None:
            status = (
                HTTPStatus.METHOD_NOT_ALLOWED
                if self.path.partition("?")[0] in {START_PATH, *self.listener.redirect_paths()}
                else HTTPStatus.NOT_FOUND
            )
            self.send_error(status)
            return
        if not self._is_own_page():
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        members = self._read_members()
        if members is not None:
            action(members)

    def _refuse_method(self) -> None:
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _refuse_method

    def _is_navigation(self) -> bool:
        headers = self.headers
        return (
            "Origin" not in headers
            and headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
            and headers.get("Sec-Fetch-Dest", "document") == "document"
            and "Sec-Purpose" not in headers
        )

    def _is_own_page(self) -> bool:
        headers = self.headers
        return (
            headers.get_all("Origin", []) == [self.listener.origin]
            and headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
            and headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json"
        )

    def _read_members(self) -> dict[str, str] | None:
        """Read a body that is a JSON object of strings; answer for itself and return None otherwise."""
        length = self.headers.get_all("Content-Length", [])
        if len(length) != 1 or not length[0].isascii() or not length[0].isdigit():
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return None
        if "Transfer-Encoding" in self.headers or len(length[0]) > 7 or int(length[0]) > MAX_BODY:  # noqa: PLR2004
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        body = self.rfile.read(int(length[0]))
        self.listener.connections.answering(self.connection)
        try:
            members = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict) or not all(isinstance(value, str) for value in members.values()):
            self.answer_json(HTTPStatus.BAD_REQUEST, {"code": "registration_refused"})
            return None
        return members

    def _register(self, members: dict[str, str]) -> None:
        origin = members.get("origin", "")
        try:
            hand_off = self.listener.hand_off(members.get("ticket", ""))
            if hand_off is None:
                raise HandOffError(code="ticket_unknown")
            start = _start_of(hand_off, members)
            registration = registration_of(hand_off, origin=origin, url=start.url, key=start.key)
            if not self._may_register(hand_off, start, origin):
                token = members.get("confirm", "")
                if not token or not hand_off.confirmations.use(token, registration.page_key, origin):
                    self.answer_json(HTTPStatus.OK, _question(hand_off, registration.page_key, origin))
                    return
            hand_off.register(registration)
            answer = hand_off.answer_to(registration, start.answer_key)
        except HandOffError as refusal:
            self.answer_json(HTTPStatus.FORBIDDEN, {"code": refusal.code})
            return
        self.answer_json(HTTPStatus.OK, {"url": start.url, "answer": answer})

    def _may_register(self, hand_off: HandOff, start: Start, origin: str) -> bool:
        """Tell whether a page needs no yes of the user: it was introduced, or is our own server's."""
        if hand_off.introductions.shows(start.proof, origin):
            return True
        return self.peer is Peer.TRUSTED and is_own_server(origin)

    def _where(self, members: dict[str, str]) -> None:
        """Tell a start page without an opener where to go on; it asks again while that is not known."""
        try:
            hand_off = self.listener.hand_off(members.get("ticket", ""))
            if hand_off is None:
                raise HandOffError(code="ticket_unknown")
            url = hand_off.registrations.address_for(page_key_of(members.get("key", "")))
        except HandOffError as refusal:
            self.answer_json(HTTPStatus.FORBIDDEN, {"code": refusal.code})
            return
        self.answer_json(HTTPStatus.OK, {"url": url})

    def _begin(self, key: str) -> None:
        """Send a browser that the kernel opened on to the provider."""
        for hand_off in self.listener.hand_offs():
            address = hand_off.in_kernel.begin(key) if hand_off.in_kernel else None
            if address is not None:
                self.answer(HTTPStatus.SEE_OTHER, b"", {"Location": address})
                return
        self.refuse(HTTPStatus.NOT_FOUND, link_used(self.language()))

    def _callback(self, path: str, query: str) -> None:
        state = _state_of_answer(query)
        hand_offs = [] if state is None else self.listener.hand_offs(path)
        language = self.language()
        try:
            for hand_off in hand_offs:
                registration = hand_off.take_callback(state or "", query)
                if registration is not None:
                    shown = (registration.page_token, registration.origin, hand_off.provider_name)
                    self.answer(HTTPStatus.OK, *callback_page(*shown, language))
                    return
            for hand_off in hand_offs:
                ended = hand_off.in_kernel.take_callback(query) if hand_off.in_kernel else None
                if ended is not None:
                    # Only now, because this page says how the sign-in ended.
                    if ended.code:
                        page = end_page(not_signed_in(ended.sentence(language), ended.code, language))
                        self.answer(HTTPStatus.BAD_REQUEST, *page)
                    else:
                        page = end_page(signed_in(hand_off.provider_name, hand_off.account, language))
                        self.answer(HTTPStatus.OK, *page)
                    return
        except TokenTossError as refusal:
            self._refuse_sign_in(HTTPStatus.BAD_REQUEST, refusal.code)
            return
        # Whoever sent this, the sign-in goes on waiting for the provider's answer.
        self._refuse_sign_in(HTTPStatus.BAD_REQUEST, "state_mismatch")

    def _refuse_sign_in(self, status: HTTPStatus, code: str) -> None:
        # The user may be the one who reads this, with no other place that says what happened.
        language = self.language()
        sentence = error_codes.sentence(code, language=language)
        self.refuse(status, not_signed_in(sentence, code, language))

    def _relay(self, members: dict[str, str]) -> None:
        self._for_page(members, self._start_relay)

    def _start_relay(self, hand_off: HandOff, registration: Registration) -> dict[str, str]:
        start_relay(hand_off, registration)
        return {"code": ""}

    def _deliver(self, members: dict[str, str]) -> None:
        def take(hand_off: HandOff, registration: Registration) -> dict[str, str]:
            return {"code": hand_off.deliver(members.get("sealed", ""), registration)}

        self._for_page(members, take)

    def _for_page(
        self, members: dict[str, str], act: Callable[[HandOff, Registration], dict[str, str]]
    ) -> None:
        for hand_off in self.listener.hand_offs():
            registration = hand_off.registrations.of_page(members.get("page_token", ""))
            if registration is not None:
                try:
                    self.answer_json(HTTPStatus.OK, act(hand_off, registration))
                except HandOffError as refusal:
                    self.answer_json(HTTPStatus.FORBIDDEN, {"code": refusal.code})
                return
        self.answer_json(HTTPStatus.FORBIDDEN, {"code": "ticket_unknown"})

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a fixed sentence."""
        self.listener.connections.answering(self.connection)
        super().send_error(code, message, explain)


def _start_of(hand_off: HandOff, members: dict[str, str]) -> Start:
    """Return what the page sealed, which must be of the attempt that the start page was opened for.

    Raises:
        HandOffError: ``registration_refused``, or ``ticket_unknown`` if the hand-off is over.
    """
    try:
        start = hand_off.open_start(members.get("sealed", ""))
    except HandOffError as refusal:
        code = "registration_refused" if refusal.code == "envelope_unreadable" else refusal.code
        raise HandOffError(code=code) from None
    if start.key != members.get("key", ""):
        raise HandOffError(code="registration_refused")
    return start


def _question(hand_off: HandOff, page_key: bytes, origin: str) -> dict[str, Any]:
    """Return what the start page asks the user; it knows the origin itself."""
    return {
        "confirm": hand_off.confirmations.ask(page_key, origin),
        "provider": hand_off.provider_name,
        "account": hand_off.login_hint,
        "client_id": hand_off.client_id,
        "scopes": hand_off.scopes,
    }


def _state_of_answer(query: str) -> str | None:
    """Return the state of what looks like a provider's answer."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return None
    states = [value for name, value in pairs if name == "state"]
    is_answer = len(states) == 1 and any(name in {"code", "error"} for name, _ in pairs)
    return states[0] if is_answer else None
