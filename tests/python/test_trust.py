"""A ticket alone is of no use to a hostile page, another program or a replay."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_provider import CLIENT_ID, FakeProvider
from page import ORIGIN, Page, send
from test_widget import customs, from_page, message
from tokentoss import AuthManager, AuthWidget, ClientConfig, ConfigurationError
from tokentoss.callback import routes
from tokentoss.callback.peers import Peer
from tokentoss.handoff import confirmation, device_tokens
from tokentoss.handoff.confirmation import MAX_QUESTIONS, Confirmations
from tokentoss.handoff.introduction import MAX_INTRODUCTIONS, Introductions
from tokentoss.handoff.remote_kernel import is_remote
from tokentoss.util.base64url import b64url

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")
EVIL = "https://evil.example"


@pytest.fixture
def widget(make_manager: Make) -> Iterator[AuthWidget]:
    widget = AuthWidget(auth_manager=make_manager())
    yield widget
    widget.close()


def introduce(widget: AuthWidget, page: Page, **changes: Any) -> None:
    message(widget, page.introduction(**changes))
    page.introduced(customs(widget)[-1])


def test_the_state_holds_nothing_that_lets_anybody_act(widget: AuthWidget, fake: FakeProvider) -> None:
    """State and messages hold no proof, secret, state or code (S1, rule 1)."""
    page = Page(widget.ticket)
    introduce(widget, page)
    message(widget, page.register_message())
    page.registered(customs(widget)[-1])
    token = page.reach_callback()
    page.post("/tokentoss/relay", page_token=token)
    everything = json.dumps(widget.get_state(), default=str) + str(widget.comm.__dict__) + repr(widget.ticket)
    assert "proof" not in widget.ticket
    for secret in (page.introduction_proof, page.proof, page.client_secret, page.state, token, "the-code"):
        assert secret is not None
        assert secret not in everything


def test_a_hostile_page_is_asked_about(widget: AuthWidget) -> None:
    """A page without a proof is not registered until the user confirms (S1, H9)."""
    page = Page(widget.ticket)
    reply = page.register(origin=EVIL, says_yes=False)
    question = reply.json()
    assert reply.status == 200
    assert {name: question[name] for name in question if name != "confirm"} == {
        "provider": "Fake",
        "account": None,
        "client_id": CLIENT_ID,
        "scopes": ["openid", "email", "profile"],
    }
    assert page.callback().status == 400, "it is not registered"
    assert page.where().json() == {"url": None}


def test_an_introduced_page_is_not_asked_about(widget: AuthWidget) -> None:
    """An introduced page registers without a confirmation (rule 3)."""
    page = Page(widget.ticket)
    introduce(widget, page)
    assert "answer" in page.register(says_yes=False).json()


def test_a_proof_is_good_for_its_origin_alone(widget: AuthWidget) -> None:
    """A page with an introduction's proof but another origin is asked to confirm (S1, rule 3)."""
    page = Page(widget.ticket)
    introduce(widget, page)
    assert "confirm" in page.register(origin=EVIL, says_yes=False).json()


@pytest.mark.parametrize("proof", ["", "A" * 43, "\ud800", None])
def test_another_proof_is_none(widget: AuthWidget, proof: str | None) -> None:
    """A wrong or malformed proof leads to the confirmation (S13)."""
    introduce(widget, Page(widget.ticket))
    assert "confirm" in Page(widget.ticket).register(proof=proof, says_yes=False).json()


@pytest.mark.parametrize("member", ["ticket", "key", "origin", "sealed", "confirm", "page_token"])
@pytest.mark.parametrize("path", ["register", "where", "relay", "deliver"])
def test_a_lone_surrogate_is_answered(widget: AuthWidget, path: str, member: str) -> None:
    """A lone surrogate in any member of a request is answered with 200 or 403 (S13)."""
    page = Page(widget.ticket)
    page.reach_callback()
    members = page.registration() | {member: "\ud800"}
    assert send(page.listener, "POST", f"/tokentoss/{path}", members).status in {200, 403}


def test_a_yes_counts_once_and_for_one_page(widget: AuthWidget) -> None:
    """A confirmation counts once, for its ticket, key and origin (rule 3)."""
    page, other = Page(widget.ticket), Page(widget.ticket)
    token = page.register(says_yes=False).json()["confirm"]
    assert "confirm" in other.register(says_yes=False, confirm=token).json(), "another key"
    assert "confirm" in page.register(says_yes=False, confirm=token).json(), "it was used"
    token = page.register(says_yes=False).json()["confirm"]
    assert "confirm" in page.register(says_yes=False, confirm=token, origin=EVIL).json()
    token = page.register(says_yes=False).json()["confirm"]
    assert "answer" in page.register(says_yes=False, confirm=token).json()


