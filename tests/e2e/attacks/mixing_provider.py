"""A provider that mixes itself up with another one (RFC 9700, section 4.4): its login page is the other's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from servers.recording import RecordingServer, Reply, Request

if TYPE_CHECKING:
    from servers.provider import Client, LocalProvider

CORS = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"}


class MixingProvider(RecordingServer):
    """Sends its users on to an honest provider, and waits for their codes at its own token endpoint.

    It does not name itself in its answers. `redirect_uri`, if it is set, replaces the one of the request.
    """

    def __init__(self, honest: LocalProvider, client: Client) -> None:
        self.redirect_uri: str | None = None
        self._authorize: str = honest.metadata()["authorization_endpoint"]
        self._client = client
        super().__init__(self._answer)

    def _answer(self, request: Request) -> Reply:
        origin = self.origin()
        if request.path == "/.well-known/openid-configuration":
            return Reply.json(
                {
                    "issuer": origin,
                    "authorization_endpoint": f"{origin}/authorize",
                    "token_endpoint": f"{origin}/token",
                    "jwks_uri": f"{origin}/jwks",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "code_challenge_methods_supported": ["S256"],
                    "token_endpoint_auth_methods_supported": ["none", "client_secret_post"],
                }
            )
        if request.path == "/jwks":
            return Reply.json({"keys": []})
        if request.path == "/authorize":
            # State, challenge and nonce stay those of the victim's client.
            asked = dict(parse_qsl(urlsplit(request.target).query)) | {"client_id": self._client.client_id}
            if self.redirect_uri:
                asked["redirect_uri"] = self.redirect_uri
            return Reply.redirect(302, f"{self._authorize}?{urlencode(asked)}")
        return Reply(400, b'{"error":"invalid_grant"}', CORS)
