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
from tokentoss.callback.redirect_uris import CallbackAddresses, Loopback

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
    assert CallbackAddresses.of(config, "/").loopbacks == (Loopback("127.0.0.1", 0, "/"),)
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
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"  \n", "it is empty"),
        (b"not json very-secret-1", "it is not JSON"),
        (b'{"installed": ', "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 5000, "it is not JSON"),
        (b"null", "it is not JSON"),
        (b"[1]", "it is not a JSON object"),
        (b'"text"', "it is not a JSON object"),
        (b"{}", 'neither "installed" nor "web"'),
        (b'{"installed": []}', '"installed" is not an object'),
        (b'{"installed": {}}', "it names no client_id"),
        (b'{"installed": {"client_id": "  "}}', "it names no client_id"),
        (b'{"installed": {"client_id": 7}}', "its client_id is not a text"),
        (b'{"installed": {"client_id": "a", "client_secret": {}}}', "its client_secret is not a text"),
        (b'{"installed": {"client_id": "a", "redirect_uris": "http://localhost"}}', "its redirect_uris are"),
        (b'{"installed": {"client_id": "a", "auth_uri": null}}', "its auth_uri is not a text"),
        (b" " * 70_000, "larger than 64 KiB"),
    ],
)
def test_content_that_is_no_client(tmp_path: Path, content: bytes, reason: str) -> None:
    failure = refused(written(tmp_path, content))
    assert failure.code == "client_secrets_invalid"
    assert reason in str(failure)


def test_a_long_path_hides_neither_the_file_nor_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 50)
    folder.mkdir()
    with pytest.raises(ConfigurationError) as refusal:
        ClientConfig.from_file(written(folder, b"[]"))
    assert str(refusal.value).startswith(str(tmp_path)[:40])
    assert "client_secrets.json (it is not a JSON object)" in str(refusal.value)


def test_a_service_account_key(tmp_path: Path) -> None:
    key = {"type": "service_account", "private_key": "very-secret-2", "client_id": "1"}
    failure = refused(written(tmp_path, key))
    assert failure.code == "client_secrets_service_account"
    assert "TOKENTOSS_SERVICE_CREDENTIALS" in str(failure)
    assert "Desktop" not in str(failure)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("external_account", "client_secrets_external_account"),
        ("impersonated_service_account", "client_secrets_external_account"),
        ("authorized_user", "client_secrets_user_tokens"),
        ("external_account_authorized_user", "client_secrets_user_tokens"),
        ({"type": "external_account"}, "client_secrets_invalid"),
    ],
)
def test_other_files_of_google(tmp_path: Path, kind: object, code: str) -> None:
    path = written(tmp_path, {"type": kind, "client_secret": "very-secret-2"})
    failure = refused(path)
    assert failure.code == code
    assert ("docs/automation.md" in str(failure)) == (code == "client_secrets_external_account")
    with pytest.raises(ConfigurationError) as refusal:
        tokentoss.configure_from_file(path)
    assert refusal.value.code == code


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
    """An endpoint that is neither https nor http on loopback is refused (C10, C51)."""
    content = {"installed": DESKTOP | {member: uri}}
    # A space round the address is the file's; the address itself is what counts.
    expected = "endpoint_insecure"
    assert refused(written(tmp_path, content)).code == expected


def test_a_client_of_another_provider_is_not_taken_for_google(tmp_path: Path) -> None:
    path = written(tmp_path, {"installed": DESKTOP | {"token_uri": "https://token.example/"}})
    with pytest.raises(ConfigurationError, match=r"Provider\.discover") as refusal:
        GoogleAuthWidget(client_secrets_path=path)
    assert refusal.value.code == "provider_required"


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
    """A web client's loopback redirect URI is used exactly as registered (C9)."""
    config = ClientConfig.from_file(written(tmp_path, {"web": DESKTOP | {"redirect_uris": uris}}))
    assert CallbackAddresses.of(config, "/").loopbacks == (Loopback(*expected),)


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
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", "")
    assert AuthManager().client_config.client_id == "installed-id"
    given = written(tmp_path, {"installed": DESKTOP}, "given.json")
    assert AuthManager(client_secrets_path=given).client_config.client_id == "id-1"


def test_configure_installs_privately(tmp_path: Path) -> None:
    """The client file is private to its owner, whatever the umask (C69)."""
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
    with pytest.raises(ValueError, match="isn't a valid client secrets file"):
        tokentoss.configure_from_file(written(tmp_path, b"{}"))
    assert tokentoss.get_config_path().read_bytes() == installed, "nothing that was stored is lost"


@pytest.mark.parametrize(("content", "code"), [(None, "missing"), (b"[]", "invalid")])
def test_a_message_says_that_the_variable_named_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, code: str
) -> None:
    path = written(tmp_path, content, "x.json") if content else tmp_path / "x.json"
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    with pytest.raises(ConfigurationError) as refusal:
        AuthManager()
    assert refusal.value.code == f"client_secrets_{code}"
    assert f"{path} (named by TOKENTOSS_CLIENT_SECRETS" in str(refusal.value)


