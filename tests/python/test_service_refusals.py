"""Service accounts: failures give typed errors that show no secret."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_google import (
    AUDIENCE,
    METADATA,
    TARGET,
    FakeGoogle,
    iam_path,
    pem,
)
from fake_provider import Answer, FakeProvider
from google.auth import _exponential_backoff, iam
from google_world import (  # noqa: F401 - fixtures
    HTML,
    code_of,
    fake_fixture,
    key_fixture,
    machine_fixture,
    no_machine_fixture,
    refused,
)
from servers import ports
from tokentoss import (
    ConfigurationError,
    IAPClient,
    ServiceCredentials,
    TokenRefreshError,
)

# What goes wrong


INVALID_GRANT = "invalid_grant"
CLOCK = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (
            Answer.json({"error": INVALID_GRANT, "error_description": "Invalid JWT Signature."}, 400),
            "minting_key_refused",
        ),
        (Answer.json({"error": INVALID_GRANT, "error_description": CLOCK}, 400), "minting_clock_wrong"),
        (
            Answer.json({"error": "very\n-wrong\x1b" * 99, "error_description": [1]}, 401),
            "minting_key_refused",
        ),
        (Answer.json({"error": {"code": 7}}, 403), "minting_key_refused"),
        (Answer(500), "minting_unavailable"),
        (Answer(429), "minting_unavailable"),
        (HTML, "minting_answer_invalid"),
        (Answer(403, HTML.body, HTML.headers), "minting_answer_invalid"),
        (Answer.json({}), "minting_answer_invalid"),
        (Answer.json([]), "minting_answer_invalid"),
        (Answer.json({"id_token": 7}), "minting_answer_invalid"),
        (Answer.json({"id_token": "a.b.c"}), "minting_answer_invalid"),
        (Answer(200, b"x" * 70_000), "minting_answer_invalid"),
        (Answer(200, b"\xff\xfe"), "minting_answer_invalid"),
        (Answer(302, headers={"Location": "https://elsewhere.example/"}), "minting_answer_invalid"),
    ],
)
def test_the_token_endpoint(fake: FakeGoogle, key: Path, answer: Answer, code: str) -> None:
    fake.answers["/token"] = answer
    failure = refused(ServiceCredentials(key, AUDIENCE))
    assert failure.code == code
    assert isinstance(failure, TokenRefreshError)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "somebody-else"}, "minting_answer_invalid"),
        ({"exp": None}, "minting_answer_invalid"),
        ({"iat": 1, "exp": 3601}, "minting_clock_wrong"),
    ],
)
def test_a_token_that_is_not_what_was_asked_for(
    fake: FakeGoogle, key: Path, claims: dict[str, Any], code: str
) -> None:
    fake.answers["/token"] = Answer.json({"id_token": fake.id_token(**({"aud": AUDIENCE} | claims))})
    assert code_of(key, AUDIENCE) == code


def google_error(status: int, reason: str = "PERMISSION_DENIED", detail: str = "") -> Answer:
    details = [{"reason": detail}]
    return Answer.json(
        {"error": {"code": status, "message": "very-secret", "status": reason, "details": details}}, status
    )


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (google_error(403), "minting_impersonation_denied"),
        (google_error(403, detail="SERVICE_DISABLED"), "minting_api_disabled"),
        (google_error(404, "NOT_FOUND"), "minting_account_unknown"),
        (google_error(400, "INVALID_ARGUMENT"), "minting_refused"),
        (google_error(429, "RESOURCE_EXHAUSTED"), "minting_unavailable"),
        (google_error(503, "UNAVAILABLE"), "minting_unavailable"),
        (HTML, "minting_answer_invalid"),
        (Answer(403, HTML.body, HTML.headers), "minting_answer_invalid"),
        (Answer.json({}), "minting_answer_invalid"),
        (Answer.json({"token": "a.b.c"}), "minting_answer_invalid"),
    ],
)
@pytest.mark.parametrize("way", ["key", "federation"])
def test_the_iam_api(fake: FakeGoogle, tmp_path: Path, answer: Answer, code: str, way: str) -> None:
    fake.answers[iam_path()] = answer
    path = fake.key_file(tmp_path) if way == "key" else fake.federation_file(tmp_path)
    failure = refused(ServiceCredentials(path, AUDIENCE, impersonate=TARGET))
    assert failure.code == code
    if code in {"minting_impersonation_denied", "minting_account_unknown"}:
        assert TARGET in str(failure)


def test_the_iam_api_cannot_be_reached(fake: FakeGoogle, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam, "_IAM_IDTOKEN_ENDPOINT", f"http://127.0.0.1:{ports.free_port()}/{{}}")
    failure = refused(ServiceCredentials(key, AUDIENCE, impersonate=TARGET))
    assert failure.code == "minting_unreachable"
    assert isinstance(failure, TokenRefreshError)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (
            Answer.json({"error": "invalid_grant", "error_description": "very-secret"}, 400),
            "minting_federation_refused",
        ),
        (Answer.json({"error": "unauthorized_client"}, 401), "minting_federation_refused"),
        (Answer(503), "minting_unavailable"),
        (HTML, "minting_answer_invalid"),
        (Answer(403, HTML.body, HTML.headers), "minting_answer_invalid"),
    ],
)
def test_sts(fake: FakeGoogle, tmp_path: Path, answer: Answer, code: str) -> None:
    fake.answers["/sts"] = answer
    assert code_of(fake.federation_file(tmp_path), AUDIENCE) == code


@pytest.mark.parametrize("status", [0, 403, 200])
def test_no_subject_token(fake: FakeGoogle, tmp_path: Path, status: int) -> None:
    path = fake.federation_file(tmp_path)
    (tmp_path / "subject").unlink()
    if status:
        fake.answers["/subject"] = Answer(status, b"")
        path = fake.federation_file(tmp_path, credential_source={"url": fake.issuer + "/subject"})
    assert code_of(path, AUDIENCE) == "minting_subject_missing"


def test_a_program_that_may_not_run(fake: FakeGoogle, tmp_path: Path) -> None:
    """A credential file's program is not run unless google-auth allows it."""
    source = {"executable": {"command": f"touch {tmp_path / 'ran'}", "timeout_millis": 5000}}
    assert (
        code_of(fake.federation_file(tmp_path, credential_source=source), AUDIENCE)
        == "minting_subject_missing"
    )
    assert not (tmp_path / "ran").exists()


