"""The whole examination, in the order in which a sign-in needs things."""

from __future__ import annotations

import warnings

from tokentoss.config.client_config import ClientConfig
from tokentoss.doctor.broker import broker_findings
from tokentoss.doctor.callback import callback_findings
from tokentoss.doctor.client import client_findings
from tokentoss.doctor.files import place_findings
from tokentoss.doctor.finding import Section
from tokentoss.doctor.network import network_findings
from tokentoss.doctor.versions import version_findings
from tokentoss.exceptions import (
    ConfigurationError,
    DiscoveryError,
    InsecureFilePermissionsWarning,
    StorageError,
)
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
        at_broker = broker_findings()
        sections = [
            Section("Versions", version_findings()),
            Section("Files", place_findings()),
            Section(
                "Client", client_findings(config, problem, provider, unknown, has_broker=bool(at_broker))
            ),
        ]
        if at_broker:
            sections.append(Section("Broker", at_broker))
        if config is not None or not at_broker:
            # Otherwise the broker talks to the provider, and has its own callback.
            sections.append(Section("Network", network_findings(config, provider)))
            sections.append(Section("Callback", callback_findings(config, provider)))
        return sections


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
        storage = FileStorage()
    except StorageError:
        # Without a home folder, which the section on files says.
        storage = None
    try:
        return (config.provider() if storage is None else provider_of(config, storage)), ""
    except (ConfigurationError, DiscoveryError) as failure:
        return None, failure.in_english()
