"""Runs Debian's glewlwyd, an OpenID provider written in C, set up through its administration interface."""

from __future__ import annotations

import gzip
import json
import secrets
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from .ports import free_port
from .process import ServerProcess
from .signing_key import SigningKey
from .stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOTS = (Path(__file__).parents[2] / "target/glewlwyd", Path("/"))
"""Where the package may be unpacked or installed."""

PAGES = Path("/usr/share/glewlwyd/webapp")
"""Its web pages, of the package glewlwyd-common."""

PAGE_SETTINGS = Path("/etc/glewlwyd/config-2.7.json")
TIMEOUT = 60
ADMINISTRATOR = {"username": "admin", "password": "password"}  # what a fresh database comes with
PASSWORD = "wooden spoon"
CLIENT_ID = "notebook-glewlwyd"
PLUGIN = "oidc"
SCOPES = ("openid", "email", "profile")

# Debian's sample leaves the types of files out of the program as well.
MIME_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "application/javascript",
    ".json": "application/json",
}


class GlewlwydMissingError(RuntimeError):
    """The program is not there."""


class Glewlwyd(Stoppable):
    """The provider's process, with its database in `folder`, one client and the given users, by name.

    The client has a secret, because the revocation endpoint serves no other, and a redirect address with
    a port, because addresses are compared to the letter. `client_file` is its client_secrets.json.
    """

    def __init__(self, folder: Path, *, users: Mapping[str, str]) -> None:
        self.key = SigningKey()
        self.client_id = CLIENT_ID
        self.client_secret = secrets.token_urlsafe(24)
        self.redirect_uri = f"http://127.0.0.1:{free_port()}/callback"
        self.client_file = folder / "client_secrets.json"
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.issuer = f"{self.origin}/api/{PLUGIN}"
        root = _root()
        _create_database(root, folder / "glewlwyd.db")
        _copy_pages(folder / "pages")
        configuration = folder / "glewlwyd.conf"
        configuration.write_text(_configuration(root, folder, self.port, self.origin))
        self._process = ServerProcess(
            [str(root / "usr/bin/glewlwyd"), f"--config-file={configuration}"],
            log=folder / "glewlwyd.log",
            is_ready=lambda line: "Glewlwyd started on port" in line,
        )
        self._process.wait_ready()
        try:
            self._set_up(users)
            self._write_client_file()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the provider's process."""
        self._process.stop()

    def _set_up(self, users: Mapping[str, str]) -> None:
        session = requests.Session()
        # It says that it has started a moment before its port is open.
        session.mount(
            self.origin,
            HTTPAdapter(max_retries=Retry(connect=100, read=0, backoff_factor=0.02, backoff_max=0.1)),
        )
        self._call(session, "/auth/", ADMINISTRATOR)
        for scope in SCOPES[1:]:
            self._call(session, "/scope/", {"name": scope, "display_name": scope, "password_required": False})
        for username, email in users.items():
            user = {"username": username, "name": username.title(), "email": email, "password": PASSWORD}
            self._call(session, "/user/", {**user, "enabled": True, "scope": list(SCOPES)})
        self._call(session, "/mod/plugin/", self._plugin())
        self._call(session, "/client/", self._client())

    def _plugin(self) -> dict[str, Any]:
        return {
            "module": "oidc",
            "name": PLUGIN,
            "display_name": "OpenID Connect",
            "enabled": True,
            "parameters": {
                "iss": self.issuer,
                "jwks-private": json.dumps({"keys": [self.key.private_jwk]}),
                "jwks-show": True,
                "oauth-as-iss-id": True,
                "access-token-duration": 3600,
                "refresh-token-duration": 86_400,
                "code-duration": 60,
                "refresh-token-rolling": True,
                "refresh-token-one-use": "always",
                "allow-non-oidc": False,
                "auth-type-code-enabled": True,
                "auth-type-token-enabled": False,
                "auth-type-none-enabled": False,
                "auth-type-password-enabled": False,
                "auth-type-client-enabled": False,
                "auth-type-device-enabled": False,
                "auth-type-refresh-enabled": True,
                "allowed-scope": list(SCOPES),
                "name-claim": "on-demand",
                "name-claim-scope": ["profile"],
                "email-claim": "on-demand",
                "email-claim-scope": ["email"],
                "scope-claim": "no",
                "subject-type": "public",
                "pkce-allowed": True,
                "pkce-method-plain-allowed": False,
                "pkce-required": True,
                "introspection-revocation-allowed": True,
                "introspection-revocation-allow-target-client": True,
            },
        }

    def _client(self) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "name": "Notebook",
            "enabled": True,
            "confidential": True,
            "client_secret": self.client_secret,
            "redirect_uri": [self.redirect_uri],
            "authorization_type": ["code", "refresh_token"],
            "token_endpoint_auth_method": ["client_secret_post"],
        }

    def _write_client_file(self) -> None:
        client = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "auth_uri": f"{self.issuer}/auth",
            "token_uri": f"{self.issuer}/token",
            "redirect_uris": [self.redirect_uri],
        }
        self.client_file.touch(mode=0o600)
        self.client_file.write_text(json.dumps({"web": client}))

    def _call(self, session: requests.Session, path: str, content: Mapping[str, Any]) -> None:
        answer = session.post(f"{self.origin}/api{path}", json=content, timeout=TIMEOUT)
        if answer.status_code != requests.codes.ok:
            message = f"glewlwyd answered {answer.status_code} to {path}: {answer.text}"
            raise RuntimeError(message)