def test_nothing_listens(fake: FakeGoogle, tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{ports.free_port()}"
    assert code_of(fake.key_file(tmp_path, token_uri=gone + "/t"), AUDIENCE) == "minting_unreachable"
    assert code_of(fake.federation_file(tmp_path, token_url=gone + "/t"), AUDIENCE) == "minting_unreachable"
    path = fake.federation_file(tmp_path, credential_source={"url": gone + "/s"})
    assert code_of(path, AUDIENCE) == "minting_subject_missing"


@pytest.mark.parametrize("impersonate", [None, TARGET])
def test_no_metadata_server(
    no_machine: None, monkeypatch: pytest.MonkeyPatch, impersonate: str | None
) -> None:
    monkeypatch.setattr(_exponential_backoff, "time", SimpleNamespace(sleep=lambda _: None))
    assert code_of("default", AUDIENCE, impersonate=impersonate) == "minting_metadata_unreachable"


def test_a_metadata_server_without_an_account(machine: FakeGoogle) -> None:
    machine.answers[METADATA] = machine.answers[METADATA + "identity"] = Answer(404, b"very-secret")
    assert code_of("default", AUDIENCE) == "minting_metadata_empty"


def test_a_hotel_in_place_of_the_metadata_server(machine: FakeGoogle) -> None:
    machine.answers["/"] = HTML
    assert code_of("default", AUDIENCE) == "minting_metadata_unreachable"
    machine.answers |= {"/": Answer(200, b"", {"Metadata-Flavor": "Google"}), METADATA + "identity": HTML}
    assert code_of("default", AUDIENCE) == "minting_answer_invalid"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "credentials_file_invalid"),
        (b"very-secret", "credentials_file_invalid"),
        (b"\xff\xfe", "credentials_file_invalid"),
        (b"[" * 9999, "credentials_file_invalid"),
        (b"[]", "credentials_file_invalid"),
        (b" " * 70_000, "credentials_file_invalid"),
        (b"{}", "credentials_type_unsupported"),
        (b'{"type": 7}', "credentials_type_unsupported"),
        (b'{"type": "gdch_service_account"}', "credentials_type_unsupported"),
        (b'{"type": "authorized_user", "refresh_token": "very-secret"}', "credentials_of_user"),
        (b'{"installed": {"client_secret": "very-secret"}}', "credentials_is_client"),
        (b'{"type": "service_account"}', "credentials_file_invalid"),
        (b'{"type": "external_account", "token_url": "https://a.example"}', "credentials_file_invalid"),
        (b'{"type": "impersonated_service_account", "source_credentials": [1]}', "credentials_file_invalid"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    failure = refused(ServiceCredentials(path, AUDIENCE))
    assert failure.code == code
    assert isinstance(failure, ConfigurationError)
    assert str(path) in str(failure)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"private_key": "very-secret"}, "credentials_file_invalid"),
        ({"private_key": 7}, "credentials_file_invalid"),
        ({"client_email": None}, "credentials_file_invalid"),
        ({"token_uri": None}, "credentials_file_invalid"),
        ({"token_uri": "http://elsewhere.example/token"}, "endpoint_insecure"),
    ],
)
def test_keys_that_are_damaged(fake: FakeGoogle, tmp_path: Path, members: dict[str, Any], code: str) -> None:
    assert code_of(fake.key_file(tmp_path, **members), AUDIENCE) == code
    assert not fake.requests


