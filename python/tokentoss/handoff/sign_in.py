"""The hand-off of one sign-in: its ticket, the pages that registered for it, the one envelope it takes."""

from __future__ import annotations

import hmac
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from tokentoss.exceptions import HandOffError, IdTokenError, SignInError, TokenTossError
from tokentoss.handoff.envelope import read_code, read_device_tokens, read_tokens
from tokentoss.handoff.registration import Registration, Registrations
from tokentoss.handoff.sealing import (
    CALLBACK,
    CLIENT_SECRET,
    CODE,
    DEVICE_TOKENS,
    REGISTRATION,
    TOKENS,
    RecipientKey,
    SealingContext,
    request_nonce,
    seal,
)
from tokentoss.handoff.ticket import Exchange, device_endpoint_of_page, ticket_of
from tokentoss.oauth.id_token import unverified_claims
from tokentoss.util.base64url import random_b64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.session.auth_manager import AuthManager

logger = logging.getLogger(__name__)

DECISION_TIMEOUT = 30.0
"""Seconds that a second way of the same envelope waits for the first one's decision."""


class KernelRequest(Protocol):
    """An authorization request of the kernel's own."""

    address: str

    def take_callback(self, query: str) -> str | None:
        """Take an answer that came to the listener; None if it is none to this request."""

    def paste(self, text: str) -> TokenTossError | None:
        """Take the address that the user ended on, and return what is wrong with it."""

    def cancel(self) -> None:
        """Take no answer any more."""


