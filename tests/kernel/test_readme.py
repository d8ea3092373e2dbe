"""The README's quick start runs as it is written.

Nothing of the package is changed for it. The names of Google's hosts and of the service lead to servers on
this machine, with certificates of an authority that the environment trusts, and a script does what user and
page do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import requests
import tokentoss
from page import Page
from servers.iap_api import IapLikeApi
from servers.provider import Client, LocalProvider
from servers.scripted_login import follow_to_callback
from tokentoss.session import app_host, default_credentials

from kernel.people import ADA

README = Path(__file__).parents[2] / "README.md"
GOOGLE_HOSTS = ("accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com")
SERVICE_HOST = "my-iap-service.run.app"


def quick_start():
    """The Python blocks of that section, in order."""
    section = README.read_text().split("\n## Quick start\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


@dataclass
class World:
    client: Client
    service: IapLikeApi


@pytest.fixture
def world(tmp_path, authority, names, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    certificate = authority.issue(*GOOGLE_HOSTS)
    with LocalProvider(tmp_path, google_certificate=certificate) as provider:
        for host in GOOGLE_HOSTS:
            names.add(host, provider.port)
        service = IapLikeApi(
            provider.issuer,
            audiences=[provider.confidential.client_id],
            certificate=authority.issue(SERVICE_HOST),
        )
        with service:
            names.add(SERVICE_HOST, service.port)
            yield World(provider.confidential, service)
    assert names.unknown == [], "nothing else was looked for"


def download_client_secrets(client, folder):
    """What Google's console offers for download."""
    section = {
        "client_id": client.client_id,
        "project_id": "my-project",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_secret": client.client_secret,
        "redirect_uris": ["http://localhost"],
    }
    (folder / "client_secrets.json").write_text(json.dumps({"installed": section}))


def click_and_sign_in(widget, login):
    """What the page and the user do, from the click to the sealed tokens."""
    ticket = widget.ticket
    page = Page(ticket)
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode()).digest()
    parameters = {
        **ticket["provider"]["authorization_params"],
        "scope": " ".join(ticket["scopes"]),
        "nonce": page.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    url = f"{page.url()}&{urlencode(parameters)}"
    assert page.register(url=url).status == 200
    callback = urlsplit(follow_to_callback(url, login))
    page_token = page.page_token(page.callback(callback.query))
    form = {
        "grant_type": "authorization_code",
        "code": re.search(r"code=([^&]+)", callback.query)[1],
        "redirect_uri": ticket["redirect_uri"],
        "client_id": ticket["client_id"],
        "client_secret": page.client_secret,
        "code_verifier": verifier,
    }
    tokens = requests.post(ticket["provider"]["token_endpoint"], data=form, timeout=10).json()
    sealed = page.seal(
        {
            "version": 2,
            "ticket": ticket["id"],
            "salt": page.salt,
            "proof": page.proof,
            "received_at": 0,
            "access_token": tokens["access_token"],
            "refresh_token": tokens["refresh_token"],
            "id_token": tokens["id_token"],
            "expires_in": tokens["expires_in"],
            "scopes": tokens["scope"].split(),
        }
    )
    assert page.post("/tokentoss/deliver", page_token=page_token, sealed=sealed).json() == {"code": ""}


def test_the_quick_start_runs_as_written(world, tmp_path, monkeypatch, capfd):
    configure, authenticate, request = quick_start()
    monkeypatch.chdir(tmp_path)
    download_client_secrets(world.client, tmp_path)
    shown = []
    notebook = {"display": shown.append}

    exec(compile(configure, "README.md", "exec"), notebook)
    installed = tokentoss.get_config_path()
    assert stat.S_IMODE(installed.stat().st_mode) == 0o600

    exec(compile(authenticate, "README.md", "exec"), notebook)
    (widget,) = shown
    try:
        click_and_sign_in(widget, ADA)
        assert widget.status == f"Signed in as {ADA}"
        assert widget.is_authenticated

        exec(compile(request, "README.md", "exec"), notebook)
        assert notebook["data"]["email"] == ADA

        # "Or in a script on the same machine": one that knows of no sign-in of its own.
        monkeypatch.setattr(default_credentials, "_everybody", app_host.Visitor())
        script = {}
        exec(compile(request, "README.md", "exec"), script)
        assert script["data"] == notebook["data"]
    finally:
        widget.close()
    said = "".join(capfd.readouterr())
    for secret in (world.client.client_secret, widget.auth_manager.id_token):
        assert secret not in said
