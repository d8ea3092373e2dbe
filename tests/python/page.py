"""What the notebook page does in a sign-in, spoken directly: register, callback, envelope."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from make_answer_vectors import open_answer
from tokentoss.handoff.sealing import RecipientKey, SealingContext, request_nonce, seal
from tokentoss.oauth.id_token import access_token_hash
from tokentoss.util.base64url import b64url, from_b64url

ORIGIN = "https://notebook.example"


class Reply:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    def json(self) -> Any:
        return json.loads(self.text)


def send(origin: str, method: str, target: str, body: Any = None, **headers: str | None) -> Reply:
    """Send one raw request to a listener; headers override those that a browser would send."""
    authority = urlsplit(origin).netloc
    named: dict[str, str | None] = {"Host": authority}
    data = None
    if method == "POST":
        named |= {"Origin": origin, "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(origin).port, timeout=20)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        if data is not None and "Content-Length" not in named:
            named["Content-Length"] = str(len(data))
        for name, value in named.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(data)
        return Reply(connection.getresponse())
    finally:
        connection.close()


class Page:
    """A notebook page that follows the ticket of a widget."""

    def __init__(self, ticket: dict[str, Any]) -> None:
        self.ticket = ticket
        self.introduction_key = RecipientKey.generate()
        self.introduction_proof: str | None = None
        self.key = RecipientKey.generate()
        self.answer_key = b64url(secrets.token_bytes(32))
        self.proof: str | None = None
        """What vouches for its envelopes at the listener; known once it is registered."""
        self.client_secret: str | None = None
        self.salt = b64url(secrets.token_bytes(16))
        self.state = b64url(secrets.token_bytes(32))
        self.verifier = b64url(secrets.token_bytes(32))
        parts = urlsplit(ticket["redirect_uri"] or ticket["callback_pages"][0])
        self.listener = f"{parts.scheme}://{parts.netloc}"
        self.path = parts.path

    def context(self, purpose: str) -> SealingContext:
        return SealingContext(
            purpose, self.ticket["id"], self.ticket["client_id"], self.ticket["provider"]["issuer"]
        )

    def url(self, **changes: str | None) -> str:
        parameters: dict[str, str | None] = {
            "client_id": self.ticket["client_id"],
            "redirect_uri": self.ticket["redirect_uri"] or self.ticket["callback_pages"][0],
            "response_type": "code",
            "state": self.state,
        }
        parameters |= changes
        present = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.ticket['provider']['authorization_endpoint']}?{urlencode(present)}"

    def introduction(self, **changes: Any) -> dict[str, Any]:
        """The custom message with which a page makes itself known."""
        key = b64url(self.introduction_key.public)
        return {"type": "introduce", "ticket": self.ticket["id"], "key": key, "origin": ORIGIN} | changes

    def introduced(self, answer: dict[str, Any]) -> None:
        """Take the kernel's answer to the introduction."""
        assert {name: answer[name] for name in ("type", "ticket", "key")} == {
            "type": "introduced",
            "ticket": self.ticket["id"],
            "key": b64url(self.introduction_key.public),
        }
        opened = self.introduction_key.open(answer["sealed"], self.context("introduced"))
        self.introduction_proof = json.loads(opened)["proof"]

    def start(self, **changes: Any) -> str:
        """What the page tells the start page, sealed."""
        plaintext = {
            "url": self.url(),
            "key": b64url(self.key.public),
            "proof": self.introduction_proof,
            "answer_key": self.answer_key,
        } | changes
        return self.seal(plaintext, "start")

    def registration(self, **changes: Any) -> dict[str, str]:
        """What the start page passes on; the URL, the proof and the answer's key are inside the seal."""
        inside = {name: changes.pop(name) for name in ("url", "proof", "answer_key") if name in changes}
        if "key" in changes:
            inside["key"] = changes["key"]
        return {
            "ticket": self.ticket["id"],
            "origin": ORIGIN,
            "key": b64url(self.key.public),
            "sealed": self.start(**inside),
        } | changes

    def register(
        self, headers: dict[str, str | None] | None = None, *, says_yes: bool = True, **changes: Any
    ) -> Reply:
        """Register through the start page, on which the user says yes if need be."""
        members = self.registration(**changes)
        reply = send(self.listener, "POST", "/tokentoss/register", members, **(headers or {}))
        if says_yes and reply.status == 200 and "confirm" in reply.json():
            members["confirm"] = reply.json()["confirm"]
            reply = send(self.listener, "POST", "/tokentoss/register", members, **(headers or {}))
        if reply.status == 200 and "answer" in reply.json():
            self.told(open_answer(reply.json()["answer"], self.answer_key, members["ticket"], members["key"]))
        return reply

    def registered(self, message: dict[str, Any]) -> None:
        """Take the kernel's answer to a registration over the comm."""
        assert {name: message[name] for name in ("type", "ticket", "key")} == {
            "type": "registered",
            "ticket": self.ticket["id"],
            "key": b64url(self.key.public),
        }
        self.told(self.key.open(message["sealed"], self.context("registered")))

    def told(self, plaintext: bytes) -> None:
        """Learn what a registered page is told."""
        members = json.loads(plaintext)
        assert set(members) == {"proof", "client_secret"}
        self.proof, self.client_secret = members["proof"], members["client_secret"]

    def where(self, **changes: str) -> Reply:
        """What a start page without an opener asks."""
        members = {"ticket": self.ticket["id"], "key": b64url(self.key.public)} | changes
        return self.post("/tokentoss/where", **members)

    def callback(self, query: str | None = None, **headers: str | None) -> Reply:
        query = query if query is not None else urlencode({"code": "the-code", "state": self.state})
        return send(self.listener, "GET", f"{self.path}?{query}", **headers)

    def page_token(self, reply: Reply) -> str:
        start = reply.text.index('id="page"')
        block = reply.text[reply.text.index(">", start) + 1 : reply.text.index("</script>", start)]
        token: str = json.loads(block)["token"]
        return token

    def reach_callback(self) -> str:
        """Register and receive the callback; return the token of the callback page."""
        assert self.register().status == 200
        reply = self.callback()
        assert reply.status == 200
        return self.page_token(reply)

    def post(self, path: str, **members: str) -> Reply:
        return send(self.listener, "POST", path, members)

    @property
    def nonce(self) -> str:
        return request_nonce(self.ticket["nonce"], self.salt)

    def plaintext(self, fake: Any, claims: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        named = {"nonce": self.nonce, "at_hash": access_token_hash("access-1", "RS256")}
        return {
            "version": 2,
            "ticket": self.ticket["id"],
            "salt": self.salt,
            "proof": self.proof,
            "received_at": int(time.time()),
            "access_token": "access-1",
            "refresh_token": "refresh-1",
            "id_token": fake.id_token(**(named | (claims or {}))),
            "expires_in": 3600,
            "scopes": ["openid", "email"],
        } | changes

    def code(self, **changes: Any) -> dict[str, Any]:
        """What is sealed for the kernel to redeem."""
        return {
            "version": 2,
            "ticket": self.ticket["id"],
            "salt": self.salt,
            "proof": self.proof,
            "received_at": int(time.time()),
            "code": "the-code",
            "code_verifier": self.verifier,
            "redirect_uri": self.ticket["redirect_uri"],
        } | changes

    def code_envelope(self, **changes: Any) -> str:
        return self.seal(self.code(**changes), "code")

    def register_message(self, **changes: Any) -> dict[str, Any]:
        """The custom message with which a page registers that has not heard of a start page."""
        url = changes.pop("url", self.url())
        members = {"ticket": self.ticket["id"], "key": b64url(self.key.public)}
        return {"type": "register", "sealed": self.seal(url.encode(), "registration")} | members | changes

    def seal(self, plaintext: dict[str, Any] | bytes, purpose: str = "tokens") -> str:
        data = plaintext if isinstance(plaintext, bytes) else json.dumps(plaintext).encode()
        return seal(data, from_b64url(self.ticket["public_key"]), self.context(purpose))

    def envelope(self, fake: Any, claims: dict[str, Any] | None = None, **changes: Any) -> str:
        return self.seal(self.plaintext(fake, claims, **changes))
