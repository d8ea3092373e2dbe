"""The hand-off of one sign-in: its ticket, the pages that registered for it, the one envelope it takes."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tokentoss.exceptions import HandOffError, SignInError, TokenTossError
from tokentoss.handoff.answer import seal_answer
from tokentoss.handoff.confirmation import Confirmations
from tokentoss.handoff.device_tokens import PageGrants
from tokentoss.handoff.envelope import proof_of, read_code, read_device_tokens, read_tokens
from tokentoss.handoff.introduction import Introductions
from tokentoss.handoff.registration import Registration, Registrations
from tokentoss.handoff.sealing import (
    CALLBACK,
    CODE,
    DEVICE_TOKENS,
    INTRODUCED,
    REGISTERED,
    REGISTRATION,
    START,
    TOKENS,
    RecipientKey,
    SealingContext,
    seal,
)
from tokentoss.handoff.start import Start, read_start
from tokentoss.handoff.taking import take_code, take_device_tokens, take_tokens
from tokentoss.handoff.ticket import Exchange, device_endpoint_of_page, secret_goes_to_page, ticket_of
from tokentoss.util.base64url import random_b64url
from tokentoss.util.constant_time import same_text
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.handoff.kernel_request import KernelRequest
    from tokentoss.session.auth_manager import AuthManager

logger = logging.getLogger(__name__)

DECISION_TIMEOUT = 30.0
"""Seconds that a second way of the same envelope waits for the first one's decision."""


