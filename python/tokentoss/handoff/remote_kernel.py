"""Whether this kernel is known to run on another machine than the browser, where loopback leads nowhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tokentoss.util.urls import is_loopback_host, split_url

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB_VARIABLES = ("JUPYTERHUB_PUBLIC_URL", "JUPYTERHUB_PUBLIC_HUB_URL", "JUPYTERHUB_HOST")
"""Environment variables of a JupyterHub that hold addresses under which browsers reach it."""

_MARKS = ("COLAB_RELEASE_TAG", "CODESPACES", "KUBERNETES_SERVICE_HOST")


def is_remote(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether it is known: on Colab, Codespaces, Kubernetes, or a JupyterHub with a public address.

    Plain SSH is not known to be remote: whoever uses it may forward the port.
    """
    if any(environment.get(name) for name in _MARKS):
        return True
    for name in HUB_VARIABLES:
        parts = split_url(environment.get(name, ""))
        if parts is not None and not is_loopback_host(parts.hostname or ""):
            return True
    return False