def test_other_files(fake: FakeGoogle, tmp_path: Path) -> None:
    assert code_of(tmp_path / "none.json", AUDIENCE) == "credentials_file_missing"
    assert code_of(tmp_path, AUDIENCE) == "credentials_file_unreadable"
    path = fake.federation_file(tmp_path, service_account_impersonation_url=None)
    assert code_of(path, AUDIENCE) == "credentials_target_missing"
    source = {"certificate": {"use_default_certificate_config": True}}
    path = fake.federation_file(tmp_path, credential_source=source)
    assert code_of(path, AUDIENCE) == "credentials_type_unsupported"
    path = fake.federation_file(tmp_path, token_url="http://elsewhere.example/sts")
    assert code_of(path, AUDIENCE) == "endpoint_insecure"
    assert not fake.requests


@pytest.mark.parametrize(
    ("source", "named", "code"),
    [
        ('{"private_key": "very-secret"}', {}, "credentials_is_text"),
        ("eyJwcml2YXRlX2tleSI6InZlcnktc2VjcmV0In0=", {}, "credentials_is_text"),
        ("very-secret\nmore", {}, "credentials_is_text"),
        ("", {}, "argument_invalid"),
        (None, {}, "argument_invalid"),
        (7, {}, "argument_invalid"),
        ("x" * 5000, {}, "argument_invalid"),
        ("a", {"audience": ""}, "argument_invalid"),
        ("a", {"audience": "two words"}, "argument_invalid"),
        ("a", {"audience": 7}, "argument_invalid"),
        ("a", {"impersonate": "nobody"}, "argument_invalid"),
        ("a", {"impersonate": "a@b.example/../../x:y"}, "argument_invalid"),
    ],
)
def test_arguments_that_cannot_be_used(source: Any, named: dict[str, Any], code: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        ServiceCredentials(source, **named)
    assert refusal.value.code == code
    shown = traceback.TracebackException.from_exception(refusal.value, capture_locals=True)
    frames = [frame for frame in shown.stack if "/tokentoss/" in frame.filename]
    assert "very-secret" not in str(refusal.value) + str([frame.locals for frame in frames])


def test_no_audience(key: Path, service: FakeProvider) -> None:
    assert code_of(key) == "credentials_audience_missing"
    with pytest.raises(ConfigurationError) as refusal:
        IAPClient(service.issuer, credentials=ServiceCredentials(key))
    assert refusal.value.code == "credentials_audience_missing"
    client = IAPClient(service.issuer, credentials=ServiceCredentials(key), expected_audience=AUDIENCE)
    assert client.get_json("/api") == {"ok": True}


def test_no_secret_is_shown(fake: FakeGoogle, key: Path, tmp_path: Path) -> None:
    credentials = ServiceCredentials(key, AUDIENCE, impersonate=TARGET)
    token = credentials.id_token
    secret = pem(fake.key).splitlines()[3]
    for shown in (repr(credentials), str(vars(credentials)), str(pickle.dumps(credentials))):
        assert token not in shown
        assert secret not in shown
    again = pickle.loads(pickle.dumps(credentials))
    assert repr(again) == repr(credentials)
    assert again.id_token != token
    for answers in (
        {"/token": Answer(400, b'{"error": "x"}')},
        {iam_path(): google_error(403)},
        {iam_path(): HTML},
    ):
        kept = dict(fake.answers)
        fake.answers |= answers
        with pytest.raises(TokenRefreshError) as refusal:
            _ = ServiceCredentials(key, AUDIENCE, impersonate=TARGET).id_token
        fake.answers = kept
        assert refusal.value.__context__ is refusal.value.__cause__ is None
        shown = traceback.TracebackException.from_exception(refusal.value, capture_locals=True)
        text = str([frame.locals for frame in shown.stack if "/tests/" not in frame.filename])
        assert secret not in text
        assert "robot-1" not in text
