from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import tokentoss
from conftest import RecordingComm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tokentoss import ClientConfig, ConfigurationError, ConfigureWidget, HandOffError
from tokentoss.handoff import client_install
from tokentoss.handoff.sealing import RecipientKey, SealingContext, length_prefixed, seal
from tokentoss.util.base64url import from_b64url

pytestmark = pytest.mark.usefixtures("recorded")

VECTORS = Path(__file__).parent.parent / "vectors"
CLIENT_ID = "1-a.apps.googleusercontent.com"
SECRET = "GOCSPX-very-secret-1"
FILE = {"installed": {"client_id": CLIENT_ID, "client_secret": SECRET, "project_id": "project-1"}}


@pytest.fixture
def widget() -> ConfigureWidget:
    return ConfigureWidget()


def parts(*texts: str) -> bytes:
    return b"".join(length_prefixed(text.encode()) for text in texts)


def credentials(client_id: str = CLIENT_ID, secret: str = SECRET, project: str = "") -> bytes:
    return parts("credentials", client_id, secret, project)


def file(content: Any, name: str = "client_secret_1.json") -> bytes:
    return parts("file", name) + (content if isinstance(content, bytes) else json.dumps(content).encode())


def sealed(ticket: dict[str, Any], plaintext: bytes, purpose: str = "configuration") -> str:
    context = SealingContext(purpose, ticket["id"], "", "")
    return seal(plaintext, from_b64url(ticket["public_key"]), context)


