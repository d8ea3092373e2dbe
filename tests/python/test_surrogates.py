"""Lone surrogates, which ``json.loads`` accepts and ``encode`` refuses, in all texts from outside.

Everything ends in a result or an error of this package, and what is shown, sent or stored can be encoded. A
longer run: ``TOKENTOSS_FUZZ_EXAMPLES=100000 python -m pytest tests/python/test_surrogates.py``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from page import Page
from test_auth_manager import stored
from test_outside_documents import EXAMPLES
from tokentoss import (
    AuthManager,
    AuthWidget,
    ClientConfig,
    FileStorage,
    IAPClient,
    MemoryStorage,
    TokenTossError,
    cli,
)
from tokentoss.callback.peers import Peer
from tokentoss.oauth.token_response import TokenRequestError, tokens_in
from tokentoss.storage import TokenData
from widget_world import Request

Make = Callable[..., AuthManager]

HALVES = st.sampled_from(["\ud800", "\udfff", "\udcff", "a\ud800b", "\udc00\ud800"])
TEXTS = HALVES | st.text(st.characters(exclude_categories=()), max_size=8)
VALUES = (
    TEXTS
    | st.none()
    | st.integers()
    | st.lists(TEXTS, max_size=2)
    | st.dictionaries(TEXTS, TEXTS, max_size=2)
)

fuzzed = settings(
    max_examples=max(EXAMPLES // 4, 50),
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def encodes(*shown: Any) -> None:
    """What goes to a page, a terminal, a log or a file has a UTF-8 form."""
    for one in shown:
        text = one if isinstance(one, str) else json.dumps(one, default=repr, ensure_ascii=False)
        text.encode()


def outcome(act: Callable[[], Any]) -> Any:
    """Return what a call returns, or its error, whose texts can be encoded."""
    try:
        return act()
    except TokenTossError as failure:
        encodes(str(failure), repr(failure), failure.code)
        return failure


def state(widget: AuthWidget) -> dict[str, Any]:
    return {name: getattr(widget, name) for name in widget.own_traits()}


CLAIMS = st.dictionaries(
    st.sampled_from(
        ["sub", "email", "name", "preferred_username", "iss", "aud", "azp", "hd", "nonce", "at_hash"]
    ),
    VALUES,
    max_size=3,
)
MEMBERS = st.dictionaries(
    st.sampled_from(["access_token", "refresh_token", "id_token", "scope", "token_type", "expires_in", "x"]),
    VALUES,
    max_size=2,
)


@fuzzed
@given(CLAIMS, MEMBERS)
@example({"sub": "\ud800"}, {})
@example({}, {"access_token": "\ud800"})
@example({}, {"refresh_token": "\ud800"})
@example({}, {"scope": "openid \ud800"})
@example({"at_hash": "\ud800"}, {})
def test_tokens_and_claims(
    make_manager: Make,
    fake: FakeProvider,
    tmp_path_factory: pytest.TempPathFactory,
    claims: dict[str, Any],
    members: dict[str, Any],
) -> None:
    """Surrogates in tokens and claims are refused, or kept through storing and renewing."""
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    manager = make_manager(storage=FileStorage(path))
    widget = AuthWidget(auth_manager=manager)
    try:
        document = fake.token_response(id_token=fake.id_token(**({"nonce": "n"} | claims))) | members
        tokens = tokens_in(json.loads(json.dumps(document)))
        if isinstance(tokens, TokenRequestError):
            encodes(str(tokens))
            assert tokens.code.startswith("token_")
            return
        if isinstance(outcome(lambda: manager.accept(tokens, nonce="n")), TokenTossError):
            return
        encodes(state(widget), repr(manager), repr(manager.account), manager.user_name or "")
        assert manager.account is not None
        again = make_manager(storage=FileStorage(path))
        assert again.account == manager.account, "nothing is lost on the way through the file"
        fake.answers["/token"] = Answer.json(document)
        outcome(again.refresh_tokens)
        outcome(lambda: again.id_token)
        outcome(lambda: IAPClient(fake.issuer, again).get("/api"))
        encodes(state(widget))
        assert outcome(lambda: again.use_account(manager.account)) is not None
        assert again.sign_out().removed
    finally:
        widget.close()


@fuzzed
@given(
    st.dictionaries(
        st.sampled_from([one.name for one in dataclasses.fields(TokenData)]), VALUES, min_size=1, max_size=3
    )
)
@example({"subject": "\ud800"})
@example({"issuer": "\ud800", "user_email": "\udcff"})
def test_a_token_file(
    make_manager: Make, fake: FakeProvider, tmp_path_factory: pytest.TempPathFactory, members: dict[str, Any]
) -> None:
    """Surrogates in a token file are refused, or kept when other accounts change."""
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    records = [stored(fake).to_dict() | members, stored(fake, subject="user-9", issuer=fake.issuer).to_dict()]
    path.write_text(json.dumps({"version": 2, "accounts": records}))
    path.chmod(0o600)
    storage = FileStorage(path)
    before = outcome(storage.load_all)
    if isinstance(before, TokenTossError):
        assert before.code == "storage_corrupt"
        return
    manager = make_manager(storage=storage)
    for one in before:
        outcome(lambda: manager.use_account(one.user_email or ""))  # noqa: B023 - called at once
        outcome(lambda: manager.id_token)
        with storage.renewing(one, 1.0):
            pass
    outcome(lambda: IAPClient(fake.issuer, provider=fake.issuer).get("/api"))
    kept = outcome(storage.load_all)
    other = dataclasses.replace(stored(fake), subject="user-8", issuer=fake.issuer)
    storage.save(other)
    storage.remove(other)
    assert storage.load_all() == kept


MESSAGES = st.dictionaries(
    st.sampled_from(
        ["type", "ticket", "key", "sealed", "origin", "page", "number", "phase", "code", "subject"]
    ),
    VALUES,
    max_size=4,
)
KINDS = st.sampled_from(
    ["introduce", "register", "deliver", "report", "draw_qr", "paste", "ask_for_link", "ping", "drop_link"]
)


@fuzzed
@given(KINDS, MESSAGES, VALUES)
@example("report", {"phase": "failed", "code": "access_denied", "subject": "\ud800"}, None)
@example("ping", {}, "\ud800")
@example("introduce", {"origin": "https://\ud800.example"}, None)
def test_messages_of_pages(
    recorded: None, make_manager: Make, kind: str, members: dict[str, Any], value: object
) -> None:
    """Surrogates in a page's messages raise nothing, and all answers can be encoded."""
    del recorded
    widget = AuthWidget(auth_manager=make_manager())
    try:
        page = Page(widget.ticket)
        widget._take_message(widget, {"type": "ask_for_link"}, [])
        own = {"introduce": page.introduction, "register": page.register_message}.get(kind, dict)()
        content = own | {"type": kind, "ticket": widget.ticket["id"], "id": value, "address": value} | members
        widget._take_message(widget, content, [])
        widget._take_message(widget, value, [])
        widget.set_state({"sealed_tokens": value if isinstance(value, str) else "\ud800"})
        encodes(state(widget))
        sent = [message["data"] for message in widget.comm.sent if message["type"] == "comm_msg"]
        encodes([one for one in sent if one["method"] in {"custom", "update"}])
    finally:
        widget.close()


