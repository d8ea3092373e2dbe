"""JSON objects with repeated members, at any size and depth."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from hypothesis import given
from hypothesis import strategies as st
from tokentoss import DiscoveryError, Provider
from tokentoss.util.json_object import REPEATED, read_object, repeats

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.text(max_size=2), VALUES), max_size=8))
def test_each_name_once_or_not_at_all(pairs: list[tuple[str, Any]]) -> None:
    text = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}"
    read = read_object(text)
    assert read is not None
    names = [name for name, _ in pairs]
    assert set(read) == set(names)
    for name, value in pairs:
        assert (read[name] is REPEATED) == (names.count(name) > 1) == repeats(read, [name])
        assert read[name] is REPEATED or read[name] == value


@pytest.mark.parametrize("text", ["", "[]", "1", '"{}"', "{", '{"a":NaN}', "[" * 100_000, '[{"a":1,"a":2}]'])
def test_what_is_no_object(text: str) -> None:
    assert read_object(text) is None


def test_inner_objects_are_plain() -> None:
    read = read_object('{"address": {"street": 1, "street": 2}, "x": {}}')
    assert read == {"address": {"street": 2}, "x": {}}
    assert {type(value) for value in read.values()} == {dict}
    assert pickle.loads(pickle.dumps(read)) == read


def test_a_hundred_thousand_members() -> None:
    """A repeated member among 100,000 is found in reasonable time."""
    members = ",".join(f'"{number}":1' for number in range(100_000))
    read = read_object(f'{{{members},"0":1}}')
    assert read is not None
    assert [name for name, value in read.items() if value is REPEATED] == ["0"]


def test_metadata_that_says_something_twice(fake: FakeProvider) -> None:
    """Metadata with a repeated member is refused."""
    metadata = json.dumps(fake.metadata())
    twice = metadata[:-1] + ',"authorization_response_iss_parameter_supported":true' * 2 + "}"
    fake.answers["/.well-known/openid-configuration"] = Answer(200, twice.encode())
    with pytest.raises(DiscoveryError) as refusal:
        Provider.discover(fake.issuer)
    assert refusal.value.code == "discovery_invalid"