def test_a_path_below_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(os.environ["HOME"]).mkdir()
    written(Path(os.environ["HOME"]), {"installed": DESKTOP}, "mine.json")
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", "~/mine.json")
    assert AuthManager().client_config.client_id == "id-1"
    assert tokentoss.configure(path="~/mine.json") == tokentoss.get_config_path()


@pytest.mark.parametrize("section", [{"client_id": "id-1"}, {"client_id": "id-1", "client_secret": ""}])
def test_a_file_without_a_secret_is_a_public_client(tmp_path: Path, section: dict[str, str]) -> None:
    """``from_file`` and ``configure_from_file`` accept a file without a secret (F31)."""
    path = written(tmp_path, {"installed": section})
    assert ClientConfig.from_file(path).client_secret == ""
    tokentoss.configure_from_file(path)
    assert (ClientConfig.discover().client_id, ClientConfig.discover().client_secret) == ("id-1", "")


def test_the_tokens_of_a_user(tmp_path: Path) -> None:
    """A file with a user's tokens is refused with advice to download a client's file (P14)."""
    tokens = {"type": "authorized_user", "client_id": "a", "refresh_token": "very-secret-1"}
    failure = refused(written(tmp_path, tokens))
    assert failure.code == "client_secrets_user_tokens"
    assert str(failure).endswith(
        "contains a user's tokens, not a client. Download the client's file from the provider's console."
    )


@pytest.mark.parametrize(
    ("uri", "service"),
    [
        (
            "https://iap.googleapis.com/v1/oauth/clientIds/1-a:handleRedirect",
            "IAP",
        ),
        ("https://developers.google.com/oauthplayground", "the OAuth playground"),
        ("https://project-1.firebaseapp.com/__/auth/handler", "Firebase"),
    ],
)
def test_the_client_of_a_service_of_google(tmp_path: Path, uri: str, service: str) -> None:
    """A file of a Google service's own client is refused with its own message (F17)."""
    path = written(tmp_path, {"web": DESKTOP | {"redirect_uris": [uri]}})
    failure = refused(path)
    assert failure.code == "client_secrets_service_client"
    assert str(failure) == (
        f"{path} is {service}'s own client, so you can't sign in with it from a notebook. "
        "Create a Desktop app client and download its file."
    )
    with pytest.raises(ConfigurationError) as refusal:
        tokentoss.configure_from_file(path)
    assert refusal.value.code == failure.code
    # Many add the playground to a client of their own; it is no callback page of theirs.
    both = written(tmp_path, {"web": DESKTOP | {"redirect_uris": [uri, "http://127.0.0.1:8123/"]}})
    addresses = CallbackAddresses.of(ClientConfig.from_file(both), "/")
    assert (addresses.loopbacks, addresses.pages) == ((Loopback("127.0.0.1", 8123, "/"),), ())


@pytest.mark.parametrize("arguments", [{}, {"client_id": "a"}, {"client_secret": "a"}])
def test_configure_needs_something(arguments: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="client_id and client_secret") as refusal:
        tokentoss.configure(**arguments)
    assert refusal.value.code == "configure_nothing_given"


@pytest.mark.parametrize(
    ("pair", "code"),
    [
        (("", "s"), "client_id_invalid"),
        ((" ", "s"), "client_id_invalid"),
        (("i", ""), "client_secret_invalid"),
        (("i", " \n"), "client_secret_invalid"),
        (("i d", "s"), "client_id_invalid"),
        (("i\u200bd", "s"), "client_id_invalid"),
        (("i", "s\x00s"), "client_secret_invalid"),
        (("GOCSPX-very-secret", "s"), "client_id_invalid"),
        (("i", "1-very-secret.apps.googleusercontent.com"), "client_secret_invalid"),
    ],
)
def test_credentials_that_are_none(pair: tuple[str, str], code: str) -> None:
    with pytest.raises(ValueError, match="isn't valid") as refusal:
        tokentoss.configure_from_credentials(*pair)
    assert isinstance(refusal.value, ConfigurationError)
    assert refusal.value.code == code
    assert "very-secret" not in str(refusal.value)
    assert not tokentoss.get_config_path().exists()


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    """configure() refuses to write the secret through a symbolic link (C69)."""
    place = tokentoss.get_config_path()
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="symbolic link"):
        tokentoss.configure("a", "b")
    assert not (tmp_path / "elsewhere").exists()


def test_what_was_open_to_others_is_closed() -> None:
    """configure() makes an existing file and folder private."""
    place = tokentoss.get_config_path()
    place.parent.mkdir(parents=True)
    place.parent.chmod(0o755)
    place.write_text("{}")
    place.chmod(0o644)
    tokentoss.configure("a", "b")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_configure_into_a_place_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = written(tmp_path, b"", "blocked")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(blocked))
    with pytest.raises(StorageError) as refusal:
        tokentoss.configure("a", "b")
    assert refusal.value.code == "storage_unwritable"
