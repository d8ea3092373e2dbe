"""The whole examination, in the order in which a sign-in needs things."""

from __future__ import annotations

import warnings

from tokentoss.config.client_config import ClientConfig
from tokentoss.doctor.callback import callback_findings
from tokentoss.doctor.client import client_findings
from tokentoss.doctor.files import place_findings
from tokentoss.doctor.finding import Section
from tokentoss.doctor.network import network_findings
from tokentoss.doctor.versions import version_findings
from tokentoss.exceptions import ConfigurationError, DiscoveryError, InsecureFilePermissionsWarning
from tokentoss.oauth.provider import GOOGLE, Provider
from tokentoss.session.provider_lookup import provider_of
from tokentoss.storage import FileStorage


def examine() -> list[Section]:
    """Look at everything that a sign-in needs; nothing is changed."""
    with warnings.catch_warnings():
        # The modes of files are findings here.
        warnings.simplefilter("ignore", InsecureFilePermissionsWarning)
        config, problem = _configured()
        provider, unknown = _provider(config)
        return [
            Section("Versions", version_findings()),
            Section("Files", place_findings()),
            Section("Client", client_findings(config, problem, provider, unknown)),
            Section("Network", network_findings(config, provider)),
            Section("Callback", callback_findings(config, provider)),
        ]


def _configured() -> tuple[ClientConfig | None, ConfigurationError | None]:
    try:
        return ClientConfig.discover(), None
    except ConfigurationError as failure:
        return None, failure


def _provider(config: ClientConfig | None) -> tuple[Provider | None, str]:
    """Return the client's provider, as far as it can be told; Google while there is no client."""
    if config is None:
        return GOOGLE, ""
    try:
        return provider_of(config, FileStorage()), ""
    except (ConfigurationError, DiscoveryError) as failure:
        return None, str(failure)
