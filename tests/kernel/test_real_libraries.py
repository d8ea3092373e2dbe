"""One sign-in used by Google's libraries, requests and httpx, in threads and tasks."""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import google.auth.exceptions
import google.oauth2.credentials
import httpx
import jwt
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from servers.iap_api import IapLikeApi
from servers.recording import RecordingServer, Reply
from servers.storage_api import StorageApi
from tokentoss import FileStorage, HTTPXAuth, RequestsAuth
from tokentoss.session import refresh

from kernel import herd
from kernel.people import ADA, DUE, EXPIRED, client_secrets, manager_at, refreshes, sign_in_aged

CALLERS = 50


@pytest.fixture(params=[DUE, EXPIRED], ids=["due", "expired"])
def manager(provider, tmp_path, request):
    return sign_in_aged(provider, tmp_path / "tokens.json", request.param)


@pytest.fixture
def api(provider):
    with IapLikeApi(provider.issuer, audiences=[provider.public.client_id]) as api:
        yield api


def is_live(provider):
    """Whether the provider itself calls an access token active (RFC 7662)."""

    def introspect(token):
        client = provider.confidential
        form = {"token": token, "client_id": client.client_id, "client_secret": client.client_secret}
        answer = requests.post(provider.metadata()["introspection_endpoint"], data=form, timeout=10)
        return answer.json()["active"]

    return introspect


@pytest.fixture
def cloud_storage(provider):
    with StorageApi(is_live(provider)) as api:
        yield api


@pytest.fixture
def no_metadata_server(monkeypatch):
    """Google's libraries must not look for a machine in their cloud."""
    monkeypatch.setenv("NO_GCE_CHECK", "true")


def storage_client(credentials, api):
    return storage.Client(
        project="project", credentials=credentials, client_options={"api_endpoint": api.origin()}
    )


def test_google_cloud_storage(provider, manager, cloud_storage, no_metadata_server):
    credentials = manager.credentials
    assert isinstance(credentials, google.oauth2.credentials.Credentials)
    client = storage_client(credentials, cloud_storage)
    bucket = client.bucket("bucket")
    bucket.blob("a.txt").upload_from_string(b"small")
    large = b"x" * 3_000_000
    bucket.blob("b.bin", chunk_size=None).upload_from_file(io.BytesIO(large), size=len(large), rewind=True)
    assert [blob.name for blob in client.list_blobs("bucket")] == ["a.txt", "b.bin"]
    assert bucket.blob("a.txt").download_as_bytes() == b"small"
    assert bucket.blob("b.bin").download_as_bytes() == large
    bucket.blob("a.txt").delete()
    assert not bucket.blob("a.txt").exists()
    assert {request.bearer for request in cloud_storage.requests} == {manager.token_data.access_token}
    assert refreshes(provider) == 1


def test_google_cloud_storage_in_many_threads(provider, manager, cloud_storage, no_metadata_server):
    """Fifty threads of google-cloud-storage cause one refresh."""
    bucket = storage_client(manager.credentials, cloud_storage).bucket("bucket")

    def write_and_read(number):
        blob = bucket.blob(f"{number}")
        blob.upload_from_string(f"content {number}")
        return blob.download_as_text()

    with ThreadPoolExecutor(CALLERS) as pool:
        assert sorted(pool.map(write_and_read, range(CALLERS))) == sorted(
            f"content {number}" for number in range(CALLERS)
        )
    assert refreshes(provider) == 1


def test_an_authorized_session_whose_token_is_refused_gets_a_newer_one(provider, tmp_path):
    """Many 401 answers at once cause one refresh."""
    manager = sign_in_aged(provider, tmp_path / "tokens.json", DUE)
    manager.refresh_tokens()
    # The service thinks otherwise of a token whose time is not over, and which is not from just now.
    refused = manager.token_data.access_token
    manager.storage.save(replace(manager.token_data, updated_at="2020-01-01T00:00:00+00:00"))
    manager = manager_at(provider, storage=manager.storage)
    provider.forget_requests()
    with (
        RecordingServer(lambda request: Reply(401 if request.bearer == refused else 200)) as service,
        AuthorizedSession(manager.credentials) as session,
        ThreadPoolExecutor(CALLERS) as pool,
    ):
        answers = list(pool.map(lambda _: session.get(service.origin()).status_code, range(CALLERS)))
    assert set(answers) == {200}
    assert refreshes(provider) == 1


