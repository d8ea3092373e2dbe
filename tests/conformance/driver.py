"""The product as a relying party that a conformance suite can drive.

    python -m conformance.driver [--port 0] [--redirect-uri http://127.0.0.1:8765/callback]

    GET /start?issuer=…&module=…&variant=…&client_id=…

signs in at that issuer as the module asks for, and answers, when it has come to its end,

    {"ok": true, "outcome": "signed_in", "error": null}
    {"ok": false, "outcome": "refused", "error": "id_token_issuer_mismatch"}

The client secret comes from the environment, CONFORMANCE_CLIENT_SECRET. A variant holds what the suite calls
by that name, such as "client_auth_type=client_secret_basic"; several are separated by commas. The outcome
"failed" means that the driver itself could not do its work.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from e2e.browser import launch, local_context
from playwright.sync_api import Browser, sync_playwright
from tokentoss import (
    AuthManager,
    ClientConfig,
    MemoryStorage,
    Provider,
    TokenTossError,
)

from .bridge import Bridge
from .page_sign_in import sign_in

if TYPE_CHECKING:
    from collections.abc import Mapping

READY = "conformance driver at "
CLAIMS_OF_SCOPES = {"name", "email", "address", "phone_number"}


@dataclass(frozen=True)
class Request:
    """What a suite asks for."""

    issuer: str
    module: str
    client_id: str
    variant: Mapping[str, str]

    @classmethod
    def of(cls, query: str) -> Request:
        """Read the query of `/start`; raises KeyError for what is missing."""
        given = {name: values[0] for name, values in parse_qs(query).items()}
        pairs = (pair.partition("=") for pair in given.get("variant", "").split(",") if pair)
        variant = {name: value for name, _, value in pairs}
        return cls(given["issuer"], given["module"], given["client_id"], variant)


class RefusedError(Exception):
    """The client came to an end of its own; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Driver:
    """Performs modules, one after the other."""

    def __init__(self, browser: Browser, bridge: Bridge, redirect_uri: str | None) -> None:
        self._browser = browser
        self._bridge = bridge
        self._redirect_uri = redirect_uri

    def start(self, request: Request) -> dict[str, Any]:
        """Perform a module and say how it went."""
        try:
            self._perform(request)
        except RefusedError as end:
            return {"ok": False, "outcome": "refused", "error": end.code}
        except TokenTossError as end:
            return {"ok": False, "outcome": "refused", "error": end.code}
        except Exception:  # noqa: BLE001 - whoever drives must hear of an end
            traceback.print_exc()
            return {"ok": False, "outcome": "failed", "error": "driver_failed"}
        return {"ok": True, "outcome": "signed_in", "error": None}

    def _perform(self, request: Request) -> None:
        provider = Provider.discover(request.issuer)
        auth_type = request.variant.get("client_auth_type")
        if auth_type is not None:
            provider = replace(provider, token_endpoint_auth_method=auth_type)
        asks_for_claims = request.module.endswith("scope-userinfo-claims")
        if asks_for_claims:
            scopes = ("openid", "profile", "email", "address", "phone")
            provider = replace(provider, scopes=scopes)
        manager = AuthManager(
            client_config=self._client(request, provider), provider=provider, storage=MemoryStorage()
        )
        self._sign_in(manager)
        claims = manager.userinfo()
        if asks_for_claims and not set(claims) >= CLAIMS_OF_SCOPES:
            raise RefusedError("claims_missing")
        if "refresh-token" in request.module:
            manager.refresh_tokens()
            manager.userinfo()
        if request.module.endswith("signing-key-rotation"):
            manager.clear()
            self._sign_in(manager)
            manager.userinfo()

    def _sign_in(self, manager: AuthManager) -> None:
        with local_context(self._browser) as context:
            code = sign_in(context, self._bridge, manager)
        if code is not None:
            raise RefusedError(code)

    def _client(self, request: Request, provider: Provider) -> ClientConfig:
        has_secret = provider.token_endpoint_auth_method != "none"
        config = ClientConfig(
            client_id=request.client_id,
            client_secret=os.environ.get("CONFORMANCE_CLIENT_SECRET", "") if has_secret else "",
            auth_uri=provider.authorization_endpoint,
            token_uri=provider.token_endpoint,
        )
        if self._redirect_uri is not None:
            config = replace(config, client_type="web", redirect_uris=[self._redirect_uri])
        return config


class _Handler(BaseHTTPRequestHandler):
    driver: Driver

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != "/start":
            self.send_error(404)
            return
        try:
            request = Request.of(parts.query)
        except KeyError as missing:
            self.send_error(400, f"{missing} is missing")
            return
        body = json.dumps(self.driver.start(request)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> int:
    """Serve until standard input or the terminal ends it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="where to listen, by default any free port")
    parser.add_argument("--redirect-uri", help="the registered loopback redirect URI, if it has a fixed port")
    options = parser.parse_args()
    with ExitStack() as stack:
        browser = launch(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        _Handler.driver = Driver(browser, stack.enter_context(Bridge()), options.redirect_uri)
        # One request at a time, in this thread: Playwright's objects belong to the thread that made them.
        server = stack.enter_context(HTTPServer(("127.0.0.1", options.port), _Handler))
        print(f"{READY}http://127.0.0.1:{server.server_address[1]}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
