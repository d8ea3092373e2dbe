"""Many accounts: hundreds, with similar names, at several providers, and removed meanwhile.

Whatever is done in whatever order, every account has its own tokens, and a name stands for one of them or is
refused. A longer run: ``TOKENTOSS_FUZZ_EXAMPLES=100000 python -m pytest tests/python/test_many_accounts.py``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_outside_documents import EXAMPLES
from tokentoss import (
    AuthManager,
    ClientConfig,
    FileStorage,
    MemoryStorage,
    NoCredentialsError,
    Provider,
    StorageError,
)
from tokentoss.storage import AccountStorage, TokenData
from tokentoss.storage.accounts import Account, choose, names_of
from tokentoss.storage.token_data import grant_of, iso_time

ISSUERS = ("https://one.example", "https://two.example", "https://two.example/realms/x")
CLIENTS = ("client-1", "client-2", "2")
SUBJECTS = ("1", "2", "1#client-1", "ada@example.com", "\u0661", "", "x" * 255)
# Alike to the eye: composed and decomposed, Latin and Cyrillic, wide, of other case, with what is not seen.
MAILS = (
    "ada@example.com",
    "Ada@example.com",
    "\u0430da@example.com",
    "ada\u200b@example.com",
    "\uff41da@example.com",
    "andr\u00e9@example.com",
    "andre\u0301@example.com",
    "\u0130da@example.com",
    "stra\u00dfe@example.com",
    "STRASSE@example.com",
    "https://one.example#1",
    None,
)

fuzzed = settings(
    max_examples=max(EXAMPLES // 4, 50),
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def tokens_of(issuer: str, subject: str, client: str, mail: str | None, number: int) -> TokenData:
    return TokenData(
        access_token=f"access-{number}",
        id_token="",
        refresh_token=f"refresh-{number}",
        expiry=iso_time(4e9),
        scopes=["openid"],
        user_email=mail,
        issuer=issuer,
        subject=subject,
        client_id=client,
        token_endpoint=f"{issuer}/token",
    )


NUMBERS = st.integers(0, 2**32)
RECORDS = st.builds(
    tokens_of,
    st.sampled_from(ISSUERS),
    st.sampled_from(SUBJECTS) | st.text(min_size=1, max_size=6),
    st.sampled_from(CLIENTS),
    st.sampled_from(MAILS) | st.text(max_size=6),
    NUMBERS,
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["save", "replace", "remove", "discard", "stale", "foreign"]), NUMBERS, RECORDS
    ),
    max_size=12,
)


def crowd(size: int) -> list[TokenData]:
    """Accounts of which many share an address, or a subject at another issuer."""
    return [
        tokens_of(
            ISSUERS[n % 3], str(n // 9), CLIENTS[n // 3 % 3], MAILS[n % len(MAILS)] or f"{n}@example.com", n
        )
        for n in range(size)
    ]


def follow(storage: AccountStorage, model: dict[tuple[str, str, str], TokenData], step: Any) -> None:
    """Do one thing to the storage, and to what it must be like."""
    kind, number, record = step
    there = list(model.values())
    one = there[number % len(there)] if there else record
    # Newer than `one`, which may have been made by this very line.
    newer = dataclasses.replace(
        one, access_token=f"newer-{one.access_token}", refresh_token=f"newer-{one.refresh_token}"
    )
    if kind == "save":
        storage.save(record)
        rest = {grant: tokens for grant, tokens in model.items() if grant != grant_of(record)}
        model.clear()
        model.update({grant_of(record): record} | rest)
    elif kind == "replace":
        assert storage.replace(one, newer) is bool(there)
        model.update({grant_of(one): newer} if there else {})
    elif kind == "remove":
        storage.remove(one)
        model.pop(grant_of(one), None)
    elif kind == "discard":
        assert storage.discard(one) is bool(there)
        model.pop(grant_of(one), None)
    elif kind == "stale":
        assert not storage.discard(newer)
        assert not storage.replace(newer, one)
    else:
        stranger = dataclasses.replace(one, issuer="https://three.example")
        storage.remove(stranger)
        assert not storage.discard(stranger)


@pytest.mark.parametrize("make", [FileStorage, lambda _: MemoryStorage()], ids=["file", "memory"])
@fuzzed
@given(st.lists(RECORDS, max_size=12), STEPS)
def test_every_account_keeps_its_own_tokens(
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[[Any], AccountStorage],
    records: list[TokenData],
    steps: list[Any],
) -> None:
    storage = make(tmp_path_factory.mktemp("tokens") / "tokens.json")
    model: dict[tuple[str, str, str], TokenData] = {}
    for record in records:
        follow(storage, model, ("save", 0, record))
    for step in steps:
        follow(storage, model, step)
        assert storage.load_all() == list(model.values())
    names_stand_for_one(storage.load_all())


def chosen(stored: list[TokenData], name: str) -> TokenData | str:
    """The tokens that a name stands for, or the code of the refusal."""
    try:
        return choose(stored, name)
    except NoCredentialsError as refusal:
        return refusal.code


def names_stand_for_one(stored: list[TokenData]) -> None:
    """The names that ``status`` shows lead each to its own grant, and no name to another one's tokens."""
    names = names_of(stored)
    assert len(set(names)) == len(names)
    for tokens, name in zip(stored, names, strict=True):
        assert choose(stored, name) == tokens
        assert choose(stored, Account.of(tokens).grant_key) == tokens
        mail = tokens.user_email
        found = chosen(stored, mail) if mail else "account_ambiguous"
        if isinstance(found, TokenData):
            of_it = {found.user_email, Account.of(found).key, Account.of(found).grant_key}
            assert mail in of_it or (mail or "").lower() == (found.user_email or "").lower()
        else:
            assert found == "account_ambiguous"


