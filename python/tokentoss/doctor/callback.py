"""Which callback a widget would choose here, and whether it reaches the user's browser."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tokentoss.callback.redirect_uris import REDIRECT_URI_VARIABLE, CallbackAddresses, can_listen
from tokentoss.config.client_config import ClientConfig
from tokentoss.doctor.finding import Finding
from tokentoss.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.oauth.provider import Provider

_ELSEWHERE = "On this host the browser runs elsewhere: its 127.0.0.1 is not this machine's."
_FIXED_PORT = "That takes a fixed one: give the widget redirect_ports=[PORT], then"


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
    """Return the ways that a sign-in would take, in their order, and what this host means for them."""
    path = provider.redirect_path if provider is not None else "/"
    try:
        addresses = CallbackAddresses.of(config or ClientConfig(""), path)
    except ConfigurationError as failure:
        return [Finding("callback", None, "error", failure.in_english())]
    loopback = addresses.loopbacks[0] if addresses.loopbacks else None
    pages = ", ".join(addresses.pages)
    if loopback is None or not can_listen():
        if pages:
            return [Finding("callback", "callback_page", text=f"callback page, {pages}")]
        hint = f"Set {REDIRECT_URI_VARIABLE} to a callback page that is registered for the client."
        text = "paste: this Python cannot listen, so the user takes the address to the notebook"
        return [Finding("callback", "paste", "warning", text, hint)]
    authority = f"{loopback.host}:{loopback.port}" if loopback.port else f"{loopback.host}:<any free port>"
    # Without a callback page the last way is that the user pastes the address.
    then = f"callback page, {pages}" if pages else "paste"
    return [
        Finding("callback", "loopback", text=f"loopback, http://{authority}{loopback.path}"),
        Finding("otherwise", "callback_page" if pages else "paste", text=then),
        _listening(loopback.host, loopback.port),
        _reach(loopback.port, has_page=bool(pages), environment=os.environ),
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


def _reach(port: int, *, has_page: bool, environment: Mapping[str, str]) -> Finding:
    for hub in HUBS:
        if hub.is_here(environment):
            text = f"{hub.name}: the loopback may be out of reach"
            if has_page:
                return Finding("surroundings", hub.name, text=f"{text}, so the callback page is used")
            hint = (
                f"{_ELSEWHERE} Register a callback page and set {REDIRECT_URI_VARIABLE} to it "
                "(docs/callback.md); without one the user pastes the address of the answer."
            )
            return Finding("surroundings", hub.name, "warning", text, hint)
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
