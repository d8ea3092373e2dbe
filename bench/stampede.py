"""Token requests and lost sessions when 64 processes find their tokens expired, at a rotating provider."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.people import client_secrets, sign_in_aged
from servers.provider import LocalProvider

from .packages import ROOT, peer_python

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES = 64
MEMBER = Path(__file__).with_name("herd_member.py")


@dataclass(frozen=True)
class Stampede:
    """What 64 processes of one package did to the provider and to themselves."""

    token_requests: int
    sessions_lost: int


def measure(say: Callable[[str], None]) -> dict[str, Stampede]:
    """Send the herd of each package to a session of its own."""
    packages = {"tokentoss": Path(sys.executable), "tokentoss 0.1.1": peer_python()}
    found = {}
    with tempfile.TemporaryDirectory(prefix="tokentoss-bench-") as name:
        folder = Path(name)
        with LocalProvider(folder) as provider:
            for package, python in packages.items():
                found[package] = _stampede(provider, python, folder / package.replace(" ", "-"))
                say(f"{package}: {found[package]}")
    return found


def _stampede(provider: LocalProvider, python: Path, folder: Path) -> Stampede:
    folder.mkdir(mode=0o700)
    tokens = folder / "tokens.json"
    manager = sign_in_aged(provider, tokens, client=provider.confidential)
    secrets_path = client_secrets(provider, folder, client=provider.confidential)
    if python != Path(sys.executable):
        # The file as that version writes it.
        stored = manager.token_data
        assert stored is not None
        named = ("access_token", "id_token", "refresh_token", "expiry", "scopes", "user_email", "created_at")
        tokens.write_text(json.dumps({member: getattr(stored, member) for member in named}))
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    if python == Path(sys.executable):
        environment["PYTHONPATH"] = str(ROOT / "python")
    finished = subprocess.run(
        [python, MEMBER, secrets_path, tokens, str(PROCESSES)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    sessions = finished.stdout.split()
    if len(sessions) != PROCESSES:
        raise RuntimeError(f"{len(sessions)} of {PROCESSES} processes reported: {finished.stderr}")
    return Stampede(len(provider.requests("/token", "POST")), sessions.count("lost"))
