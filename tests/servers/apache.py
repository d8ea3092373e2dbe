"""Apache with mod_auth_openidc in front of an application: a proxy that is not ours, in the place of IAP.

As an OAuth 2.0 resource server it lets requests through by a bearer token that it verifies itself, against
the provider's published keys, by expiry, issuer and audience.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from .ports import free_port
from .process import ServerProcess
from .recording import RecordingServer, Reply, Request
from .stoppable import Stoppable

if TYPE_CHECKING:
    from .certificates import CertificateAuthority

APACHE = Path("/usr/sbin/apache2")
MODULES = Path("/usr/lib/apache2/modules")
MODULE = MODULES / "mod_auth_openidc.so"
TIMEOUT = 60

# Debian compiles the module that gives up root's privileges into the server.
CONFIGURATION = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
Mutex file:{folder}
ErrorLog /dev/stderr
LogLevel warn mpm_event:notice
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
User www-data
Group www-data
Listen 127.0.0.1:{port}
ServerName 127.0.0.1
StartServers 1
OIDCCABundlePath {authority}
OIDCOAuthVerifyJwksUri https://127.0.0.1:{keys_port}/jwks
OIDCOAuthRemoteUserClaim email
ProxyPass / http://127.0.0.1:{application_port}/
<Location />
  AuthType oauth20
  <RequireAll>
    Require claim "iss:{issuer}"
    Require claim "aud:{audience}"
  </RequireAll>
</Location>
"""


class ApacheMissingError(RuntimeError):
    """Apache or its module is not installed; the message says how to install them."""


class ApacheOpenIdc(Stoppable):
    """Apache on a loopback port. `application` is what stands behind it and records what comes through."""

    def __init__(self, authority: CertificateAuthority, *, issuer: str, jwks_uri: str, audience: str) -> None:
        if not (APACHE.exists() and MODULE.exists()):
            raise ApacheMissingError(
                "Apache with mod_auth_openidc is missing: as root, "
                "run apt-get install apache2-bin libapache2-mod-auth-openidc."
            )
        self.application = RecordingServer(_answer)
        # The module fetches keys over https only.
        self._keys = RecordingServer(
            lambda _request: Reply(body=requests.get(jwks_uri, timeout=TIMEOUT).content),
            certificate=authority.issue("127.0.0.1"),
        )
        # Started by root, Apache works as a user to whom a test's own folder is closed.
        self._folder = tempfile.TemporaryDirectory(prefix="tokentoss-apache-")
        folder = Path(self._folder.name)
        folder.chmod(0o755)
        trusted = folder / "authority.pem"
        trusted.write_bytes(authority.file.read_bytes())
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        configuration = folder / "apache.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                modules=MODULES,
                port=port,
                authority=trusted,
                keys_port=self._keys.port,
                application_port=self.application.port,
                issuer=issuer,
                audience=audience,
            )
        )
        self._process = ServerProcess(
            [str(APACHE), "-f", str(configuration), "-DFOREGROUND"],
            log=folder / "apache.log",
            is_ready=lambda line: "resuming normal operations" in line,
        )
        self._process.wait_ready()

    @property
    def log(self) -> str:
        """What Apache complained about."""
        return self._process.log.read_text()

    def stop(self) -> None:
        """End Apache and what stands around it."""
        self._process.stop()
        self._keys.stop()
        self.application.stop()
        self._folder.cleanup()


def _answer(request: Request) -> Reply:
    return Reply.json({"path": request.target, "email": request.headers.get("OIDC_CLAIM_email")})
