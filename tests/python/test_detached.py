"""Processes without a sign-in use stored tokens and renew them with the configured client."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokentoss
from fake_provider import CLIENT_ID, Answer, FakeProvider
from test_accounts import of
from test_auth_manager import signed_in, stored
from tokentoss import (
    AuthManager,
    ClientConfig,
    ConfigurationError,
    DiscoveryError,
    FileStorage,
    IAPClient,
    MemoryStorage,
    NoCredentialsError,
    TokenData,
    TokenRefreshError,
    get_config_path,
)

Make = Callable[..., AuthManager]
PACKAGE = Path(__file__).parent.parent.parent / "python"


def configure(fake: FakeProvider, **members: str) -> Path:
    """Install the client of the fake provider where everybody looks for it."""
    section = {
        "client_id": CLIENT_ID,
        "client_secret": "secret-1",
        "auth_uri": fake.issuer + "/auth",
        "token_uri": fake.issuer + "/token",
    }
    path = get_config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"installed": section | members}))
    path.chmod(0o600)
    return path


def from_here(fake: FakeProvider, **members: Any) -> TokenData:
    named = {"client_id": CLIENT_ID, "token_endpoint": fake.issuer + "/token", "issuer": fake.issuer}
    return stored(fake, **(named | {"subject": "user-1"} | members))


def bearer(service: FakeProvider) -> str:
    return service.requests[-1][2]["Authorization"].removeprefix("Bearer ")


def test_a_manager_needs_only_what_is_stored(fake: FakeProvider) -> None:
    """A manager without arguments uses the stored tokens and the configured client."""
    configure(fake)
    FileStorage().save(from_here(fake, expires_in=-10))
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="rotated"))
    manager = AuthManager()
    assert manager.provider.issuer == fake.issuer
    assert manager.is_authenticated
    assert manager.id_token
    assert fake.requests[-1][0:2] == ("GET", "/keys")
    kept = FileStorage().load()
    assert kept is not None
    assert kept.refresh_token == "rotated"


@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint": "https://other.example/token"},
        {"token_endpoint": None},
        {"client_id": "other"},
    ],
)
def test_tokens_of_another_client_name_no_provider(fake: FakeProvider, members: dict[str, Any]) -> None:
    """Stored tokens whose client or token endpoint differs are refused without a request (C51)."""
    configure(fake)
    FileStorage().save(from_here(fake, **members))
    with pytest.raises(ConfigurationError, match="of no built-in provider"):
        AuthManager()
    assert fake.requests == []


def test_a_provider_that_moved_its_token_endpoint_gets_nothing(fake: FakeProvider) -> None:
    """A token endpoint that changed in the metadata is refused and gets no request (C51)."""
    configure(fake)
    FileStorage().save(from_here(fake, expires_in=-10))
    metadata = fake.metadata(token_endpoint=fake.issuer + "/moved")
    fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
    with pytest.raises(ConfigurationError) as refusal:
        AuthManager()
    assert refusal.value.code == "client_of_another_provider"
    assert fake.calls("/moved") == 0


def test_metadata_that_cannot_be_fetched_is_named(fake: FakeProvider) -> None:
    configure(fake)
    FileStorage().save(from_here(fake))
    fake.answers["/.well-known/openid-configuration"] = Answer(503)
    with pytest.raises(DiscoveryError):
        AuthManager()


def test_a_client_renews_by_the_token_file(fake: FakeProvider, service: FakeProvider) -> None:
    configure(fake)
    FileStorage().save(from_here(fake, expires_in=-10))
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="rotated"))
    client = IAPClient(service.issuer, provider=fake.issuer)
    client.get("/api")
    kept = FileStorage().load()
    assert kept is not None
    assert (bearer(service), kept.refresh_token) == (kept.id_token, "rotated")
    client.get("/api")
    assert fake.calls("/token") == 1
    assert tokentoss.CREDENTIALS is None, "nobody signed in here"


def test_a_client_renews_on_a_401(fake: FakeProvider, service: FakeProvider) -> None:
    configure(fake)
    first = from_here(fake)
    FileStorage().save(first)
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token(jti="newer")))
    service.answers["/api"] = lambda _form: Answer(401 if bearer(service) == first.id_token else 200)
    assert IAPClient(service.issuer, provider=fake.issuer).get("/api").status_code == 200
    assert fake.calls("/token") == 1


def test_a_client_without_a_configured_one_uses_what_is_valid(
    fake: FakeProvider, service: FakeProvider
) -> None:
    soon = from_here(fake, expires_in=100)
    FileStorage().save(soon)
    client = IAPClient(service.issuer, provider=fake.issuer)
    client.get("/api")
    assert bearer(service) == soon.id_token
    FileStorage().save(from_here(fake, expires_in=-1))
    with pytest.raises(NoCredentialsError, match=r"no OAuth client at .*client_secrets\.json") as refusal:
        client.get("/api")
    assert str(FileStorage().path) in str(refusal.value)
    service.answers["/api"] = Answer(401)
    FileStorage().save(soon)
    assert client.get("/api").status_code == 401


def test_a_valid_token_is_served_while_the_provider_is_down(
    fake: FakeProvider, service: FakeProvider
) -> None:
    """While the provider is down, calls use the stored ID token until it expires (C64)."""
    configure(fake)
    soon = from_here(fake, expires_in=100)
    FileStorage().save(soon)
    fake.answers["/token"] = Answer(503)
    client = IAPClient(service.issuer, provider=fake.issuer)
    for _ in range(3):
        client.get("/api")
        assert bearer(service) == soon.id_token
    assert fake.calls("/token") == 1, "it backs off between calls"
    FileStorage().save(from_here(fake, expires_in=-1))
    with pytest.raises(TokenRefreshError):
        client.get("/api")


def test_a_client_follows_the_file(
    fake: FakeProvider, service: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client stays with its account while the file changes or another one is named (E1)."""
    configure(fake)
    fake.answers["/token"] = lambda form: Answer.json(
        fake.token_response(id_token=fake.id_token(sub=form["refresh_token"].rsplit(" ", 1)[1]))
    )

    def save(user: str) -> None:
        members = {"client_id": CLIENT_ID, "token_endpoint": fake.issuer + "/token", "issuer": fake.issuer}
        FileStorage().save(of(fake, user, expires_in=-10, subject=user, **members))

    def subject() -> Any:
        client.get("/api")
        return tokentoss.oauth.id_token.unverified_claims(bearer(service))["sub"]

    client = IAPClient(service.issuer, provider=fake.issuer)
    save("ada")
    assert subject() == "ada"
    FileStorage().clear()
    with pytest.raises(NoCredentialsError):
        client.get("/api")
    save("ada")
    assert subject() == "ada"
    save("bob")
    assert subject() == "ada"
    monkeypatch.setenv("TOKENTOSS_TOKEN_FILE", str(tmp_path / "other.json"))
    save("eve")
    with pytest.raises(NoCredentialsError) as ended:
        client.get("/api")
    assert ended.value.code == "client_session_ended"
    client = IAPClient(service.issuer, provider=fake.issuer)
    assert subject() == "eve"