class HandOff:
    """One sign-in, from the ticket that the page reads to the envelope that the kernel takes.

    Args:
        manager: Whose client signs in, and who takes the tokens.
        redirect_uri: The loopback address to which the provider sends the popup, if there is one.
        callback_pages: Static callback pages to which it may send the popup instead.
        exchange: Who redeems the code.
        login_hint: The account that the provider should suggest.
        send: Sends a custom message to the page.
        decided: Called once with the code of the decision, ``""`` for a sign-in.
        is_listening: Whether somebody listens at the loopback address.

    Attributes:
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
        send: Callable[[dict[str, Any]], None],
        decided: Callable[[HandOff, str], None],
        is_listening: bool = True,
    ) -> None:
        self.id = random_b64url(16)
        self.redirect_uri = redirect_uri
        self.callback_pages = callback_pages
        self.registrations = Registrations()
        self.done = threading.Event()
        self.send = send
        self.is_listening = is_listening
        self.in_kernel: KernelRequest | None = None
        self._manager = manager
        self._exchange = exchange
        self.login_hint = login_hint
        self._decided = decided
        self._proof = random_b64url(32)
        self._nonce = random_b64url(32)
        self._key: RecipientKey | None = RecipientKey.generate()
        self._public_key = self._key.public
        self._code: str | None = None
        self._opened = False
        self._shown = False
        # Re-entrant, because a widget may be collected anywhere, and cancels then.
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"HandOff(id={self.id!r}, decided={self.done.is_set()})"

    @property
    def authorization_endpoint(self) -> str:
        """The address to which the popup may go on."""
        return self._manager.provider.authorization_endpoint

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
            proof=self._proof,
            nonce=self._nonce,
            public_key=self._public_key,
            redirect_uri=self.redirect_uri,
            callback_pages=self.callback_pages,
            exchange=self._exchange,
            login_hint=self.login_hint,
        )

    @property
    def is_deciding(self) -> bool:
        """Whether an envelope was opened and its decision is still to be shown."""
        return self._opened and not self._shown

    def knows_proof(self, proof: str) -> bool:
        """Tell whether a page has read the ticket."""
        return hmac.compare_digest(proof.encode("utf-8"), self._proof.encode("ascii"))

    def open_request(self, sealed: str) -> str:
        """Return the authorization request that a page sealed to the ticket's key.

        Raises:
            HandOffError: If the hand-off is over, or the text was not sealed for this.
        """
        with self._lock:
            key = self._key
        if key is None:
            raise HandOffError(code="ticket_unknown")
        return key.open(sealed, self._context(REGISTRATION)).decode("utf-8", "replace")

    def register(self, registration: Registration) -> str | None:
        """Keep a page's attempt and return the client secret sealed to it, or None if there is none.

        Raises:
            HandOffError: If the hand-off is over, or the page's key cannot be used.
        """
        secret = self._manager.client_config.client_secret
        sealed = None
        if secret:
            sealed = seal(secret.encode("utf-8"), registration.page_key, self._context(CLIENT_SECRET))
        with self._lock:
            if self._key is None:
                raise HandOffError(code="ticket_unknown")
            self.registrations.add(registration)
        self.prepare()
        return sealed

    def take_callback(self, state: str, query: str) -> Registration | None:
        """Return the registration that a callback belongs to, the first time it comes; else None."""
        return None if self.done.is_set() else self.registrations.take_callback(state, query)

    def sealed_callback(self, registration: Registration) -> str:
        """Return the provider's answer sealed to the page that started the attempt."""
        query = (registration.callback_query or "").encode("utf-8")
        return seal(query, registration.page_key, self._context(CALLBACK))

    def deliver(self, sealed: str) -> str:
        """Open an envelope, decide on it, and return the code of the decision (``""`` for a sign-in).

        The first envelope that opens is the only one: it consumes the ticket and its key, good or
        bad. The same envelope arriving a second way gets the same answer. One that does not open
        changes nothing, because anyone can make such a thing.
        """
        with self._lock:
            key = self._key
        if key is None:
            return self.decide(lambda: None)
        try:
            opened = self._open(key, sealed)
        except HandOffError as failure:
            return failure.code
        return self.decide(lambda: self._take(*opened))

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

    def _open(self, key: RecipientKey, sealed: str) -> tuple[str, bytes]:
        # Tokens without a nonce are for tickets with which a page could get them.
        without_nonce = [DEVICE_TOKENS] if self.device_authorization_endpoint else []
        for purpose in (TOKENS, *without_nonce):
            with suppress(HandOffError):
                return purpose, key.open(sealed, self._context(purpose))
        return CODE, key.open(sealed, self._context(CODE))

    def _take(self, purpose: str, plaintext: bytes) -> None:
        manager = self._manager
        if purpose == TOKENS:
            tokens = read_tokens(plaintext, self.id)
            manager.accept(
                tokens.response, nonce=self._request_nonce(tokens.salt), received_at=tokens.received_at
            )
        elif purpose == DEVICE_TOKENS:
            device = read_device_tokens(plaintext, self.id)
            id_token = device.response.id_token
            if id_token is not None and unverified_claims(id_token).get("nonce") is not None:
                # Made for another sign-in, whose nonce nobody here could compare.
                raise IdTokenError(code="id_token_nonce_mismatch")
            manager.accept(device.response, nonce=None, received_at=device.received_at)
        else:
            grant = read_code(plaintext, self.id, self.redirect_uris)
            manager.accept_code(
                grant.code,
                grant.code_verifier,
                grant.redirect_uri,
                nonce=self._request_nonce(grant.salt),
            )

    def _request_nonce(self, salt: str) -> str | None:
        return request_nonce(self._nonce, salt) if self._manager.provider.openid_connect else None

    def _decide(self, take: Callable[[], None]) -> None:
        try:
            take()
            code = ""
        except TokenTossError as failure:
            code = failure.code
            self._manager.last_error = failure
        except Exception as failure:
            # Whatever it was, the page must hear of an end; the log says what it was.
            logger.exception("the sign-in could not be taken")
            self._manager.last_error = SignInError(code="kernel_error", subject=type(failure).__name__)
            code = "kernel_error"
        self._code = code
        self.done.set()
        self._decided(self, code)
        self._shown = True

    def _context(self, purpose: str) -> SealingContext:
        return SealingContext(purpose, self.id, self.client_id, self._manager.provider.issuer)
