"""Runs a JupyterHub with ``auth_state``; prints a user's address and an administrator's token."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from broker.hub import Hub  # noqa: E402

# As long as what the broker keeps of a grant.
AUTH_STATE = {"access_token": "a" * 220, "refresh_token": "r" * 60, "scopes": ["openid", "email"]}


def main() -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with (
        tempfile.TemporaryDirectory(prefix="tokentoss-bench-") as folder,
        Hub(Path(folder), auth_state=True) as hub,
    ):
        hub.add_user("ada")
        url = f"{hub.api_url}/users/ada"
        headers = {"Authorization": f"token {hub.admin_token}"}
        requests.patch(url, headers=headers, json={"auth_state": AUTH_STATE}, timeout=10).raise_for_status()
        if requests.get(url, headers=headers, timeout=10).json().get("auth_state") != AUTH_STATE:
            raise RuntimeError("the hub does not give out auth_state")
        print(json.dumps({"url": url, "token": hub.admin_token}), flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
