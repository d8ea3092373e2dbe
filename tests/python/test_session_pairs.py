"""Values that belong together are read from the same tokens (P10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fake_provider import FakeProvider
from test_auth_manager import signed_in
from tokentoss import AuthManager
from tokentoss.session.current_tokens import CurrentTokens
from tokentoss.session.session import Session
from tokentoss.storage.token_data import iso_time


def test_token_and_expiry_are_of_the_same_tokens(
    make_manager: Callable[..., AuthManager], fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refresh handler returns token and expiry of the same tokens (P10)."""
    manager = signed_in(make_manager, fake)
    credentials = manager.credentials
    before = manager.token_data
    assert credentials is not None
    assert before is not None
    later = (before.expiry_datetime + timedelta(hours=1)).timestamp()
    after = replace(before, access_token="access-2", expiry=iso_time(later))
    read = CurrentTokens.access_token.fget
    assert read is not None

    def renewed_meanwhile(self: CurrentTokens) -> str | None:
        token: str | None = read(self)
        self._store.session = Session.of(after)
        return token

    monkeypatch.setattr(CurrentTokens, "access_token", property(renewed_meanwhile))
    token, expiry = credentials.refresh_handler(None, [])
    assert (token, expiry.timestamp()) == (
        "access-2",
        after.expiry_datetime.replace(tzinfo=None).timestamp(),
    )
