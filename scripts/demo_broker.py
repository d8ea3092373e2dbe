"""The demo's broker: on SQLite, with a fresh key. It calls the local OpenID provider ``local``."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from broker.local_provider import settings
from broker.running import Broker
from servers.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from servers.provider import LocalProvider


class DemoBroker(Broker):
    """Runs the built program for one person. `key_file` is what a kernel shows it."""

    def __init__(self, folder: Path, provider: LocalProvider) -> None:
        folder.mkdir()
        self.key_file = folder / "caller.key"
        self.key_file.touch(mode=0o600)
        self.key_file.write_text(secrets.token_urlsafe(32))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        provider.change(callback_pages=[f"{self.url}/callback"])
        super().__init__(
            folder,
            f"""
            {settings(provider, self.url)}
            [callers.laptop]
            keys = ["{self.key_file}"]
            tenant = "demo"
            user = "you"
            """,
            port=port,
        )