def test_a_yes_of_another_ticket(widget: AuthWidget, make_manager: Make) -> None:
    other = AuthWidget(auth_manager=make_manager())
    page = Page(widget.ticket)
    token = Page(other.ticket).register(says_yes=False).json()["confirm"]
    assert "confirm" in page.register(says_yes=False, confirm=token).json()


def test_a_yes_is_too_late_after_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    questions, now = Confirmations(), time.monotonic()
    token = questions.ask(b"key", ORIGIN)
    monkeypatch.setattr(confirmation.time, "monotonic", lambda: now + confirmation.LIFETIME + 5)
    assert not questions.use(token, b"key", ORIGIN)


def test_questions_are_bounded() -> None:
    questions = Confirmations()
    tokens = [questions.ask(b"key", ORIGIN) for _ in range(MAX_QUESTIONS + 1)]
    assert not questions.use(tokens[0], b"key", ORIGIN)
    assert questions.use(tokens[-1], b"key", ORIGIN)
    assert not questions.use("\ud800", b"key", ORIGIN)


def test_introductions_are_bounded() -> None:
    """The oldest introduction is dropped, and the same key gets the same proof again."""
    known = Introductions()
    proofs = [known.add(bytes([number]) * 32, ORIGIN) for number in range(MAX_INTRODUCTIONS + 1)]
    assert [known.shows(proof, ORIGIN) for proof in proofs] == [False] + [True] * MAX_INTRODUCTIONS
    assert known.add(bytes([5]) * 32, ORIGIN) == proofs[5]
    assert len(set(proofs)) == len(proofs)
    assert proofs[5] not in repr(known._by_key)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "null"},
        {"origin": "*"},
        {"origin": ""},
        {"origin": None},
        {"ticket": "other"},
        {"ticket": 5},
        {"key": "short"},
        {"key": b64url(bytes(32))},
        {"key": None},
    ],
)
def test_an_introduction_of_the_wrong_form_is_not_answered(
    widget: AuthWidget, change: dict[str, Any]
) -> None:
    message(widget, Page(widget.ticket).introduction(**change))
    assert customs(widget) == []


def test_a_key_keeps_its_origin(widget: AuthWidget) -> None:
    page = Page(widget.ticket)
    introduce(widget, page)
    message(widget, page.introduction(origin=EVIL))
    assert len(customs(widget)) == 1


def test_an_introduction_ends_with_its_ticket(widget: AuthWidget, fake: FakeProvider) -> None:
    """An introduction's proof is refused once its ticket is used (rule 2)."""
    page = Page(widget.ticket)
    introduce(widget, page)
    hand_off = widget._attempt.hand_off
    assert hand_off is not None
    from_page(widget, sealed_tokens=page.envelope(fake))
    assert not hand_off.introductions.shows(page.introduction_proof, ORIGIN)
    message(widget, page.introduction())
    assert len(customs(widget)) == 1


@pytest.mark.parametrize("proof", [None, "A" * 43, 5, "\ud800", "introduction"])
@pytest.mark.parametrize("purpose", ["tokens", "code"])
def test_a_strangers_envelope_at_the_listener_consumes_nothing(
    widget: AuthWidget, fake: FakeProvider, proof: Any, purpose: str
) -> None:
    """An envelope with a wrong proof uses nothing up (S2, S3, rule 5)."""
    page = Page(widget.ticket)
    introduce(widget, page)
    token = page.reach_callback()
    wrong = page.introduction_proof if proof == "introduction" else proof
    plaintext = page.plaintext(fake) if purpose == "tokens" else page.code()
    sealed = page.seal(plaintext | {"proof": wrong}, purpose)
    reply = page.post("/tokentoss/deliver", page_token=token, sealed=sealed)
    assert reply.json() == {"code": "proof_mismatch"}
    assert not widget.is_authenticated
    assert widget.ticket == page.ticket
    assert widget.error_code == ""
    sealed = page.envelope(fake)
    assert page.post("/tokentoss/deliver", page_token=token, sealed=sealed).json() == {"code": ""}
    assert widget.is_authenticated


