from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import tokentoss
from tokentoss import (
    GOOGLE,
    AuthManager,
    ClientConfig,
    ClientSecretsNotFoundError,
    ConfigurationError,
    GoogleAuthWidget,
    StorageError,
)

DESKTOP = {
    "client_id": "id-1",
    "client_secret": "very-secret-1",
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "redirect_uris": ["http://localhost"],
}


def written(folder: Path, content: Any, name: str = "client_secrets.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def refused(path: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refusal:
        GoogleAuthWidget(client_secrets_path=path)
    assert str(path) in str(refusal.value), "the file must be named"
    assert "very-secret" not in str(refusal.value)
    return refusal.value


def test_a_desktop_client(tmp_path: Path) -> None:
    config = ClientConfig.from_file(written(tmp_path, {"installed": DESKTOP}))
    assert (config.client_id, config.client_secret) == ("id-1", "very-secret-1")
    assert config.provider() is GOOGLE
    assert config.loopback_redirect("/") == ("127.0.0.1", 0, "/")
    assert "very-secret" not in repr(config)


def test_a_byte_order_mark_and_a_missing_secret_are_fine(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + json.dumps({"installed": {"client_id": "id-1"}}).encode()
    config = ClientConfig.from_file(written(tmp_path, content))
    assert config.client_secret == ""
    assert config.provider() is GOOGLE


def test_a_missing_file(tmp_path: Path) -> None:
    failure = refused(tmp_path / "nowhere.json")
    assert failure.code == "client_secrets_missing"
    assert isinstance(failure, FileNotFoundError)
    assert refused(written(tmp_path, b"{}", "file") / "below").code == "client_secrets_missing"


def test_a_directory(tmp_path: Path) -> None:
    assert refused(tmp_path).code == "client_secrets_unreadable"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \n",
        b"not json very-secret-1",
        b'{"installed": ',
        b"\xff\xfe",
        b"[1]",
        b'"text"',
        b"null",
        b"[" * 5000,
        b"{}",
        b'{"installed": []}',
        b'{"installed": {}}',
        b'{"installed": {"client_id": 7}}',
        b'{"installed": {"client_id": "  "}}',
        b'{"installed": {"client_id": "a", "client_secret": {}}}',
        b'{"installed": {"client_id": "a", "redirect_uris": "http://localhost"}}',
        b'{"installed": {"client_id": "a", "auth_uri": null}}',
        b" " * 70_000,
    ],
)
def test_content_that_is_no_client(tmp_path: Path, content: bytes) -> None:
    assert refused(written(tmp_path, content)).code == "client_secrets_invalid"


def test_a_service_account_key(tmp_path: Path) -> None:
    key = {"type": "service_account", "private_key": "very-secret-2", "client_id": "1"}
    assert refused(written(tmp_path, key)).code == "client_secrets_service_account"


@pytest.mark.parametrize(
    "uri",
    [
        "http://accounts.example/auth",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "blob:https://x/1",
        "file:///etc/passwd",
        "ftp://x/",
        "//accounts.example/auth",
        "https://",
        "https://user:password@accounts.example/auth",
        "https://accounts.example\\@evil.example/auth",
        "https://accounts.example/auth#fragment",
        "http://localhost.evil.example/auth",
        "http://localhost@evil.example/auth",
        "http://127.0.0.1.evil.example/auth",
        "https://accounts.example:99999/auth",
        "",
    ],
)
@pytest.mark.parametrize("member", ["auth_uri", "token_uri"])
def test_an_insecure_endpoint(tmp_path: Path, uri: str, member: str) -> None:
    """C10, C51: only https, or http on this machine, decided by a URL parser."""
    content = {"installed": DESKTOP | {member: uri}}
    # A space round the address is the file's; the address itself is what counts.
    expected = "endpoint_insecure"
    assert refused(written(tmp_path, content)).code == expected


