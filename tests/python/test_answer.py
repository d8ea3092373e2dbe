"""The kernel reads a provider's answer as the page does, on the inputs with which the page is fuzzed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from tokentoss import Provider, TokenTossError
from tokentoss.oauth.authorization_response import (
    MAX_PASTE,
    authorization_code,
    is_strangers,
    query_of_address,
)

CORPUS = Path(__file__).resolve().parents[2] / "fuzz" / "corpus" / "callback"
STATE = "state-of-this-attempt"
LOOPBACK = "http://127.0.0.1:4711/"

STRANGERS = {
    "jarm": "state_mismatch",
    "state_empty": "state_mismatch",
    "state_missing": "state_mismatch",
    "state_other": "state_mismatch",
    "state_with_space": "state_mismatch",
    "too_long": "message_malformed",
}
ENDS = {
    "broken_escapes": "issuer_mismatch",
    "code_and_error": "callback_invalid",
    "code_empty": "callback_invalid",
    "code_twice": "parameter_duplicated",
    "description_too_long": "callback_invalid",
    "error_something_else": "provider_error",
    "error_with_markup": "provider_error",
    "issuer_empty": "issuer_missing",
    "issuer_missing": "issuer_missing",
    "issuer_other": "issuer_mismatch",
    "issuer_twice": "parameter_duplicated",
    "issuer_with_slash": "issuer_mismatch",
    "neither": "callback_invalid",
    "state_in_error": "provider_error",
    "state_twice": "parameter_duplicated",
    "state_twice_differently": "parameter_duplicated",
}
CODES = {
    "accepted_among_unknown": "4/0Ab+c",
    "error_empty": "code-000001",
    "implicit": "code-000001",
}


def provider(*, names_itself: bool) -> Provider:
    return Provider(
        name="OP",
        issuer="https://op.example",
        authorization_endpoint="https://op.example/auth",
        token_endpoint="https://op.example/token",
        jwks_uri="https://op.example/keys",
        iss_parameter_supported=names_itself,
    )


def read(name: str) -> str:
    # The first byte is the ticket's flags, of which the lowest says that the provider names itself.
    content = (CORPUS / name).read_bytes()
    query = content[1:].decode("utf-8")
    return authorization_code(query, STATE, provider(names_itself=bool(content[0] & 1)))


def expected_of(name: str) -> str | None:
    named = STRANGERS.get(name) or ENDS.get(name)
    if named is not None:
        return named
    return name.removeprefix("error_") if name.startswith("error_") and name not in CODES else None


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir() if path.stat().st_size > 1))
def test_what_the_page_is_fuzzed_with(name: str) -> None:
    """Each fuzzing input gives its expected code or error in the kernel (C6, C32, C38, C40)."""
    code = expected_of(name)
    if name.startswith("found_"):  # by the fuzzer, which does not know what it is
        with suppress(TokenTossError):
            assert read(name)
        return
    if code is None:
        assert read(name) == CODES.get(name, "code-000001")
        return
    with pytest.raises(TokenTossError) as refused:
        read(name)
    assert refused.value.code == code
    assert is_strangers(refused.value) == (name in STRANGERS)
    assert "code-000001" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (f"{LOOPBACK}?code=a&state=b", "code=a&state=b"),
        (f"  {LOOPBACK}?code=a&state=b#here\n", "code=a&state=b"),
        (LOOPBACK, ""),
    ],
)
def test_a_whole_address(text: str, query: str) -> None:
    assert query_of_address(text, LOOPBACK) == query


def test_a_browser_shows_an_empty_path_as_a_slash() -> None:
    assert query_of_address("http://127.0.0.1:1/?a=b", "http://127.0.0.1:1") == "a=b"
    with pytest.raises(TokenTossError):
        query_of_address("https://app.example/callback/?a=b", "https://app.example/callback")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "paste_not_an_address"),
        ("4/0Ab_c-code", "paste_code_only"),
        ("code=a&state=b", "paste_not_an_address"),
        ("127.0.0.1:4711/?code=a&state=b", "paste_not_an_address"),
        (f"{LOOPBACK}?code=a &state=b", "paste_not_an_address"),
        (f"{LOOPBACK}?code=a\x00", "paste_not_an_address"),
        (f"{LOOPBACK}?code={'a' * MAX_PASTE}", "paste_not_an_address"),
        ("javascript:alert(1)", "paste_not_an_address"),
        ("http://127.0.0.1:4712/?code=a&state=b", "paste_other_address"),
        ("http://127.0.0.1:4711/other?code=a&state=b", "paste_other_address"),
        ("http://user@127.0.0.1:4711/?code=a&state=b", "paste_other_address"),
        ("https://op.example/auth?code=a&state=b", "paste_other_address"),
    ],
)
def test_any_other_text(text: str, code: str) -> None:
    with pytest.raises(TokenTossError) as refused:
        query_of_address(text, LOOPBACK)
    assert refused.value.code == code
    assert not is_strangers(refused.value)