class HandOff:
    """One sign-in, from the ticket that the page reads to the envelope that the kernel takes.

    Args:
        manager: Whose client signs in, and who takes the tokens.
        redirect_uri: The loopback address to which the provider sends the popup, if there is one.
        callback_pages: Static callback pages to which it may send the popup instead.
        exchange: Who redeems the code.
        login_hint: The account that the provider should suggest.
        another_account: Whether the provider should ask which account to use.
        send: Sends a custom message to the page.
        decided: Called once, with the reason if the sign-in was refused.
        is_listening: Whether somebody listens at the loopback address.

    Attributes:
        introductions: The pages that made themselves known over the comm.
        confirmations: What the user is asked on start pages.
        registrations: The attempts of pages.
        page_grants: The pages that run a sign-in by code.
        in_kernel: The request that the kernel made by itself, for a page that cannot.
    """

    def __init__(
        self,
        manager: AuthManager,
        redirect_uri: str | None,
        *,
        callback_pages: tuple[str, ...] = (),
        exchange: Exchange = "auto",
        login_hint: str | None,
        another_account: bool = False,
        send: Callable[[dict[str, Any]], None],
        decided: Callable[[HandOff, TokenTossError | None], None],
        is_listening: bool = True,
    ) -> None:
        self.id = random_b64url(16)
        self.redirect_uri = redirect_uri
        self.callback_pages = callback_pages
        self.introductions = Introductions()
        self.confirmations = Confirmations()
        self.registrations = Registrations()
        self.page_grants = PageGrants()
        self.done = threading.Event()
        self.send = send
        self.is_listening = is_listening
        self.in_kernel: KernelRequest | None = None
        self._manager = manager
        self._exchange = exchange
        self.login_hint = login_hint
        self.another_account = another_account
        self._decided = decided
        self._nonce = random_b64url(32)
        self._key: RecipientKey | None = RecipientKey.generate()
        self._public_key = self._key.public
        self._code: str | None = None
        self._opened = False
        self._shown = False
        # Re-entrant, because a widget may be collected anywhere, and cancels then.
        self._lock = threading.RLock()
        anew_in_child(self, _lock=threading.RLock)

    def __repr__(self) -> str:
        return f"HandOff(id={self.id!r}, decided={self.done.is_set()})"

    @property
    def authorization_endpoint(self) -> str:
        """The address to which the popup may go on."""
        return self._manager.provider.authorization_endpoint

    @property
    def provider_name(self) -> str:
        """How the provider is called."""
        return self._manager.provider.name

    @property
    def account(self) -> str | None:
        """Who is signed in, for display only."""
        return self._manager.user_name

    @property
    def scopes(self) -> list[str]:
        """What is asked for."""
        return list(self._manager.scopes)

    @property
    def client_id(self) -> str:
        """The client that signs in."""
        return self._manager.client_config.client_id

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """Every address to which the provider may send the popup."""
        return (*([self.redirect_uri] if self.redirect_uri else []), *self.callback_pages)

    @property
    def device_authorization_endpoint(self) -> str | None:
        """Where the page may ask for a code by itself; None where only the kernel may, if anybody."""
        return device_endpoint_of_page(self._manager, self._exchange)

    def ticket(self) -> dict[str, Any]:
        """Return what the page needs to start a sign-in by itself. It holds no secret."""
        return ticket_of(
            self._manager,
            ticket_id=self.id,
            nonce=self._nonce,
            public_key=self._public_key,
            redirect_uri=self.redirect_uri,
            callback_pages=self.callback_pages,
            exchange=self._exchange,
            login_hint=self.login_hint,
            another_account=self.another_account,
        )

    @property
    def is_deciding(self) -> bool:
        """Whether an envelope was opened and its decision is still to be shown."""
        return self._opened and not self._shown

    def introduce(self, page_key: bytes, origin: str) -> str:
        """Return the proof of a page that made itself known over the comm, sealed to its key.

        Raises:
            HandOffError: If the hand-off is over, or the page's key or origin cannot be used.
        """
        self._require_key()
        proof = self.introductions.add(page_key, origin)
        return seal(json.dumps({"proof": proof}).encode("utf-8"), page_key, self._context(INTRODUCED))

    def open_start(self, sealed: str) -> Start:
        """Return what a page told through a start page.

        Raises:
            HandOffError: If the hand-off is over, or the text was not sealed for this.
        """
        return read_start(self._require_key().open(sealed, self._context(START)))

    def open_request(self, sealed: str) -> str:
        """Return the authorization request that a page sealed to the ticket's key.

        Raises:
            HandOffError: If the hand-off is over, or the text was not sealed for this.
        """
        opened = self._require_key().open(sealed, self._context(REGISTRATION))
        return opened.decode("utf-8", "replace")

    def register(self, registration: Registration) -> None:
        """Keep a page's attempt.

        Raises:
            HandOffError: If the hand-off is over, or nothing can be sealed to the page's key.
        """
        seal(b"", registration.page_key, self._context(CALLBACK))
        with self._lock:
            self._require_key()
            self.registrations.add(registration)
        self.prepare()

    def answer_to(self, registration: Registration, answer_key: bytes) -> str:
        """Return what a registered page is told through its start page, made with the key that it picked."""
        return seal_answer(
            self._told(registration), answer_key, ticket_id=self.id, page_key=registration.page_key
        )

    def sealed_answer_to(self, registration: Registration) -> str:
        """Return the same for a page that registered over the comm, sealed to its key.

        Raises:
            HandOffError: If the page's key cannot be used.
        """
        return seal(self._told(registration), registration.page_key, self._context(REGISTERED))

    def take_callback(self, state: str, query: str) -> Registration | None:
        """Return the registration that a callback belongs to, the first time it comes; else None.

        Raises:
            TokenTossError: ``issuer_missing`` or ``issuer_mismatch``; the attempt goes on waiting.
        """
        if self.done.is_set():
            return None
        return self.registrations.take_callback(state, query, self._manager.provider)

    def sealed_callback(self, registration: Registration) -> str:
        """Return the provider's answer sealed to the page that started the attempt."""
        query = (registration.callback_query or "").encode("utf-8")
        return seal(query, registration.page_key, self._context(CALLBACK))

    def deliver(self, sealed: str, registration: Registration | None = None) -> str:
        """Open an envelope, decide on it, and return the code of the decision (``""`` for a sign-in).

        The first envelope that opens is the only one: it consumes the ticket and its key, good or
        bad. The same envelope arriving a second way gets the same answer. One that does not open
        changes nothing, because anyone can make such a thing.

        Args:
            sealed: The envelope.
            registration: The attempt in whose name it came by the listener, whose proof it must hold, or
                else it changes nothing either. None if it came by the comm, which only the notebook can
                write to.
        """
        with self._lock:
            key = self._key
        if key is None:
            return self.decide(lambda: None)
        try:
            purpose, plaintext = self._open(key, sealed, by_listener=registration is not None)
        except HandOffError as failure:
            return failure.code
        if registration is not None and not same_text(proof_of(plaintext), registration.proof):
            return "proof_mismatch"
        return self.decide(lambda: self._take(purpose, plaintext))

    def decide(self, take: Callable[[], None]) -> str:
        """Decide, and return the code of the decision; there is one, whatever comes after the first.

        Args:
            take: Keeps the tokens, or raises what stands against them.
        """
        with self._lock:
            is_first = self._key is not None
            self._opened = self._opened or is_first
            self._key = None
        if is_first:
            self._decide(take)
        else:
            self.done.wait(DECISION_TIMEOUT)
        return "hand_over_timed_out" if self._code is None else self._code

    def prepare(self) -> None:
        """Fetch the provider's keys while the user signs in, so that the decision waits for no network."""
        if not self._manager.provider.openid_connect:
            return
        from tokentoss.oauth.jwks import published_keys  # noqa: PLC0415 - PyJWT is not needed before

        keys = published_keys(self._manager.provider.jwks_uri)
        with suppress(RuntimeError):  # there are no threads in Pyodide
            threading.Thread(target=keys.prefetch, name="tokentoss-keys", daemon=True).start()

    def cancel(self) -> None:
        """End the hand-off without an envelope."""
        with self._lock:
            in_kernel, is_over = self.in_kernel, self._key is None
            self._key = None
            if not is_over:
                self._code = "ticket_unknown"
        self.introductions.clear()
        if in_kernel is not None:
            in_kernel.cancel()
        if not is_over:
            self.done.set()

    def run_in_kernel(self, sign_in: KernelRequest) -> None:
        """Await the answer to a request of the kernel's own, in place of the one before."""
        with self._lock:
            before, self.in_kernel = self.in_kernel, sign_in
            is_over = self._key is None
        if before is not None:
            before.cancel()
        if is_over:
            sign_in.cancel()
        self.prepare()

    def _require_key(self) -> RecipientKey:
        with self._lock:
            if self._key is None:
                raise HandOffError(code="ticket_unknown")
            return self._key

    def _told(self, registration: Registration) -> bytes:
        is_told = secret_goes_to_page(self._manager, self._exchange)
        secret = self._manager.client_config.client_secret if is_told else None
        return json.dumps({"proof": registration.proof, "client_secret": secret}).encode("utf-8")

    def _open(self, key: RecipientKey, sealed: str, *, by_listener: bool) -> tuple[str, bytes]:
        purposes = [TOKENS] if self._manager.provider.openid_connect else []
        # Tokens without a nonce come by the comm alone, from a page that is getting them.
        if self.device_authorization_endpoint and self.page_grants.is_under_way and not by_listener:
            purposes.append(DEVICE_TOKENS)
        for purpose in purposes:
            with suppress(HandOffError):
                return purpose, key.open(sealed, self._context(purpose))
        return CODE, key.open(sealed, self._context(CODE))

    def _take(self, purpose: str, plaintext: bytes) -> None:
        manager = self._manager
        if purpose == TOKENS:
            take_tokens(manager, read_tokens(plaintext, self.id), self._nonce)
        elif purpose == DEVICE_TOKENS:
            take_device_tokens(manager, read_device_tokens(plaintext, self.id))
        else:
            take_code(manager, read_code(plaintext, self.id, self.redirect_uris), self._nonce)

    def _decide(self, take: Callable[[], None]) -> None:
        refusal: TokenTossError | None = None
        try:
            take()
        except TokenTossError as failure:
            refusal = failure
        except Exception as failure:
            # Whatever it was, the page must hear of an end; the log says what it was.
            logger.exception("the sign-in could not be taken")
            refusal = SignInError(code="kernel_error", subject=type(failure).__name__)
        if refusal is not None:
            self._manager.last_error = refusal
        self._code = "" if refusal is None else refusal.code
        self.done.set()
        self._decided(self, refusal)
        self._shown = True

    def _context(self, purpose: str) -> SealingContext:
        return SealingContext(purpose, self.id, self.client_id, self._manager.provider.issuer)