def test_hundreds_of_accounts(tmp_path: Any) -> None:
    """Managers of three providers list and sign out only their own accounts."""
    storage = FileStorage(tmp_path / "tokens.json")
    everybody = crowd(600)
    for tokens in everybody[:5]:
        storage.save(tokens)
    storage._write(everybody)
    names_stand_for_one(everybody[::7])
    left = {grant_of(tokens): tokens for tokens in everybody}
    for issuer in ISSUERS:
        provider = Provider("Name", issuer, f"{issuer}/auth", f"{issuer}/token", f"{issuer}/keys")
        manager = AuthManager(ClientConfig("client-1"), provider=provider, storage=storage)
        own = [one for one in everybody if (one.issuer, one.client_id) == (issuer, "client-1")]
        assert [account.grant_key for account in manager.accounts()] == [
            Account.of(one).grant_key for one in own
        ]
        in_the_middle = own[len(own) // 2]
        manager.use_account(Account.of(in_the_middle))
        assert manager.sign_out().removed
        del left[grant_of(in_the_middle)]
        assert {grant_of(one): one for one in storage.load_all()} == left
    assert len(left) == len(everybody) - 3


@fuzzed
@given(st.integers(0, 59), st.sampled_from(["cut", "member", "type", "gone", "twice", "empty"]), NUMBERS)
@example(30, "member", 0)
def test_a_file_that_is_spoilt_in_the_middle(
    tmp_path_factory: pytest.TempPathFactory, at: int, how: str, number: int
) -> None:
    """A damaged file gives an error that names it, and the next sign-in sets it aside."""
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    storage = FileStorage(path)
    storage._write(crowd(60))
    document = json.loads(path.read_text())
    accounts = document["accounts"]
    if how == "member":
        del accounts[at]["refresh_token"]
    elif how == "type":
        accounts[at] = number
    elif how == "gone":
        del accounts[at]
    elif how == "twice":
        accounts.insert(number % 60, dict(accounts[at], access_token="another"))
    elif how == "empty":
        accounts[at] = {}
    text = json.dumps(document)
    path.write_text(text[: len(text) * at // 60] if how == "cut" else text)
    spoilt = path.read_text()
    refusal = None
    try:
        there = storage.load_all()
    except StorageError as failure:
        there, refusal = [], failure
    assert refusal is None or (refusal.code == "storage_corrupt" and str(path) in str(refusal))
    storage.save(crowd(61)[60])
    assert len(storage.load_all()) >= len(there)
    assert how in {"gone", "twice"} or [one.read_text() for one in path.parent.glob("*.corrupt-*")] == [
        spoilt
    ]
