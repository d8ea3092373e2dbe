"""Documented examples that need two sides or a shell."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import tomllib
from servers.recording import RecordingServer, Reply
from tokentoss.broker import FakeBroker

from .documents import blocks, page

if TYPE_CHECKING:
    from pathlib import Path


def only(language: str, name: str, word: str) -> str:
    """The one block of a page with this word."""
    (found,) = (one.text for one in blocks(language) if one.name.startswith(name) and word in one.text)
    return found


def is_allowed(rules: list[dict[str, Any]], host: str, method: str, path: str) -> bool:
    """Whether a rule of the configuration lets a call through."""
    return any(
        rule["origin"] == f"https://{host}"
        and method in rule["methods"]
        and any(path == allowed or path.startswith(f"{allowed}/") for allowed in rule["paths"])
        for rule in rules
    )


def test_mail_and_events_are_read_by_what_the_configuration_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = tomllib.loads(only("toml", "clients.md", "calendar"))["providers"]["google"]
    rules = configured["through"]
    assert len(rules) == 2
    assert not any("credential" in rule for rule in rules), "access tokens"
    with RecordingServer(lambda _: Reply()) as service, FakeBroker() as broker:
        broker.connect("google", email="ada@example.com")
        for host in ("gmail.googleapis.com", "www.googleapis.com"):
            broker.targets[host] = service.origin()
        monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
        monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
        exec(only("python", "clients.md", "APIClient"), {})  # the document's own lines
        called = [(request.headers["Host"], request.method, request.path) for request in service.requests]
        assert [host for host, _, _ in called] == ["gmail.googleapis.com", "www.googleapis.com"]
        assert [call for call in called if not is_allowed(rules, *call)] == []
        assert {request.bearer for request in service.requests} == {broker.grants[0].access_token}


def test_notebooks_ask_for_scopes_that_the_configuration_allows() -> None:
    configured = tomllib.loads(only("toml", "clients.md", "calendar"))["providers"]["google"]["sign_in"]
    asked = set(re.findall(r'"([^"]+)"', only("python", "clients.md", "scopes=")))
    assert asked - {"openid", "email"} == set(configured["further_scopes"])


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not here")
def test_all_grants_are_ended_whatever_their_users_are_called(tmp_path: Path) -> None:
    names = [("acme", "ada"), ("acme", "o'hara; exit 9"), ("-x", '$(touch "done")'), ("acme", "ada")]
    grants = tmp_path / "grants"
    grants.write_text("".join(json.dumps({"tenant": one, "user": other}) + "\n" for one, other in names))
    program = tmp_path / "tokentoss-broker"
    listing = f"[ \"$1\" = grants ] && exec cat '{grants}'"
    noting = f"printf '%s\\n' \"$@\" >> '{tmp_path}/ended'"
    program.write_text(f"#!/bin/sh\n{listing}\n{noting}\n")
    program.chmod(0o700)
    command = only("sh", "operations.md", "jq")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(["sh", "-ec", command], check=True, cwd=tmp_path, env=environment)
    ended = (tmp_path / "ended").read_text().splitlines()
    said = list(zip(*[iter(ended)] * 3, strict=True))
    assert sorted(said) == sorted(
        ("revoke", f"--tenant={tenant}", f"--user={user}") for tenant, user in set(names)
    )


def test_a_proxy_that_checks_certificates_sets_every_header_of_who_asks() -> None:
    headers = re.findall(r"Authorization|X-Tokentoss-(?:Tenant|User|Hub)", page("http.md"))
    assert set(headers) == {"Authorization", "X-Tokentoss-Tenant", "X-Tokentoss-User", "X-Tokentoss-Hub"}
    nginx = only("nginx", "http.md", "ssl_verify_client      on")
    assert set(re.findall(r"proxy_set_header (Authorization|X-Tokentoss-\w+) ", nginx)) == set(headers)
    envoy = only("yaml", "http.md", "DOWNSTREAM_PEER")
    assert all(header.lower() in envoy for header in headers)
    assert envoy.count("key:") == envoy.count("append_action: OVERWRITE_IF_EXISTS_OR_ADD") == 3