def _root() -> Path:
    for root in ROOTS:
        if (root / "usr/bin/glewlwyd").exists():
            return root
    message = "glewlwyd is missing: node scripts/bootstrap.mjs unpacks it"
    raise GlewlwydMissingError(message)


def _create_database(root: Path, path: Path) -> None:
    script = root / "usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz"
    connection = sqlite3.connect(path)
    try:
        connection.executescript(gzip.decompress(script.read_bytes()).decode())
    finally:
        connection.close()


def _copy_pages(pages: Path) -> None:
    shutil.copytree(PAGES, pages, ignore=shutil.ignore_patterns("config.json"))
    # Debian's package makes this file a folder of the same name, and its pages ask for the file in vain.
    settings = PAGE_SETTINGS / "config.json" if PAGE_SETTINGS.is_dir() else PAGE_SETTINGS
    shutil.copy(settings, pages / "config.json")


def _configuration(root: Path, folder: Path, port: int, origin: str) -> str:
    settings: dict[str, Any] = {
        "port": port,
        "bind_address": "127.0.0.1",
        "external_url": origin,
        "login_url": "login.html",
        "api_prefix": "api",
        "static_files_path": f"{folder / 'pages'}/",
        "allow_origin": "*",
        "allow_methods": "GET, POST, PUT, DELETE, OPTIONS",
        "allow_headers": "Origin, X-Requested-With, Content-Type, Accept, Authorization",
        "log_mode": "console",
        "log_level": "INFO",
        "cookie_domain": "127.0.0.1",
        "cookie_secure": 0,
        "cookie_same_site": "empty",
        "session_expiration": 86_400,
        "session_key": "GLEWLWYD2_SESSION_ID",
        "login_api_enabled": True,
        "admin_scope": "g_admin",
        "profile_scope": "g_profile",
        "hash_algorithm": "SHA512",
    }
    modules = {"user": "user", "client": "client", "user_auth_scheme": "scheme", "plugin": "plugin"}
    for name, where in modules.items():
        settings[f"{name}_module_path"] = str(root / "usr/lib/glewlwyd" / where)
    middleware = folder / "user_middleware"
    middleware.mkdir()
    settings["user_middleware_module_path"] = str(middleware)
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    lines.append(f'database = {{ type = "sqlite3" path = {json.dumps(str(folder / "glewlwyd.db"))} }};')
    types = (
        f'{{ extension = "{extension}" mime_type = "{name}" compress = 0 }}'
        for extension, name in MIME_TYPES.items()
    )
    lines.append(f"static_files_mime_types = ( {', '.join(types)} )")
    return "\n".join(lines) + "\n"