def test_a_session_that_ends_is_an_error_that_google_libraries_know(provider, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(refresh, "PATIENCE", 0.6)
    manager = sign_in_aged(provider, tmp_path / "tokens.json")
    with AuthorizedSession(manager.credentials) as session, RecordingServer(lambda _: Reply()) as service:
        assert session.get(service.origin()).status_code == 200
        down = {"status": 503, "content_type": "text/html", "body": ""}
        ended = {"status": 400, "content_type": "application/json", "body": '{"error": "invalid_grant"}'}
        for answer, retryable in ((down, True), (ended, False)):
            clock.advance(EXPIRED, token_answer=answer)
            with pytest.raises(google.auth.exceptions.RefreshError) as failure:
                session.get(service.origin())
            assert failure.value.retryable is retryable
            assert manager.is_authenticated is retryable
        assert len(service.requests) == 1


PICKLED = """
import pickle, sys
credentials = pickle.load(sys.stdin.buffer)
from google.auth.transport.requests import Request
credentials.before_request(Request(), "GET", "https://service.example", headers := {})
print(headers["authorization"].split()[1])
"""


def test_pickled_credentials_work_in_another_process(provider, manager, monkeypatch):
    """Pickled credentials hold no token and work in another process."""
    path = manager.storage.path
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(client_secrets(provider, path.parent)))
    tokens = manager.token_data
    content = pickle.dumps(manager.credentials)
    for secret in (tokens.access_token, tokens.id_token, tokens.refresh_token):
        assert secret.encode() not in content
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PICKLED],
            input=content,
            env=os.environ | {"PYTHONPATH": str(herd.ROOT / "python")},
            capture_output=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    stored = FileStorage(path).load()
    assert {output.decode().strip() for output in outputs} == {stored.access_token}
    assert manager.id_token == stored.id_token
    assert refreshes(provider) == 1


def test_requests(provider, manager, api):
    with requests.Session() as session:
        session.auth = RequestsAuth(manager)
        with ThreadPoolExecutor(CALLERS) as pool:
            calls = [pool.submit(session.get, f"{api.base_url}/api/data") for _ in range(CALLERS)]
            answers = [call.result() for call in calls]
    assert {answer.json()["email"] for answer in answers} == {ADA}
    assert refreshes(provider) == 1


def test_httpx(provider, manager, api):
    with (
        httpx.Client(auth=HTTPXAuth(manager), base_url=api.base_url) as client,
        ThreadPoolExecutor(CALLERS) as pool,
    ):
        answers = list(pool.map(lambda _: client.get("/api/data"), range(CALLERS)))
    assert {answer.json()["email"] for answer in answers} == {ADA}
    assert refreshes(provider) == 1


def test_httpx_in_tasks(provider, manager, api):
    """Other tasks go on while httpx calls wait for a renewal."""
    provider.change(token_hold=True)
    beats = []

    async def beat():
        while not beats or beats[-1] != "done":
            beats.append("beat")
            if len(beats) == 20:
                await asyncio.to_thread(provider.change, token_hold=False)
            await asyncio.sleep(0)

    async def call_all():
        heart = asyncio.create_task(beat())
        async with httpx.AsyncClient(auth=HTTPXAuth(manager), base_url=api.base_url) as client:
            answers = await asyncio.gather(*(client.get("/api/data") for _ in range(CALLERS)))
        beats.append("done")
        await heart
        return answers

    answers = asyncio.run(call_all())
    assert {answer.json()["email"] for answer in answers} == {ADA}
    assert refreshes(provider) == 1


@pytest.mark.parametrize("client", ["requests", "httpx", "httpx in a task"])
def test_a_refused_token_is_renewed_and_the_call_repeated_once(provider, tmp_path, client):
    path = tmp_path / "tokens.json"
    manager = sign_in_aged(provider, path, DUE)
    manager_at(provider, storage=FileStorage(path)).refresh_tokens()
    provider.forget_requests()
    refused = manager.id_token
    # A second's difference makes the next ID token another one.
    provider.change(clock_offset_seconds=5)

    def answer(request):
        return Reply(401 if request.bearer == refused else 200, request.body)

    async def in_a_task(url):
        async with httpx.AsyncClient(auth=HTTPXAuth(manager)) as session:
            return await session.post(url, json={"x": 1})

    send = {
        "requests": lambda url: requests.post(url, json={"x": 1}, auth=RequestsAuth(manager), timeout=10),
        "httpx": lambda url: httpx.post(url, json={"x": 1}, auth=HTTPXAuth(manager)),
        "httpx in a task": lambda url: asyncio.run(in_a_task(url)),
    }[client]
    with RecordingServer(answer) as service:
        response = send(service.origin())
        assert (response.status_code, response.json()) == (200, {"x": 1})
        assert [request.bearer for request in service.requests] == [refused, manager.id_token]
    assert refreshes(provider) == 1


def test_a_token_provider(provider, manager):
    """The token provider function returns the current ID token, with one refresh for all threads."""
    current = manager.token_provider()
    claims = jwt.decode(current(), options={"verify_signature": False})
    assert claims["email"] == ADA
    with ThreadPoolExecutor(CALLERS) as pool:
        assert len(set(pool.map(lambda _: current(), range(CALLERS)))) == 1
    assert refreshes(provider) == 1
