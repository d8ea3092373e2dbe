"""A sign-out always signs out here first, and revokes at the provider on request (C67, C68)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tokentoss
from fake_provider import CLIENT_ID, Answer, FakeProvider
from test_accounts import of, sign_in
from test_auth_manager import signed_in, stored
from tokentoss import (
    GOOGLE,
    AuthManager,
    AuthWidget,
    ConfigurationError,
    DiscoveryError,
    FileStorage,
    IAPClient,
    MemoryStorage,
    NoCredentialsError,
    Provider,
    RevocationError,
    StorageError,
)
from tokentoss.oauth import revocation

Make = Callable[..., AuthManager]


@pytest.fixture
def make(make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setattr(revocation, "RETRY_PAUSE", 0.0)
    monkeypatch.setattr(revocation, "LONGEST_RETRY_PAUSE", 0.0)
    provider = fake.provider(revocation_endpoint=fake.issuer + "/revoke")
    return lambda **arguments: make_manager(**({"provider": provider} | arguments))


def test_by_default_nobody_is_told(make: Make, fake: FakeProvider) -> None:
    """By default sign_out() removes the tokens and sends the provider no request (C68)."""
    manager = signed_in(make, fake)
    account = manager.account
    result = manager.sign_out()
    assert (result.account, result.removed, result.revoked, result.error) == (account, True, None, None)
    assert fake.requests == []
    assert manager.storage.load() is None
    assert not manager.is_authenticated
    assert tokentoss.CREDENTIALS is None
    nobody = manager.sign_out(revoke=True)
    assert (nobody.account, nobody.removed, nobody.revoked) == (None, True, None)


@pytest.mark.parametrize(("refresh_token", "hint"), [("refresh-1", "refresh_token"), ("", "access_token")])
def test_revocation(make: Make, fake: FakeProvider, refresh_token: str, hint: str) -> None:
    """Revocation posts the token with its hint, after the tokens are removed here (C67)."""
    manager = signed_in(make, fake, refresh_token=refresh_token)
    order: list[bool] = []
    answer = Answer(200)
    answer.before = lambda: order.append(manager.is_authenticated or manager.storage.exists())
    fake.answers["/revoke"] = answer
    result = manager.sign_out(revoke=True)
    assert (result.removed, result.revoked, result.error) == (True, True, None)
    assert order == [False], "the tokens are removed here first"
    ((method, target, _, form),) = fake.requests
    assert (method, target) == ("POST", "/revoke")
    assert form == {
        "client_id": CLIENT_ID,
        "client_secret": "secret-1",
        "token": refresh_token or "access-1",
        "token_type_hint": hint,
    }


@pytest.mark.parametrize(
    ("answer", "code", "calls"),
    [
        (Answer(503), "revocation_failed", 2),
        (Answer.json({}, 429, Retry_After="900"), "revocation_failed", 2),
        (Answer(400), "revocation_failed", 1),
        (Answer.json({"error": "unsupported_token_type"}, 400), "revocation_failed", 1),
        (Answer(302, b"", {"Location": "/elsewhere"}), "revocation_failed", 1),
    ],
)
def test_a_refused_revocation_is_reported(
    make: Make, fake: FakeProvider, answer: Answer, code: str, calls: int
) -> None:
    """A failed revocation is reported in the result, and the tokens are removed anyway (C67)."""
    storage = FileStorage()
    manager = signed_in(make, fake, storage=storage)
    fake.answers["/revoke"] = answer
    result = manager.sign_out(revoke=True)
    assert (result.removed, result.revoked) == (True, False)
    assert isinstance(result.error, RevocationError)
    assert result.error.code == code
    assert "removed here" in str(result.error)
    assert manager.last_error is result.error
    assert fake.calls("/revoke") == calls
    assert fake.calls("/elsewhere") == 0
    assert not storage.exists()
    assert "refresh-1" not in f"{result!r} {result.error!r}"


def test_a_revocation_that_works_the_second_time(make: Make, fake: FakeProvider) -> None:
    manager = signed_in(make, fake)
    answers = [Answer(503), Answer(200)]
    fake.answers["/revoke"] = lambda _form: answers.pop(0)
    assert manager.sign_out(revoke=True).revoked


def test_a_token_that_is_dead_already_counts_as_revoked(make: Make, fake: FakeProvider) -> None:
    """A revocation refused with invalid_token counts as revoked."""
    fake.answers["/revoke"] = Answer.json({"error": "invalid_token"}, 400)
    assert signed_in(make, fake).sign_out(revoke=True).revoked


def test_offline(make: Make, fake: FakeProvider) -> None:
    """Without the provider, a sign-out reports the error and removes the file anyway (C67)."""
    storage = FileStorage()
    manager = signed_in(make, fake, storage=storage)
    fake.close()
    result = manager.sign_out(revoke=True)
    assert result.error is not None
    assert (result.removed, result.revoked, result.error.code) == (True, False, "revocation_unreachable")
    assert not storage.exists()


def test_a_provider_without_revocation(make_manager: Make, fake: FakeProvider) -> None:
    result = signed_in(make_manager, fake).sign_out(revoke=True)
    assert result.error is not None
    assert (result.removed, result.revoked, result.error.code) == (True, False, "revocation_unsupported")


def test_tokens_that_cannot_be_removed_are_reported_and_no_longer_used(
    make: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = signed_in(make, fake)
    fake.answers["/revoke"] = Answer(200)

    def stuck(*_: Any) -> None:
        raise StorageError(code="storage_unwritable")

    monkeypatch.setattr(manager._store.storage, "remove", stuck)
    result = manager.sign_out(revoke=True)
    assert (result.removed, result.revoked) == (False, True)
    assert isinstance(result.error, StorageError)
    assert not manager.is_authenticated


def test_everybody_with_the_account_notices(make: Make, fake: FakeProvider, recorded: None) -> None:
    """A sign-out reaches all widgets, managers and clients of the account."""
    ada, shared, apart = of(fake, "ada"), FileStorage(), MemoryStorage()
    shared.save(of(fake, "bob"))
    for storage in (shared, apart):
        storage.save(ada)
    here, beside, other_storage = (make(storage=one) for one in (shared, shared, apart))
    bob = make(storage=shared, account="bob@example.com")
    widgets = [AuthWidget(auth_manager=one) for one in (beside, other_storage, bob)]
    clients = [IAPClient(fake.issuer, auth_manager=one) for one in (here, beside, other_storage)]
    tokentoss.CREDENTIALS = None
    widgets[0].auth_manager.sign_out()
    assert not any(one.is_authenticated for one in (here, beside, other_storage))
    assert [widget.is_authenticated for widget in widgets] == [False, False, True]
    assert [widget.status for widget in widgets[:2]] == ["Click to sign in"] * 2
    assert (apart.load(), bob.user_email) == (None, "bob@example.com")
    assert [tokens.user_email for tokens in shared.load_all()] == ["bob@example.com"]
    shared.clear()
    for client in clients:
        with pytest.raises(NoCredentialsError):
            client.get("/api")
    for widget in widgets:
        widget.close()


def test_a_widget_signs_out(make: Make, fake: FakeProvider, recorded: None) -> None:
    widget = AuthWidget(auth_manager=signed_in(make, fake))
    fake.answers["/revoke"] = Answer(400)
    result = widget.sign_out(revoke=True)
    assert (result.removed, result.revoked) == (True, False)
    assert not widget.is_authenticated
    assert widget.error_code == "revocation_failed"
    sign_in(widget.auth_manager, fake, "ada")
    assert widget.sign_out().error is None
    assert (widget.status, widget.error) == ("Click to sign in", "")
    widget.close()


def test_a_widget_shows_another_account(make: Make, fake: FakeProvider, recorded: None) -> None:
    storage = FileStorage()
    for user in ("ada", "bob"):
        storage.save(of(fake, user))
    widget = AuthWidget(auth_manager=make(storage=storage))
    widget.auth_manager.use_account("ada@example.com")
    assert (widget.status, widget.user_email) == ("Signed in as ada@example.com", "ada@example.com")
    widget.close()


def test_revocation_endpoints_are_https(fake: FakeProvider) -> None:
    """An insecure revocation endpoint is refused, from arguments and from metadata (C51, C67)."""
    with pytest.raises(ConfigurationError):
        fake.provider(revocation_endpoint="http://revoke.example/")
    metadata = fake.metadata(revocation_endpoint="http://revoke.example/")
    fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
    with pytest.raises(DiscoveryError, match="revocation_endpoint"):
        Provider.discover(fake.issuer)
    metadata["revocation_endpoint"] = fake.issuer + "/revoke"
    fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
    assert Provider.discover(fake.issuer).revocation_endpoint == fake.issuer + "/revoke"
    assert GOOGLE.revocation_endpoint == "https://oauth2.googleapis.com/revoke"


def test_clear_is_the_originals(make: Make, fake: FakeProvider) -> None:
    storage = FileStorage()
    storage.save(stored(fake))
    manager = make(storage=storage)
    assert manager.clear() is None  # type: ignore[func-returns-value]
    assert not storage.exists()
    manager.clear()


class OneRaises:
    """A storage of the user's own for one account, whose code has a fault."""

    raises: Exception | None = None

    def __init__(self) -> None:
        self.tokens: Any = None

    def _with_fault(self) -> None:
        if self.raises is not None:
            raise self.raises

    def load(self) -> Any:
        self._with_fault()
        return self.tokens

    def save(self, tokens: Any) -> None:
        self._with_fault()
        self.tokens = tokens

    def clear(self) -> None:
        self._with_fault()
        self.tokens = None

    def exists(self) -> bool:
        self._with_fault()
        return self.tokens is not None


