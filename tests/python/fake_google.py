"""Google's token endpoint, STS, IAM API and metadata server on loopback, and files that name them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from fake_provider import Answer, FakeProvider, SigningKey

AUDIENCE = "123-iap.apps.googleusercontent.com"
ACCOUNT = "robot@project-1.iam.gserviceaccount.com"
TARGET = "target@project-1.iam.gserviceaccount.com"
METADATA = "/computeMetadata/v1/instance/service-accounts/default/"


def iam_path(account: str = TARGET) -> str:
    return f"/v1/projects/-/serviceAccounts/{account}:generateIdToken"


class FakeGoogle(FakeProvider):
    """Gives ID tokens for the audience that is asked for; ``lifetime`` and ``issued`` move their times."""

    def __init__(self, key: SigningKey) -> None:
        super().__init__(key)
        self.lifetime = 3600
        self.issued = 0
        self.minted: list[str] = []
        self.assertions: list[dict[str, Any]] = []
        flavor = {"Metadata-Flavor": "Google", "Content-Type": "application/text"}
        self.answers |= {
            "/token": self._token,
            "/sts": Answer.json({"access_token": "federated-1", "expires_in": 3600, "token_type": "Bearer"}),
            iam_path(): lambda _: Answer.json({"token": self.new_token(AUDIENCE, email=TARGET)}),
            "/": Answer(200, b"computeMetadata/", flavor),
            METADATA: Answer.json({"email": ACCOUNT, "scopes": []}, Metadata_Flavor="Google"),
            METADATA + "token": Answer.json({"access_token": "machine-1", "expires_in": 3600}),
            # google-auth 2.30 asks by the account's name.
            METADATA.replace("default", ACCOUNT) + "token": Answer.json(
                {"access_token": "machine-1", "expires_in": 3600}
            ),
            METADATA + "identity": lambda _: Answer(200, self.new_token(self._asked()).encode(), flavor),
            "/computeMetadata/v1/project/project-id": Answer(200, b"project-1", flavor),
            "/computeMetadata/v1/universe/universe-domain": Answer(404, b""),
        }

    def new_token(self, audience: str, **claims: Any) -> str:
        times = {"iat": self.claims()["iat"] + self.issued}
        times["exp"] = times["iat"] + self.lifetime
        self.minted.append(self.id_token(aud=audience, jti=str(len(self.minted)), **times, **claims))
        return self.minted[-1]

    def sent(self, path: str) -> list[str | None]:
        """The header Authorization of the calls of a path."""
        found = [headers for _, target, headers, _ in self.requests if urlsplit(target).path == path]
        return [{name.lower(): value for name, value in one.items()}.get("authorization") for one in found]

    def _asked(self) -> str:
        return parse_qs(urlsplit(self.requests[-1][1]).query)["audience"][0]

    def _token(self, form: dict[str, str]) -> Answer:
        claims = jwt.decode(form["assertion"], options={"verify_signature": False})
        self.assertions.append(claims)
        if "target_audience" in claims:
            return Answer.json({"id_token": self.new_token(claims["target_audience"], email=ACCOUNT)})
        return Answer.json({"access_token": "robot-1", "expires_in": 3600, "token_type": "Bearer"})

    def key_file(self, folder: Path, **members: Any) -> Path:
        """A service account key."""
        content = {
            "type": "service_account",
            "client_email": ACCOUNT,
            "private_key_id": "key-1",
            "private_key": pem(self.key),
            "token_uri": self.issuer + "/token",
        }
        return written(folder / "key.json", content | members)

    def federation_file(self, folder: Path, **members: Any) -> Path:
        """A configuration of workload identity federation, whose subject token is in a file."""
        subject = folder / "subject"
        subject.write_text("subject-1")
        pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"
        content = {
            "type": "external_account",
            "audience": pool,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": self.issuer + "/sts",
            "credential_source": {"file": str(subject)},
            "service_account_impersonation_url": impersonation_url(TARGET),
        }
        return written(folder / "federation.json", content | members)


def impersonation_url(account: str) -> str:
    return (
        f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    )


def pem(key: SigningKey) -> str:
    return key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def written(path: Path, content: Any) -> Path:
    """Write a file, without the members that are None."""
    members = {name: value for name, value in content.items() if value is not None}
    path.write_text(json.dumps(members))
    return path
