"""Which callback a widget would choose here, and whether it reaches the user's browser."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tokentoss.doctor.finding import Finding
from tokentoss.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.configuration import ClientConfig
    from tokentoss.providers import Provider

_ELSEWHERE = "On this host the browser runs elsewhere: its 127.0.0.1 is not this machine's."
_FIXED_PORT = (
    "That takes a fixed one: configure a client of type web with http://127.0.0.1:PORT/ among its redirect "
    "URIs, then"
)


@dataclass(frozen=True)
class Surroundings:
    """A kind of host."""

    name: str
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def is_here(self, environment: Mapping[str, str]) -> bool:
        """Tell whether this is such a host."""
        return any(environment.get(one) for one in self.variables) or any(
            Path(one).exists() for one in self.files
        )


HUBS = (
    Surroundings("JupyterHub", ("JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_API_URL")),
    Surroundings("Google Colab", ("COLAB_RELEASE_TAG", "COLAB_BACKEND_VERSION")),
    Surroundings("GitHub Codespaces", ("CODESPACES",)),
    Surroundings("Databricks", ("DATABRICKS_RUNTIME_VERSION",)),
    Surroundings("Kubernetes", ("KUBERNETES_SERVICE_HOST",)),
)
"""Hosts whose notebooks are shown in a browser elsewhere."""

SSH = Surroundings("SSH", ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))
CONTAINER = Surroundings("container", files=("/.dockerenv", "/run/.containerenv"))


def callback_findings(config: ClientConfig | None, provider: Provider | None) -> list[Finding]:
    """Return the callback and what this host means for it."""
    path = provider.redirect_path if provider is not None else "/"
    try:
        host, port, path = config.loopback_redirect(path) if config is not None else ("127.0.0.1", 0, path)
    except ConfigurationError as failure:
        return [Finding("callback", None, "error", str(failure))]
    authority = f"{host}:{port}" if port else f"{host}:<any free port>"
    text = f"loopback, http://{authority}{path}"
    return [
        Finding("callback", "loopback", text=text),
        _listening(host, port),
        _reach(port, os.environ),
    ]


def _listening(host: str, port: int) -> Finding:
    try:
        with closing(socket.socket()) as probe:
            if port and os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
    except OSError as failure:
        hint = "A widget of yours that waits for a sign-in may hold it; else close the program that does."
        where = f"{host}:{port}" if port else host
        return Finding("listener", False, "warning", f"{where} is taken ({failure.strerror})", hint)
    return Finding("listener", True, text="this machine can listen for it")


def _reach(port: int, environment: Mapping[str, str]) -> Finding:
    for hub in HUBS:
        if hub.is_here(environment):
            hint = f"{_ELSEWHERE} Sign in on the browser's machine, or have the port forwarded to it."
            return Finding(
                "surroundings", hub.name, "warning", f"{hub.name}: the loopback may be out of reach", hint
            )
    if SSH.is_here(environment):
        number = port or "PORT"
        command = f"ssh -L {number}:127.0.0.1:{number} THIS_HOST"
        fixed = ": " if port else f". {_FIXED_PORT} "
        hint = f"If the browser runs on another machine, forward the port to it{fixed}{command}"
        return Finding("surroundings", SSH.name, "warning", "SSH: the loopback needs a forwarded port", hint)
    if CONTAINER.is_here(environment):
        # Publishing the port does not help: that leads to the container's address, not to its loopback.
        hint = "If the browser runs outside of it, run the container with --network=host."
        text = "container: its loopback is its own"
        return Finding("surroundings", CONTAINER.name, "warning", text, hint)
    return Finding("surroundings", "local", text="local: a browser on this machine reaches it")