def test_the_proof_of_one_attempt_is_no_other_ones(widget: AuthWidget, fake: FakeProvider) -> None:
    """The proof of another attempt is refused (rule 5)."""
    page, other = Page(widget.ticket), Page(widget.ticket)
    token = page.reach_callback()
    other.register()
    sealed = page.envelope(fake, proof=other.proof)
    reply = page.post("/tokentoss/deliver", page_token=token, sealed=sealed)
    assert reply.json() == {"code": "proof_mismatch"}


def test_the_comm_vouches_for_itself(widget: AuthWidget, fake: FakeProvider) -> None:
    """An envelope that comes by the comm needs no proof (rule 5)."""
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake, proof=None))
    assert widget.is_authenticated


@pytest.mark.parametrize("change", [{"key": b64url(bytes(31) + b"\1")}, {"sealed": "x"}])
def test_what_a_start_page_passes_on_is_what_was_sealed(widget: AuthWidget, change: dict[str, str]) -> None:
    """A registration that was changed on its way is refused (rule 6)."""
    members = Page(widget.ticket).registration() | change
    reply = send(Page(widget.ticket).listener, "POST", "/tokentoss/register", members)
    assert (reply.status, reply.json()) == (403, {"code": "registration_refused"})


@pytest.mark.parametrize("exchange", ["auto", "kernel"])
def test_the_secret_of_a_web_client_stays_here(make_manager: Make, exchange: Any) -> None:
    """No page gets the secret of a web client (S4, rule 9)."""
    uri = "http://127.0.0.1:18765/back"
    config = ClientConfig("web-client", "secret-1", client_type="web", redirect_uris=[uri])
    widget = AuthWidget(auth_manager=make_manager(client_config=config), exchange=exchange)
    assert (widget.ticket["client_secret_sealed"], widget.ticket["exchange"]) == (False, "kernel")
    page = Page(widget.ticket)
    page.register()
    assert page.proof
    assert page.client_secret is None
    message(widget, page.register_message())
    page.registered(customs(widget)[-1])
    assert page.client_secret is None
    widget.close()


def test_a_page_cannot_redeem_for_a_web_client(make_manager: Make) -> None:
    """exchange="browser" is refused for a web client (rule 9)."""
    config = ClientConfig(
        "web-client", "secret-1", client_type="web", redirect_uris=["http://127.0.0.1:18765/back"]
    )
    with pytest.raises(ConfigurationError, match='exchange="kernel"'):
        AuthWidget(auth_manager=make_manager(client_config=config), exchange="browser")


def test_a_page_knows_no_further_audiences(fake: FakeProvider, make_manager: Make) -> None:
    """A provider with trusted_audiences needs the exchange in the kernel (F11)."""
    provider = fake.provider(trusted_audiences=("2000@proj",))
    widget = AuthWidget(auth_manager=make_manager(provider=provider))
    assert widget.ticket["exchange"] == "kernel"
    widget.close()
    with pytest.raises(ConfigurationError, match='exchange="kernel"'):
        AuthWidget(auth_manager=make_manager(provider=provider), exchange="browser")


def test_the_secret_stays_here_where_the_kernel_redeems(make_manager: Make) -> None:
    """With exchange="kernel", no page gets the client secret (rule 9)."""
    widget = AuthWidget(auth_manager=make_manager(), exchange="kernel")
    page = Page(widget.ticket)
    page.register()
    assert (page.client_secret, widget.ticket["client_secret_sealed"]) == (None, False)


def test_tokens_are_for_openid_connect_alone(make_manager: Make, fake: FakeProvider) -> None:
    """Without OpenID Connect, an envelope of tokens is refused (rule 10)."""
    provider = fake.provider(
        openid_connect=False, jwks_uri="", scopes=(), identity_endpoint=fake.issuer + "/me"
    )
    widget = AuthWidget(auth_manager=make_manager(provider=provider))
    hand_off = widget._attempt.hand_off
    assert hand_off is not None
    assert hand_off.deliver(Page(widget.ticket).envelope(fake)) == "envelope_unreadable"
    assert not hand_off.done.is_set()


@pytest.mark.parametrize("nonce", ["\ud800", 5, None])
def test_a_nonce_that_is_no_unicode(widget: AuthWidget, fake: FakeProvider, nonce: Any) -> None:
    """A nonce with a lone surrogate is refused as a mismatch (S17)."""
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake, {"nonce": nonce}))
    assert (widget.error_code, widget.is_authenticated) == ("id_token_nonce_mismatch", False)