def from_page(widget: ConfigureWidget, **state: Any) -> None:
    widget._handle_msg(
        {"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []}
    )


def submit(widget: ConfigureWidget, plaintext: bytes) -> None:
    from_page(widget, sealed_configuration=sealed(widget.ticket, plaintext))


def sent(widget: ConfigureWidget) -> list[dict[str, Any]]:
    comm = widget.comm
    assert isinstance(comm, RecordingComm)
    return [message["data"] for message in comm.sent]


def installed() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(tokentoss.get_config_path().read_text())
    return content


def shown(widget: ConfigureWidget) -> tuple[bool, str, str]:
    return widget.configured, widget.error_code, widget.error


def test_before_anything_is_entered(widget: ConfigureWidget) -> None:
    assert widget.status == "Enter credentials"
    assert shown(widget) == (False, "", "")
    assert widget.current_client == ""
    assert set(widget.ticket) == {"version", "id", "public_key"}
    assert repr(widget) == "ConfigureWidget(configured=False)"


def test_the_fields_can_start_filled() -> None:
    widget = ConfigureWidget(client_id=CLIENT_ID, project_id="project-1")
    assert (widget.client_id, widget.project_id) == (CLIENT_ID, "project-1")


def test_credentials_are_installed(widget: ConfigureWidget) -> None:
    before = os.umask(0)
    try:
        submit(widget, credentials(f" {CLIENT_ID} ", f" {SECRET}\n", " project-1 "))
    finally:
        os.umask(before)
    path = tokentoss.get_config_path()
    assert shown(widget) == (True, "", "")
    assert widget.status == f"Configured! Saved to {path}"
    assert (widget.client_id, widget.project_id, widget.current_client) == (
        CLIENT_ID,
        "project-1",
        CLIENT_ID,
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = ClientConfig.discover()
    assert (config.client_id, config.client_secret, config.project_id) == (CLIENT_ID, SECRET, "project-1")


def test_a_file_is_installed_as_it_is(widget: ConfigureWidget) -> None:
    content = {"web": FILE["installed"] | {"redirect_uris": ["http://localhost:8123"], "more": [1]}}
    submit(widget, file(content))
    assert shown(widget) == (True, "", "")
    assert (widget.client_id, widget.project_id) == (CLIENT_ID, "project-1")
    assert installed() == content


@pytest.mark.parametrize(
    ("plaintext", "code", "words"),
    [
        (credentials(client_id=" "), "client_id_invalid", "it's empty"),
        (credentials(secret=""), "client_secret_invalid", "it's empty"),
        (credentials(client_id=SECRET), "client_id_invalid", "looks like a client secret"),
        (credentials(secret=CLIENT_ID), "client_secret_invalid", "looks like a client ID"),
        (file(b"{}"), "client_secrets_invalid", "client_secret_1.json (it has neither"),
        (file(b"\xff" + SECRET.encode()), "client_secrets_invalid", "client_secret_1.json (it is not JSON)"),
        (
            file({"type": "authorized_user", "refresh_token": SECRET}),
            "client_secrets_user_tokens",
            "client_secret_1.json contains a user's tokens",
        ),
        (
            file({"private_key": SECRET}, "key.json"),
            "client_secrets_service_account",
            "key.json is a service",
        ),
        (file(b"", ""), "client_secrets_invalid", "The chosen file (it is empty)"),
        (file(b"x", "a\n\x1b[31m\u202e" + "b" * 999), "client_secrets_invalid", "bbb (it is not JSON)"),
        (parts("folder", "a"), "envelope_unreadable", ""),
        (parts("credentials", "a", "b"), "envelope_unreadable", ""),
        (credentials() + b"x", "envelope_unreadable", ""),
        (b"", "envelope_unreadable", ""),
        (b"\xff\xff", "envelope_unreadable", ""),
        (b"\x00\x01\xff", "envelope_unreadable", ""),
    ],
)
def test_what_is_not_valid_is_not_written(
    widget: ConfigureWidget, plaintext: bytes, code: str, words: str
) -> None:
    before = tokentoss.configure("id-before", "secret-before")
    content = before.read_bytes()
    ticket = widget.ticket
    submit(widget, plaintext)
    assert before.read_bytes() == content
    assert (widget.configured, widget.error_code) == (False, code)
    assert words in widget.error
    assert widget.error.isprintable()
    assert widget.status == f"Error: {widget.error}"
    assert widget.acknowledged == ticket["id"]
    assert SECRET not in str(sent(widget))


def test_a_mistake_can_be_corrected(widget: ConfigureWidget) -> None:
    submit(widget, credentials(secret=""))
    submit(widget, credentials())
    assert shown(widget) == (True, "", "")
    submit(widget, credentials(client_id="id-2"))
    assert installed()["installed"]["client_id"] == widget.current_client == "id-2"


def test_a_key_is_used_once(widget: ConfigureWidget) -> None:
    """A message that was accepted once is ignored when it is sent again (C71)."""
    first = widget.ticket
    message = sealed(first, credentials())
    from_page(widget, sealed_configuration=message)
    tokentoss.configure("id-after", "secret-after")
    from_page(widget, sealed_configuration=message)
    from_page(widget, sealed_configuration=sealed(first, credentials(client_id="id-3")))
    assert installed()["installed"]["client_id"] == "id-after"
    assert widget.ticket["id"] != first["id"]
    assert widget.ticket["public_key"] != first["public_key"]


@pytest.mark.parametrize("purpose", ["tokens", "client_secret", "callback"])
def test_what_was_not_sealed_for_this_changes_nothing(widget: ConfigureWidget, purpose: str) -> None:
    """Garbage and messages for another purpose or ticket do not use the ticket up (C71)."""
    ticket = widget.ticket
    other = ticket | {"id": ConfigureWidget().ticket["id"]}
    for message in (
        "garbage",
        "A" * 300_000,
        sealed(ticket, credentials(), purpose),
        sealed(other, credentials()),
    ):
        from_page(widget, sealed_configuration=message)
        assert widget.sealed_configuration == ""
    assert widget.ticket == ticket
    assert widget.status == "Enter credentials"
    submit(widget, credentials())
    assert widget.configured


def test_nothing_is_taken_once_closed(widget: ConfigureWidget) -> None:
    message = sealed(widget.ticket, credentials())
    widget.close()
    widget.sealed_configuration = message
    assert not tokentoss.get_config_path().exists()


def test_no_secret_in_any_trait_or_message(widget: ConfigureWidget) -> None:
    """Neither the secret nor its sealed form is in a trait, message or repr (C70)."""
    assert "client_secret" not in widget.traits()
    messages = []
    for plaintext in (credentials(), file(FILE), file({"installed": {"client_secret": SECRET}})):
        messages.append(sealed(widget.ticket, plaintext))
        from_page(widget, sealed_configuration=messages[-1])
    for text in (
        str(sent(widget)),
        str(widget.get_state()),
        repr(widget),
        str(vars(widget)["_trait_values"]),
    ):
        for secret in (SECRET, *messages):
            assert secret not in text


def test_the_decision_is_one_message(widget: ConfigureWidget) -> None:
    """The new ticket and the result for the old one are sent in one message."""
    ticket = widget.ticket["id"]
    submit(widget, credentials())
    updates = [data["state"] for data in sent(widget) if data.get("method") == "update"]
    (decision,) = [state for state in updates if "acknowledged" in state]
    assert decision["acknowledged"] == ticket
    assert {"ticket", "configured", "status", "client_id"} <= set(decision)


def test_a_page_changes_nothing_else(widget: ConfigureWidget) -> None:
    ticket = widget.ticket
    forged = {"status": "x", "configured": True, "current_client": "x", "client_id": "x", "ticket": {}}
    from_page(widget, **forged)
    assert (widget.status, widget.configured, widget.ticket) == ("Enter credentials", False, ticket)
    assert (widget.client_id, widget.current_client) == ("", "")


def test_a_secret_in_the_source_is_refused_without_repeating_it() -> None:
    """client_secret= is refused, and the error does not show its value (C70)."""
    with pytest.raises(ConfigurationError, match=r"tokentoss\.configure\(\)") as refusal:
        ConfigureWidget(client_secret=SECRET)
    assert SECRET not in str(refusal.value)


def test_a_place_that_cannot_be_written(
    widget: ConfigureWidget, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "blocked"))
    submit(widget, credentials())
    assert (widget.configured, widget.error_code) == (False, "storage_unwritable")
    assert "client_secrets.json" in widget.error


def test_an_unforeseen_failure_ends_in_a_sentence(
    widget: ConfigureWidget, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(client_install, "configure_from_credentials", fail)
    submit(widget, credentials())
    assert (widget.configured, widget.error_code) == (False, "storage_unwritable")
    assert "unforeseen" in caplog.text
    assert SECRET not in caplog.text


def test_a_file_that_is_named_elsewhere_is_mentioned(
    widget: ConfigureWidget, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(tmp_path / "other.json"))
    submit(widget, credentials())
    assert f"TOKENTOSS_CLIENT_SECRETS is set, so {tmp_path / 'other.json'} is used" in widget.status
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(tokentoss.get_config_path()))
    submit(widget, credentials())
    assert "TOKENTOSS" not in widget.status


def test_the_client_that_is_replaced_is_shown() -> None:
    tokentoss.configure("id-before", "s")
    assert ConfigureWidget().current_client == "id-before"
    tokentoss.get_config_path().write_text("not JSON")
    assert ConfigureWidget().current_client == ""


def test_the_page_learns_that_the_kernel_is_there(widget: ConfigureWidget) -> None:
    for content in (
        {"type": "ping", "id": 7},
        {"type": "ping", "id": "x" * 65},
        {"type": "sign_out"},
        "x",
        None,
    ):
        widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    assert [data["content"] for data in sent(widget) if data.get("method") == "custom"] == [
        {"type": "pong", "id": 7}
    ]


@given(st.binary(max_size=40))
def test_no_message_does_more_than_it_says(plaintext: bytes) -> None:
    try:
        client_install.install(plaintext)
    except (HandOffError, ConfigurationError):
        return
    raise AssertionError("random bytes are no client")


def test_what_the_page_seals_is_what_this_opens() -> None:
    """Messages sealed by the page's code open to the same bytes in Python (C71)."""
    vectors = json.loads((VECTORS / "configuration.json").read_text())
    assert len(vectors) == 4
    for vector in vectors:
        private = X25519PrivateKey.from_private_bytes(from_b64url(vector["recipient_private_key"]))
        context = SealingContext("configuration", vector["ticket"], "", "")
        plaintext = RecipientKey(private).open(vector["sealed"], context)
        expected = vector["parts"]
        if "client_id" in expected:
            same = credentials(expected["client_id"], expected["client_secret"], expected["project_id"])
        else:
            same = file(from_b64url(expected["content"]), expected["name"])
        assert plaintext == from_b64url(vector["plaintext"]) == same


def test_hosts_that_write_traits_one_by_one(widget: ConfigureWidget) -> None:
    widget.sealed_configuration = sealed(widget.ticket, credentials())
    assert widget.sealed_configuration == ""
    assert widget.configured