def test_a_client_of_another_provider_is_not_taken_for_google(tmp_path: Path) -> None:
    path = written(tmp_path, {"installed": DESKTOP | {"token_uri": "https://token.example/"}})
    with pytest.raises(ConfigurationError, match=r"Provider\.discover"):
        GoogleAuthWidget(client_secrets_path=path)


@pytest.mark.parametrize(
    ("uris", "expected"),
    [
        (["https://hub.example/callback", "http://127.0.0.1:8123/cb"], ("127.0.0.1", 8123, "/cb")),
        (["http://localhost:8123/cb"], ("localhost", 8123, "/cb")),
        (["http://localhost:8123"], ("localhost", 8123, "")),
    ],
)
def test_a_web_client_with_a_loopback_redirect(
    tmp_path: Path, uris: list[str], expected: tuple[str, int, str]
) -> None:
    """C9: the registered redirect URI is used exactly as it stands."""
    config = ClientConfig.from_file(written(tmp_path, {"web": DESKTOP | {"redirect_uris": uris}}))
    assert config.loopback_redirect("/") == expected


@pytest.mark.parametrize(
    "uris",
    [
        None,
        [],
        ["http://localhost"],
        ["http://127.0.0.1/callback"],
        ["https://127.0.0.1:8123/"],
        ["http://127.0.0.1:8123/?a=b"],
        ["http://localhost.evil.example:8123/"],
        ["http://127.0.0.2:8123/"],
        ["http://127.0.0.1:8123/tokentoss/start"],
    ],
)
def test_a_web_client_without_one(tmp_path: Path, uris: list[str] | None) -> None:
    content = {"web": {name: value for name, value in DESKTOP.items() if name != "redirect_uris"}}
    if uris is not None:
        content["web"]["redirect_uris"] = uris
    assert refused(written(tmp_path, content)).code == "client_secrets_redirect_missing"


def test_the_order_of_discovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClientSecretsNotFoundError, match=r"client_secrets\.json"):
        AuthManager()
    tokentoss.configure("installed-id", "s")
    assert AuthManager().client_config.client_id == "installed-id"
    named = written(tmp_path, {"installed": DESKTOP | {"client_id": "named-id"}}, "named.json")
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(named))
    assert AuthManager().client_config.client_id == "named-id"
    given = written(tmp_path, {"installed": DESKTOP}, "given.json")
    assert AuthManager(client_secrets_path=given).client_config.client_id == "id-1"


def test_configure_installs_privately(tmp_path: Path) -> None:
    """C69: the file is its owner's alone from its creation, whatever the umask."""
    before = os.umask(0)
    try:
        path = tokentoss.configure(client_id=" id-1 ", client_secret=" s ", project_id="p")
    finally:
        os.umask(before)
    assert path == tokentoss.get_config_path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    installed = json.loads(path.read_text())["installed"]
    assert (installed["client_id"], installed["client_secret"], installed["project_id"]) == ("id-1", "s", "p")


def test_configure_from_file_copies_what_it_checked(tmp_path: Path) -> None:
    source = written(tmp_path, {"installed": DESKTOP})
    assert json.loads(tokentoss.configure(path=source).read_text()) == {"installed": DESKTOP}
    installed = tokentoss.get_config_path().read_bytes()
    with pytest.raises(ValueError, match="not a client secrets file"):
        tokentoss.configure_from_file(written(tmp_path, b"{}"))
    assert tokentoss.get_config_path().read_bytes() == installed, "nothing that was stored is lost"


@pytest.mark.parametrize("arguments", [{}, {"client_id": "a"}, {"client_secret": "a"}])
def test_configure_needs_something(arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="client_id and client_secret"):
        tokentoss.configure(**arguments)


@pytest.mark.parametrize("pair", [("", "s"), (" ", "s"), ("i", ""), ("i", " ")])
def test_empty_credentials(pair: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="empty"):
        tokentoss.configure_from_credentials(*pair)


def test_configure_into_a_place_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = written(tmp_path, b"", "blocked")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(blocked))
    with pytest.raises(StorageError) as refusal:
        tokentoss.configure("a", "b")
    assert refusal.value.code == "storage_unwritable"
