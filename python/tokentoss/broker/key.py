"""The key with which a caller shows the broker who it is."""

from __future__ import annotations

import os
from pathlib import Path

from tokentoss.exceptions import ConfigurationError
from tokentoss.util.secret import Secret, SecretBytes

KEY_VARIABLE = "TOKENTOSS_BROKER_KEY"
KEY_FILE_VARIABLE = "TOKENTOSS_BROKER_KEY_FILE"
HUB_TOKEN_VARIABLE = "JUPYTERHUB_API_TOKEN"

_LONGEST = 8192


def environment_key() -> Secret | None:
    """Return the key that the environment holds or names a file of; None if it does neither.

    Raises:
        ConfigurationError: ``broker_key_invalid`` if what it names is no key.
    """
    if os.environ.get(KEY_VARIABLE):
        return checked_key(os.environ[KEY_VARIABLE], KEY_VARIABLE)
    path = os.environ.get(KEY_FILE_VARIABLE)
    if path:
        return _key_in(Path(path))
    if os.environ.get(HUB_TOKEN_VARIABLE):
        return checked_key(os.environ[HUB_TOKEN_VARIABLE], HUB_TOKEN_VARIABLE)
    return None


def is_hub_token() -> bool:
    """Tell whether the key of the environment is what a JupyterHub gave this kernel."""
    named = (KEY_VARIABLE, KEY_FILE_VARIABLE)
    return not any(os.environ.get(name) for name in named) and bool(os.environ.get(HUB_TOKEN_VARIABLE))


def checked_key(text: str, source: str) -> Secret:
    """Return a key that can stand in a header (RFC 6750 section 2.1), without white space around it.

    Args:
        text: The key.
        source: Where it comes from, for the sentence of the error.

    Raises:
        ConfigurationError: ``broker_key_invalid``; it does not show the key.
    """
    text = Secret(text)
    key = Secret(text.strip())
    if not key or len(key) > _LONGEST or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(code="broker_key_invalid", subject=source)
    return key


def _key_in(path: Path) -> Secret:
    try:
        with path.expanduser().open("rb") as file:
            content = SecretBytes(file.read(_LONGEST + 2))
    except (OSError, RuntimeError):
        content = SecretBytes()
    source = f"{path} (named by {KEY_FILE_VARIABLE})"
    # Not by a failure to decode it, which would hold it.
    if not content or not content.isascii():
        raise ConfigurationError(code="broker_key_invalid", subject=source)
    return checked_key(Secret(content.decode("ascii")), source)
