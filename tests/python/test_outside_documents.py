"""Documents of others that Python reads: discovery documents and client_secrets.json.

Every document of the corpus (``fuzz/corpus``), then documents that Hypothesis makes of them. A longer run:
``TOKENTOSS_FUZZ_EXAMPLES=100000 python -m pytest tests/python/test_outside_documents.py``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokentoss import ConfigurationError, DiscoveryError, Provider, error_codes
from tokentoss.config.client_secrets import parse_client_secrets
from tokentoss.oauth import discovery
from tokentoss.oauth.constants import ACCEPTED_ALGORITHMS
from tokentoss.util import http
from tokentoss.util.urls import is_secure

CORPUS = Path(__file__).parents[2] / "fuzz" / "corpus"
EXAMPLES = int(os.environ.get("TOKENTOSS_FUZZ_EXAMPLES", "400"))
ISSUER = "https://op.example"
SECRET = "very-secret-1"

fuzzed = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def corpus(name: str) -> list[Path]:
    return sorted((CORPUS / name).iterdir())


def documents(name: str) -> st.SearchStrategy[bytes]:
    """Bytes, JSON, and the corpus with members replaced or bytes changed."""
    seeds = [path.read_bytes() for path in corpus(name) if path.stat().st_size < 4096]
    texts = st.sampled_from(
        [
            "",
            " ",
            ISSUER,
            f"{ISSUER}/x",
            "http://op.example/",
            "https://[x]/",
            "https://[::1",
            "https://a@b/",
            SECRET,
        ]
    )
    # Halves of characters among them, which JSON may hold.
    any_text = st.text(st.characters(exclude_categories=()), max_size=20)
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | any_text
    values = st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    )
    whole = [seed for seed in seeds if members_of(seed)]
    names = sorted({member for seed in whole for member in members_of(seed)})
    changes = st.dictionaries(st.sampled_from(names), values, max_size=3)
    changed = st.builds(with_members, st.sampled_from(whole), changes)
    spoilt = st.builds(with_bytes, st.sampled_from(seeds), st.integers(min_value=0), st.binary(max_size=4))
    return st.binary(max_size=64) | values.map(lambda value: json.dumps(value).encode()) | changed | spoilt


def members_of(document: bytes) -> dict[str, Any]:
    """The object whose members count: the client's section, or the whole."""
    try:
        tree = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(tree, dict):
        return {}
    section = next((tree[name] for name in ("installed", "web") if name in tree), tree)
    return section if isinstance(section, dict) else {}


def with_members(document: bytes, members: dict[str, Any]) -> bytes:
    tree = json.loads(document)
    section = next((tree[name] for name in ("installed", "web") if name in tree), tree)
    section.update(members)
    return json.dumps(tree).encode()


def with_bytes(document: bytes, at: int, replacement: bytes) -> bytes:
    at %= len(document) + 1
    return document[:at] + replacement + document[at + len(replacement) :]


def discovered(document: bytes) -> str:
    """Read a discovery document; the code of its refusal, or nothing."""
    with patch.object(discovery, "call", lambda *_args, **_options: http.Answer(200, {}, document)):
        try:
            provider = Provider.discover(ISSUER, fresh=True)
        except DiscoveryError as refusal:
            return refusal.code
    assert provider.issuer == ISSUER == json.loads(document)["issuer"]
    endpoints = [provider.authorization_endpoint, provider.token_endpoint]
    endpoints.append(provider.jwks_uri if provider.openid_connect else provider.identity_endpoint or "")
    assert all(is_secure(url) for url in endpoints)
    optional = (provider.revocation_endpoint, provider.device_authorization_endpoint)
    assert all(url is None or is_secure(url) for url in optional)
    assert provider.id_token_signing_algs
    assert set(provider.id_token_signing_algs) <= ACCEPTED_ALGORITHMS
    assert not provider.openid_connect or "openid" in provider.scopes
    return ""


def client_read(document: bytes) -> str:
    """Read a client_secrets.json; the code of its refusal, or nothing."""
    try:
        client = parse_client_secrets(document, "client.json")
    except ConfigurationError as refusal:
        said, code = str(refusal), refusal.code
        client = None
    if client is None:
        assert "client.json" in said
        # An address that is refused is shown, with whatever its writer put into it.
        assert code == "endpoint_insecure" or SECRET not in said
        return code
    assert client.client_id.strip()
    assert client.client_type in {"installed", "web"}
    assert all(is_secure(url) for url in (client.auth_uri, client.token_uri) if url is not None)
    assert repr(client) == repr(replace(client, client_secret="another"))
    return ""


READERS: dict[str, tuple[Callable[[bytes], str], set[str]]] = {
    "discovery_document": (
        discovered,
        {"", "discovery_algorithms_refused", "discovery_invalid", "discovery_issuer_mismatch"},
    ),
    "client_secrets": (
        client_read,
        {
            "",
            "client_secrets_external_account",
            "client_secrets_invalid",
            "client_secrets_service_account",
            "client_secrets_service_client",
            "client_secrets_user_tokens",
            "endpoint_insecure",
        },
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_the_corpus_reaches_every_code(name: str) -> None:
    """Each document is accepted, or refused with an error code of the table (C45, C50, C51)."""
    read, expected = READERS[name]
    outcomes = {path.name: read(path.read_bytes()) for path in corpus(name)}
    assert set(outcomes.values()) == expected
    assert all(path.startswith("accepted") for path, code in outcomes.items() if not code)


@fuzzed
@given(document=documents("discovery_document"))
def test_any_discovery_document(document: bytes) -> None:
    code = discovered(document)
    assert not code or error_codes.is_known(code)


@fuzzed
@given(document=documents("client_secrets"))
def test_any_client_secrets(document: bytes) -> None:
    code = client_read(document)
    assert not code or error_codes.is_known(code)
