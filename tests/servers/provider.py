"""Starts the local OpenID provider and switches its behaviour while it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from .process import ServerProcess
from .stoppable import Stoppable

if TYPE_CHECKING:
    from .certificates import ServerCertificate

SCRIPT = Path(__file__).with_name("provider.mjs")
CONTROL_TIMEOUT = 60


@dataclass(frozen=True)
class Client:
    """A client registered at the provider."""

    client_id: str
    client_secret: str | None = None
    secret_file: Path | None = None
    """Where a notebook reads the secret, so that it stands in no cell."""


class LocalProvider(Stoppable):
    """The provider's process. `folder` receives its log and the client secret of the run.

    With a certificate for Google's hosts it plays Google to clients whose name resolution leads to `port`.
    """

    def __init__(
        self, folder: Path, *, port: int = 0, google_certificate: ServerCertificate | None = None
    ) -> None:
        options = ["--port", str(port)]
        if google_certificate is not None:
            files = {"--certificate": google_certificate.certificate, "--key": google_certificate.key}
            options += ["--as-google", *(str(part) for option in files.items() for part in option)]
        self._process = ServerProcess(
            ["node", str(SCRIPT), *options],
            log=folder / "provider.log",
            is_ready=lambda line: line.startswith("{"),
        )
        ready = json.loads(self._process.wait_ready())
        self.issuer: str = ready["issuer"]
        self.port: int = ready["port"]
        self._control: str = ready["control"]
        self.public = Client(**ready["clients"]["public"])
        self.confidential = Client(**ready["clients"]["secret"], secret_file=folder / "client_secret")
        self.device = Client(**ready["clients"]["device"])
        self.device_confidential = Client(
            **ready["clients"]["device_secret"], secret_file=folder / "device_client_secret"
        )
        self._write_secret(self.confidential)
        self._write_secret(self.device_confidential)

    @property
    def discovery_url(self) -> str:
        """Where the provider publishes its metadata."""
        return f"{self.issuer}/.well-known/openid-configuration"

    def metadata(self) -> dict[str, Any]:
        """The provider's metadata (OpenID Connect Discovery 1.0, section 3)."""
        answer = requests.get(self.discovery_url, timeout=CONTROL_TIMEOUT)
        answer.raise_for_status()
        metadata: dict[str, Any] = answer.json()
        return metadata

    def change(self, **switches: Any) -> None:
        """Switch behaviour; the names are those of provider/behaviour.mjs."""
        self._call("PATCH", "/behaviour", json=switches)

    def sign(self, claims: dict[str, Any]) -> str:
        """An ID token with any claims, signed with the provider's own key."""
        token: str = self._call("POST", "/id_tokens", json=claims)
        return token

    def reset(self) -> None:
        """Back to a plain provider that has seen no request."""
        self._call("DELETE", "/behaviour")
        self._call("DELETE", "/secrets")
        self.forget_requests()

    def forget_requests(self) -> None:
        """Empty the request log."""
        self._call("DELETE", "/requests")

    def requests(self, path: str | None = None, method: str | None = None) -> list[dict[str, Any]]:
        """Requests so far, optionally those to one path or by one method."""
        entries: list[dict[str, Any]] = self._call("GET", "/requests")
        return [
            entry
            for entry in entries
            if (path is None or entry["path"] == path) and (method is None or entry["method"] == method)
        ]

    def exchanges(self) -> list[dict[str, Any]]:
        """Requests to the token endpoint, without those that only find out whether a page may ask there."""
        probe = {"grant_type", "client_id"}
        return [entry for entry in self.requests("/token") if set(entry["body"]) != probe]

    def secrets(self) -> dict[str, str]:
        """The client secret, and codes, states, verifiers and tokens since the last reset, for leak scans."""
        assert self.confidential.client_secret is not None
        assert self.device_confidential.client_secret is not None
        found = {
            "client_secret": self.confidential.client_secret,
            "client_secret 2": self.device_confidential.client_secret,
        }
        for name, value in self._call("GET", "/secrets"):
            number = sum(other.split(" ")[0] == name for other in found) + 1
            found[name if number == 1 else f"{name} {number}"] = value
        return found

    def stop(self) -> None:
        """End the provider's process."""
        self._process.stop()

    @staticmethod
    def _write_secret(client: Client) -> None:
        assert client.secret_file is not None
        assert client.client_secret is not None
        client.secret_file.touch(mode=0o600)
        client.secret_file.write_text(client.client_secret)

    def _call(self, method: str, route: str, **arguments: Any) -> Any:
        answer = requests.request(method, f"{self._control}{route}", timeout=CONTROL_TIMEOUT, **arguments)
        answer.raise_for_status()
        return answer.json()