class SeveralRaise(MemoryStorage):
    """The same for several accounts."""

    raises: Exception | None = None

    def _read(self) -> Any:
        if self.raises is not None:
            raise self.raises
        return super()._read()


@pytest.mark.parametrize("storage_class", [OneRaises, SeveralRaise])
@pytest.mark.parametrize("failure", [OSError("full"), KeyError("access-1"), RuntimeError("access-1")])
def test_a_storage_of_the_users_own_that_raises(
    make: Make,
    fake: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    storage_class: Callable[[], Any],
    failure: Exception,
) -> None:
    """If a custom storage raises, the sign-out reports it without its text."""
    storage = storage_class()
    manager = signed_in(make, fake, storage=storage)
    widget = AuthWidget(auth_manager=manager)
    storage.raises = failure
    result = widget.sign_out()
    assert result.error is not None
    assert (result.removed, result.error.code) == (False, "storage_failed")
    assert f"{storage_class.__name__} raised {type(failure).__name__}" in str(result.error)
    assert "access-1" not in str(result.error)
    assert result.error.__context__ is None
    [record, *_] = [one for one in caplog.records if one.name.endswith("own_storage")]
    assert f"raised {type(failure).__name__} in {__file__}" in record.getMessage()
    assert "access-1" not in caplog.text
    assert record.exc_info is None, "frames hold tokens"
    assert widget.ticket
    assert not manager.is_authenticated
    assert (widget.status.startswith("Error: "), widget.error_code) == (True, "storage_failed")