@fuzzed
@given(
    st.sampled_from(["_register", "_where", "_relay", "_deliver"]),
    st.dictionaries(st.sampled_from(["ticket", "key", "sealed", "origin", "page_token", "confirm"]), TEXTS),
    TEXTS,
)
@example("_register", {"confirm": "\ud800"}, "")
@example("_register", {"origin": "https://\ud800"}, "")
def test_what_pages_of_the_listener_say(
    widget: AuthWidget, action: str, members: dict[str, str], query: str
) -> None:
    page = Page(widget.ticket)
    listener = widget._attempt.listener
    assert listener is not None
    request = Request(listener, Peer.TRUSTED)
    getattr(request, action)(page.registration() | members)
    assert request.answered[0] in {200, 403}
    encodes(request.answered[1])
    request._callback(page.path, f"code={query}&state={page.state}")
    encodes(request.answered[1])
    assert widget.ticket


@fuzzed
@given(TEXTS, TEXTS)
@example("\udcff", "\ud800")
@example("\ud800", "")
@example("\0", "")
def test_names_of_files_and_accounts(
    make_manager: Make,
    fake: FakeProvider,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    name: str,
    account: str,
) -> None:
    """Surrogates in names of files and accounts raise only typed errors."""
    folder = tmp_path_factory.mktemp("folder")
    path = folder / ("tokens" + name.replace("/", ""))
    outcome(lambda: ClientConfig.from_file(folder / f"{path.name}.json"))
    storage = outcome(lambda: FileStorage(path))
    if isinstance(storage, TokenTossError):
        assert storage.code == "storage_path_invalid"
        return
    storage.save(stored(fake))
    assert len(storage.load_all()) == 1
    encodes(repr(outcome(lambda: make_manager(storage=storage).use_account(account))))
    with suppress(SystemExit):
        cli.main(["sign-out", f"--account={account}"])
    encodes(*capsys.readouterr())
    outcome(lambda: make_manager(storage=MemoryStorage(), account=account))


@fuzzed
@given(TEXTS)
@example("\ud800")
def test_addresses(fake: FakeProvider, make_manager: Make, text: str) -> None:
    """Surrogates in addresses and answers raise only typed errors."""
    manager = make_manager(storage=MemoryStorage())
    for act in (
        lambda: IAPClient(f"https://{text}.example", manager),
        lambda: IAPClient("https://service.example", provider=f"https://{text}"),
        lambda: IAPClient("https://service.example", provider=text),
        lambda: IAPClient("https://service.example", manager, allowed_origins=[text]),
    ):
        outcome(act)
