"""A client library of Google with the credentials of a sign-in."""

from __future__ import annotations

from typing import Any

from fake_provider import Answer, FakeProvider, SigningKey
from google.cloud import storage as google_storage
from test_auth_manager import signed_in
from test_credentials import Make, credentials_of


def test_googles_storage_client(make_manager: Make, fake: FakeProvider, signing_key: SigningKey) -> None:
    """google-cloud-storage lists a bucket after renewing an expired token."""
    service = FakeProvider(signing_key)
    service.answers["/storage/v1/b/bucket/o"] = Answer.json(
        {"items": [{"name": "a.txt", "bucket": "bucket"}]}
    )
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json(fake.token_response())
    client: Any = google_storage.Client(
        project="project-1",
        credentials=credentials_of(manager),
        client_options={"api_endpoint": service.issuer},
    )
    assert [blob.name for blob in client.list_blobs("bucket")] == ["a.txt"]
    sent = {name.lower(): value for name, value in service.requests[-1][2].items()}
    assert sent["authorization"] == "Bearer access-2"
    client.close()
    service.close()
