"""``tokentoss configure``: store the OAuth client."""

from __future__ import annotations

import getpass
import sys

from tokentoss.cli.terminal import Terminal, said
from tokentoss.config.client_config import (
    CLIENT_SECRETS_VARIABLE,
    ClientConfig,
    configured_path,
    get_config_path,
)
from tokentoss.config.install import configure_from_credentials, configure_from_file
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError

_LONGEST_LINE = 4096


def run(file: str | None, client_id: str | None, project_id: str | None, client_secret: None) -> int:  # noqa: ARG001
    """Store a client, and say where.

    Args:
        file: A client_secrets.json.
        client_id: A client ID, instead of a file.
        project_id: The project of that client.
        client_secret: Never given; the command line takes none.

    Raises:
        ConfigurationError: If the client is not valid.
        StorageError: If it cannot be written.
    """
    if file is not None and (client_id or project_id):
        raise ConfigurationError(code="configure_conflict")
    replaced = _installed_now()
    if file is not None:
        if file.startswith("GOCSPX-"):
            raise ConfigurationError(code="client_secret_as_file")
        path = configure_from_file(file)
    else:
        client_id = client_id or _ask(said("askClientId") + " ")
        path = configure_from_credentials(client_id, _secret(), project_id)
    config = ClientConfig.from_file(path)
    terminal = Terminal()
    terminal.line(said("configured", client=terminal.paint(printable(config.client_id), "green")))
    terminal.line(said("saved", path=str(path)))
    if replaced and replaced != config.client_id:
        terminal.line(said("replaces", client=printable(replaced)))
    used, named = configured_path()
    if named and used != path:
        note = said("anotherUsed", variable=CLIENT_SECRETS_VARIABLE, path=str(used))
        terminal.line(terminal.paint(note, "yellow"))
    return 0


def _installed_now() -> str | None:
    try:
        return ClientConfig.from_file(get_config_path()).client_id
    except ConfigurationError:
        return None


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        raise ConfigurationError(code="configure_nothing_given")
    return input(question)


def _secret() -> str:
    """Read the secret without showing it; from standard input, the first line."""
    if sys.stdin.isatty():
        return getpass.getpass(said("askClientSecret") + " ")
    return sys.stdin.readline(_LONGEST_LINE)