SCRIPT = """
import sys
from tokentoss import AuthManager, IAPClient
print(AuthManager().id_token == AuthManager().id_token)
print(IAPClient(sys.argv[1], provider=sys.argv[2]).get_json("/api"))
"""


def test_a_script_in_another_process(
    fake: FakeProvider, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(fake)
    FileStorage().save(from_here(fake, expires_in=-10))
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="rotated"))
    service.answers["/api"] = Answer.json({"fine": True})
    environment = {"PYTHONPATH": str(PACKAGE), "XDG_CONFIG_HOME": str(get_config_path().parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, service.issuer, fake.issuer],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n{'fine': True}\n", "")
    assert fake.calls("/token") == 1


def test_credentials_set_by_hand_are_used(
    fake: FakeProvider, service: FakeProvider, make_manager: Make
) -> None:
    """Any object with an ID token of the provider can be set as CREDENTIALS."""
    newer = fake.id_token(jti="newer")

    class Mine:
        id_token = fake.id_token(jti="older")

        def refresh(self, _request: Any) -> None:
            self.id_token = newer

    tokentoss.CREDENTIALS = Mine()  # type: ignore[assignment]
    service.answers["/api"] = lambda _form: Answer(200 if bearer(service) == newer else 401)
    assert IAPClient(service.issuer, provider=fake.issuer).get("/api").status_code == 200
    Mine.id_token = "says nothing of who issued it"
    tokentoss.CREDENTIALS = Mine()  # type: ignore[assignment]
    with pytest.raises(NoCredentialsError, match=rf"tokentoss\.CREDENTIALS \(not of {fake.issuer}\)"):
        IAPClient(service.issuer, provider=fake.issuer).get("/api")
    tokentoss.CREDENTIALS = signed_in(make_manager, fake, storage=MemoryStorage()).credentials
    IAPClient(service.issuer, provider=fake.issuer).get("/api")
    assert tokentoss.CREDENTIALS is not None
    assert bearer(service) == tokentoss.CREDENTIALS.id_token


def test_a_configured_google_client_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    tokentoss.configure_from_credentials("id.apps.googleusercontent.com", "secret")
    assert AuthManager().provider is tokentoss.GOOGLE
    assert ClientConfig.discover().is_google