class TestDeviceTokens:
    """Device tokens count only by the comm, fresh, and for a code under way (rule 10)."""

    @pytest.fixture
    def widget(self, fake: FakeProvider, make_manager: Make) -> AuthWidget:
        provider = fake.provider(device_authorization_endpoint=fake.issuer + "/device")
        return AuthWidget(
            auth_manager=make_manager(provider=provider, client_config=ClientConfig(CLIENT_ID, ""))
        )

    def report(self, widget: AuthWidget, number: int, phase: str, page: int = 1) -> None:
        ticket = widget.ticket["id"]
        message(widget, {"type": "report", "ticket": ticket, "page": page, "number": number, "phase": phase})

    def sealed(self, widget: AuthWidget, fake: FakeProvider, **claims: Any) -> str:
        page = Page(widget.ticket)
        return page.seal(page.plaintext(fake, {"nonce": None} | claims, salt=None), "device_tokens")

    def test_under_way(self, widget: AuthWidget, fake: FakeProvider) -> None:
        self.report(widget, 1, "code")
        self.report(widget, 2, "signing_in")
        from_page(widget, sealed_tokens=self.sealed(widget, fake))
        assert widget.is_authenticated

    @pytest.mark.parametrize(
        "phases", [[], ["waiting"], ["code", "ready"], ["code", "failed"], ["signing_in"]]
    )
    def test_not_under_way(self, widget: AuthWidget, fake: FakeProvider, phases: list[str]) -> None:
        ticket = widget.ticket
        for number, phase in enumerate(phases):
            self.report(widget, number, phase)
        from_page(widget, sealed_tokens=self.sealed(widget, fake))
        assert (widget.is_authenticated, widget.ticket) == (False, ticket)

    def test_another_page_that_is_idle_changes_nothing(self, widget: AuthWidget, fake: FakeProvider) -> None:
        self.report(widget, 1, "code")
        self.report(widget, 1, "ready", page=2)
        from_page(widget, sealed_tokens=self.sealed(widget, fake))
        assert widget.is_authenticated

    def test_not_by_the_listener(self, widget: AuthWidget, fake: FakeProvider) -> None:
        self.report(widget, 1, "code")
        page = Page(widget.ticket)
        token = page.reach_callback()
        sealed = page.seal(page.plaintext(fake, {"nonce": None}, salt=None), "device_tokens")
        reply = page.post("/tokentoss/deliver", page_token=token, sealed=sealed)
        assert reply.json() == {"code": "envelope_unreadable"}
        assert not widget.is_authenticated

    @pytest.mark.parametrize(
        ("claims", "code"),
        [
            ({"nonce": "of another sign-in"}, "id_token_nonce_mismatch"),
            ({"at_hash": "AAAA"}, "id_token_access_token_hash_mismatch"),
            ({"iat": int(time.time()) - device_tokens.MAX_AGE - 100}, "id_token_expired"),
            ({"iat": None}, "id_token_issued_at_invalid"),
        ],
    )
    def test_tokens_of_another_time_or_place(
        self, widget: AuthWidget, fake: FakeProvider, claims: dict[str, Any], code: str
    ) -> None:
        self.report(widget, 1, "code")
        from_page(widget, sealed_tokens=self.sealed(widget, fake, **claims))
        assert (widget.error_code, widget.is_authenticated) == (code, False)


@pytest.mark.parametrize(
    ("environment", "remote"),
    [
        ({}, False),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, False),
        ({"JUPYTERHUB_PUBLIC_URL": "http://127.0.0.1:8000/user/ada/"}, False),
        ({"JUPYTERHUB_HOST": ""}, False),
        ({"JUPYTERHUB_HOST": "https://hub.example"}, True),
        ({"JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example/hub/"}, True),
        ({"CODESPACES": "true"}, True),
        ({"COLAB_RELEASE_TAG": "release"}, True),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, True),
    ],
)
def test_where_loopback_leads_nowhere(environment: dict[str, str], remote: bool) -> None:
    """Hosts known to be remote are recognized by their environment (rule 6)."""
    assert is_remote(environment) is remote


def test_the_ticket_says_that_the_kernel_is_remote(
    make_manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODESPACES", "true")
    assert AuthWidget(auth_manager=make_manager()).ticket["remote_kernel"] is True


def test_an_unknown_peer_with_a_proof(widget: AuthWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    """An introduced page registers even if its peer is unknown (rule 4)."""
    monkeypatch.setattr(routes, "peer_of", lambda connection: Peer.UNKNOWN)
    page = Page(widget.ticket)
    introduce(widget, page)
    assert "answer" in page.register(says_yes=False).json()
