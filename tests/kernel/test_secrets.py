"""Nothing printed, formatted, displayed, pickled, copied, logged or raised holds a secret (C72).

Every public class of the package must be in the table below, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import base64
import copy
import inspect
import json
import logging
import pickle
import traceback
from contextlib import suppress
from dataclasses import dataclass, field, replace

import keyring
import keyring.backend
import pytest
import tokentoss
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from tokentoss import (
    BOX,
    GOOGLE,
    Account,
    APIClient,
    AuthManager,
    AuthWidget,
    BoxAuthWidget,
    Broker,
    BrokerManager,
    ClientConfig,
    ConfigureWidget,
    FileStorage,
    GoogleAuthWidget,
    HTTPXAuth,
    IAPClient,
    KeyringStorage,
    MemoryStorage,
    RequestsAuth,
    ServiceCredentials,
    SignOutResult,
    StatusWidget,
    TokenData,
    TokenTossError,
    disable_debug,
    enable_debug,
)
from tokentoss.session import refresh
from tokentoss.util.secret import Secret

from kernel.people import EXPIRED, aged, config_of, manager_at, sign_in

# The first character is in no text of ours: Hypothesis likes to take its strings from the code under test.
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=12, max_size=80).map(
    lambda text: f"¤{text}"
)


class MemoryKeyring(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self):
        self.entries = {}

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def delete_password(self, service, username):
        del self.entries[service, username]


@dataclass
class Holder:
    """A signed-in manager over any storage, with the secrets that its objects know."""

    secret: str
    storage: object = field(default_factory=MemoryStorage)

    def __post_init__(self):
        claims = {
            "iss": GOOGLE.issuer,
            "sub": "subject-1",
            "aud": "client-1",
            "iat": 1,
            "exp": 32_000_000_000,
        }
        parts = (json.dumps({"alg": "RS256"}), json.dumps(claims), self.secret)
        self.tokens = TokenData(
            f"access-{self.secret}",
            ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts),
            f"refresh-{self.secret}",
            "2999-01-01T00:00:00+00:00",
            ["openid"],
            "ada@example.com",
            issuer=GOOGLE.issuer,
            subject="subject-1",
            client_id="client-1",
        )
        self.config = ClientConfig("client-1", f"client-secret-{self.secret}")
        self.storage.save(self.tokens)
        self.manager = AuthManager(self.config, storage=self.storage, provider=GOOGLE)
        assert self.manager.is_authenticated


def in_keyring(holder):
    storage = KeyringStorage()
    storage.save(holder.tokens)
    return storage


def in_file(holder):
    storage = FileStorage()
    storage.save(holder.tokens)
    return storage


def at_box(holder):
    storage = MemoryStorage()
    storage.save(replace(holder.tokens, id_token="", issuer=BOX.issuer, token_endpoint=BOX.token_endpoint))
    manager = AuthManager(holder.config, storage=storage, provider=BOX)
    assert manager.is_connected
    return BoxAuthWidget(auth_manager=manager)


def service_account(holder):
    credentials = ServiceCredentials("/etc/service.json", "client-1")
    credentials._minted = credentials._accepted(Secret(holder.tokens.id_token))
    return credentials


def broker_of(holder):
    """A broker whose key is made of what nothing may show."""
    return Broker("https://broker.example", holder.tokens.id_token.rsplit(".", 1)[1] * 2)


MAKERS = {
    "APIClient": lambda holder: APIClient("https://service.example", auth_manager=holder.manager),
    "Account": lambda holder: Account.of(holder.tokens),
    "AuthManager": lambda holder: holder.manager,
    "Broker": broker_of,
    "BrokerManager": lambda holder: BrokerManager(broker_of(holder), GOOGLE),
    "ClientConfig": lambda holder: holder.config,
    "Credentials": lambda holder: tokentoss.CREDENTIALS,
    "FileStorage": in_file,
    "HTTPXAuth": lambda holder: HTTPXAuth(holder.manager),
    "IAPClient": lambda holder: IAPClient("https://service.example", holder.manager),
    "KeyringStorage": in_keyring,
    "MemoryStorage": lambda holder: holder.storage,
    "Provider": lambda holder: holder.manager.provider,
    "RequestsAuth": lambda holder: RequestsAuth(holder.manager),
    "ServiceCredentials": service_account,
    "SignOutResult": lambda holder: SignOutResult(Account.of(holder.tokens), removed=True, revoked=None),
    "TokenData": lambda holder: holder.tokens,
    "the token provider": lambda holder: holder.manager.token_provider(),
}
WIDGETS = {
    "AuthWidget": lambda holder: AuthWidget(auth_manager=holder.manager),
    "BoxAuthWidget": at_box,
    "ConfigureWidget": lambda holder: ConfigureWidget(),
    "GoogleAuthWidget": lambda holder: GoogleAuthWidget(auth_manager=holder.manager),
    "StatusWidget": lambda holder: StatusWidget(holder.manager),
}


def test_every_public_class_is_looked_at():
    public = {name for name in tokentoss.__all__ if inspect.isclass(getattr(tokentoss, name))}
    errors = {name for name in public if issubclass(getattr(tokentoss, name), (Exception, Warning))}
    protocols = {"TokenStorage"}
    assert public - errors - protocols <= set(MAKERS) | set(WIDGETS)


def renderings(thing):
    """All that could reach a screen, a file or another process."""
    yield from (repr(thing), str(thing), f"{thing}", f"{thing!r:>200}", f"{thing!a}")
    yield from (repr([thing]), repr({"it": thing}), repr((thing,)), f"{thing} {thing!r}")
    yield repr(vars(thing).keys()) if hasattr(thing, "__dict__") else ""
    yield json.dumps({"it": thing}, default=str)
    data, metadata = DisplayFormatter().format(thing)
    yield f"{data} {metadata}"
    for duplicate in (copy.copy, copy.deepcopy):
        try:
            yield repr(duplicate(thing))
        except Exception as failure:  # noqa: BLE001 - refusing is fine, and its text is looked at
            yield "".join(traceback.format_exception(failure))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        try:
            content = pickle.dumps(thing, protocol)
        except Exception as failure:  # noqa: BLE001 - refusing is fine, and its text is looked at
            yield "".join(traceback.format_exception(failure))
        else:
            yield content.decode("latin-1")
            # What is escaped in a pickle is found in its text.
            yield content.decode("utf-8", "replace")


@pytest.fixture
def memory_keyring():
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    yield
    keyring.set_keyring(before)


@pytest.mark.parametrize("name", MAKERS)
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(secret=PRINTABLE)
def test_no_object_shows_its_secrets(memory_keyring, name, secret):
    holder = Holder(secret)
    thing = MAKERS[name](holder)
    assert thing is not None
    signature = holder.tokens.id_token.rsplit(".", 1)[1]
    for text in renderings(thing):
        for hidden in (secret, repr(secret)[1:-1], signature):
            assert hidden not in text


@pytest.mark.parametrize("name", WIDGETS)
def test_no_widget_shows_its_secrets(memory_keyring, name):
    secret = "Sentinel-0f4c8a1e"
    widget = WIDGETS[name](Holder(secret))
    try:
        for text in (*renderings(widget), repr(widget.get_state()), repr(widget.keys)):
            assert secret not in text
    finally:
        widget.close()


def reflecting(tokens, secret):
    """Answers of a provider that says in every field what it was sent."""
    sent = f"refresh_token={tokens.refresh_token}&client_secret={secret} {tokens.refresh_token}"
    oauth = {"error": "server_error", "error_description": sent, "error_uri": f"https://x.example/?{sent}"}
    unknown = oauth | {"error": tokens.refresh_token}
    ended = oauth | {"error": "invalid_grant", "error_subtype": sent}
    bad_tokens = {"access_token": 7, "token_type": sent, "id_token": sent}
    bad_id_token = {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "id_token": tokens.id_token[:-9],
    }
    yield 500, "text/html", f"<h1>{sent}</h1>"
    yield 200, "text/html", sent
    yield 302, "text/html", sent
    for document in (oauth, unknown, bad_tokens, bad_id_token, ended):
        yield (200 if "access_token" in document else 400), "application/json", json.dumps(document)


@pytest.mark.parametrize("number", range(8))
def test_what_a_provider_echoes_is_not_passed_on(provider, monkeypatch, tmp_path, caplog, capfd, number):
    """Secrets that a provider echoes are in no error, traceback, log or output."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(refresh, "PATIENCE", 0.6)
    enable_debug()
    config = config_of(provider.confidential)
    storage = FileStorage(tmp_path / "tokens.json")
    signed_in = sign_in(manager_at(provider, client_config=config, storage=storage))
    storage.save(aged(provider, signed_in.token_data, EXPIRED))
    manager = manager_at(provider, client_config=config, storage=storage)
    tokens = manager.token_data
    status, content_type, body = list(reflecting(tokens, config.client_secret))[number]
    answer = {"status": status, "content_type": content_type, "body": body}
    provider.change(token_answer=answer, answers={"/token/revocation": answer})
    texts = []
    with IAPClient("http://127.0.0.1:9", auth_manager=manager, timeout=1) as client:
        for call in (
            lambda: manager.id_token,
            manager.refresh_tokens,
            lambda: client.get_json("/a"),
            lambda: manager.sign_out(revoke=True),
            manager.clear,
        ):
            try:
                texts.append(repr(call()))
            except TokenTossError as failure:
                texts += [str(failure), repr(failure), repr(vars(failure))]
                texts.append("".join(traceback.format_exception(failure)))
                texts += everything_behind(failure)
                with suppress(TypeError, AttributeError):
                    texts.append(pickle.dumps(failure).decode("latin-1"))
    disable_debug()
    texts += [repr(manager.last_error), caplog.text, *capfd.readouterr()]
    assert len(texts) > 10
    secrets = [tokens.access_token, tokens.id_token, tokens.refresh_token, config.client_secret]
    secrets.append(tokens.id_token.rsplit(".", 1)[1])
    for secret in secrets:
        for text in texts:
            assert secret not in text


def everything_behind(failure):
    """The texts of causes and contexts, also of those that a traceback leaves out."""
    seen = set()
    waiting = [failure]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield f"{one!r} {one}"
            waiting += [one.__cause__, one.__context__]


def test_results_name_what_happened_and_no_token(provider, tmp_path):
    manager = sign_in(manager_at(provider, storage=FileStorage(tmp_path / "tokens.json")))
    secret = manager.token_data.refresh_token
    result = manager.sign_out(revoke=True)
    assert result.revoked
    assert secret not in f"{result!r} {result}"
