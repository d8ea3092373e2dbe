"""The packages measured in the same browser, JupyterLab and provider: this one and tokentoss 0.1.1."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servers.provider import Client, LocalProvider

ROOT = Path(__file__).resolve().parents[1]
PEER_FOLDER = ROOT / ".cache" / "peer-0.1.1"
# The peer, with the same widget machinery and kernel as ours: what differs is the package alone.
PEER_REQUIREMENTS = ("tokentoss==0.1.1", "anywidget==0.11.0", "ipywidgets==8.1.9", "ipykernel==7.4.0")

# In both kernels: when `is_authenticated` turned true, by the wall clock in seconds. Each package sets it
# last, with its tokens in place, in whichever thread it uses.
WATCH = """
import time
tokens_at = []
def note_tokens(change):
    if change["new"]:
        assert widget.auth_manager.id_token
        tokens_at.append(time.time())
widget.observe(note_tokens, "is_authenticated")
"""


@dataclass(frozen=True)
class Package:
    """How to run one of the packages: `cells` are import, widget, and the measuring code."""

    name: str
    kernel: str
    python: Path
    cells: tuple[str, str, str]
    button: str


def ours(provider: LocalProvider, client: Client) -> Package:
    """This package, from the environment that runs the benchmark."""
    return Package(
        name="tokentoss",
        kernel="python3",
        python=Path(sys.executable),
        cells=(
            f"""import pathlib
from tokentoss import AuthWidget, MemoryStorage, Provider
provider = Provider.discover({provider.issuer!r})
client = dict(
    client_id={client.client_id!r}, client_secret=pathlib.Path({str(client.secret_file)!r}).read_text()
)""",
            "widget = AuthWidget(provider=provider, **client, storage=MemoryStorage())\ndisplay(widget)",
            WATCH,
        ),
        button=".tokentoss-sign-in",
    )


def peer(provider: LocalProvider, client: Client, folder: Path) -> Package:
    """The peer in an environment of its own; `folder` receives its client_secrets.json."""
    metadata = provider.metadata()
    secrets_file = folder / "client_secrets.json"
    secrets_file.touch(mode=0o600)
    secrets_file.write_text(
        json.dumps(
            {
                "installed": {
                    "client_id": client.client_id,
                    "client_secret": client.client_secret,
                    "auth_uri": metadata["authorization_endpoint"],
                    "token_uri": metadata["token_endpoint"],
                    "redirect_uris": ["http://localhost"],
                }
            }
        )
    )
    return Package(
        name="tokentoss 0.1.1",
        kernel="peer",
        python=peer_python(),
        cells=(
            f"from tokentoss import GoogleAuthWidget, MemoryStorage\npath = {str(secrets_file)!r}",
            "widget = GoogleAuthWidget(client_secrets_path=path, storage=MemoryStorage())\ndisplay(widget)",
            WATCH,
        ),
        button=".tokentoss-button",
    )


def peer_python() -> Path:
    """Interpreter of the peer's environment, made when it is missing."""
    python = PEER_FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (PEER_FOLDER / "complete").exists():
        venv.create(PEER_FOLDER, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEER_REQUIREMENTS],
            check=True,
        )
        (PEER_FOLDER / "complete").touch()
    return python
