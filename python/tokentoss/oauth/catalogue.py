"""The providers that come with the package, as data: ``providers.json``, which Rust tests read, too."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError

_FILE = Path(__file__).with_name("providers.json")
# The broker alone reads when refresh tokens are forgotten.
_NOT_MEMBERS = frozenset({"forgets_after_days", "issuer_patterns", "parameters", "sources"})


def names() -> list[str]:
    """Return the names of the built-in providers."""
    return list(_entries())


def parameters_of(name: str) -> dict[str, dict[str, str]]:
    """Return what a provider's addresses depend on, such as a tenant: pattern, example and meaning of each.

    Raises:
        ConfigurationError: ``provider_unknown``.
    """
    parameters: dict[str, dict[str, str]] = _entry(name).get("parameters", {})
    return parameters


def members_of(name: str, values: dict[str, str]) -> dict[str, Any]:
    """Return what the file says of a provider, with the values of its parameters filled in.

    Args:
        name: The provider's name in the file.
        values: The values of its parameters.

    Raises:
        ConfigurationError: ``provider_unknown``, or ``provider_parameter_invalid`` if a parameter is
            missing, not one of the provider's, or not of its form.
    """
    entry = _entry(name)
    parameters = parameters_of(name)
    chosen = {
        parameter: values.get(parameter, description.get("default", ""))
        for parameter, description in parameters.items()
    }
    for parameter in values:
        if parameter not in parameters:
            raise ConfigurationError(
                code="provider_parameter_invalid", subject=f"{name} takes no {parameter}"
            )
    for parameter, value in chosen.items():
        if not isinstance(value, str) or not re.fullmatch(parameters[parameter]["pattern"], value):
            meaning = parameters[parameter]["meaning"]
            raise ConfigurationError(
                code="provider_parameter_invalid", subject=f"{name} needs {parameter}, {meaning}"
            )
    return {
        member: _filled(value, chosen) if parameters else value
        for member, value in entry.items()
        if member not in _NOT_MEMBERS
    }


def name_of(member: str, value: str) -> str | None:
    """Return the name of the provider whose member has this value, without parameters given; None if none."""
    for name in names():
        is_complete = all("default" in description for description in parameters_of(name).values())
        if is_complete and members_of(name, {}).get(member) == value:
            return name
    return None


def scope_aliases_of(name: str) -> dict[str, str]:
    """Return the names under which a provider grants scopes, by those that are asked for; none if unknown."""
    aliases: dict[str, str] = _entries().get(name, {}).get("scope_aliases", {})
    return aliases


def members_for_issuer(issuer: str) -> dict[str, Any]:
    """Return what the file says of the provider with this issuer, parameters of its addresses included.

    Args:
        issuer: An issuer identifier.

    Returns:
        The members as they stand in the file; none for an issuer that it does not know.
    """
    for name, entry in _entries().items():
        if any(re.fullmatch(pattern, issuer) for pattern in _issuer_patterns(name)):
            return entry
    return {}


def _issuer_patterns(name: str) -> list[str]:
    entry = _entry(name)
    pattern = re.escape(entry["issuer"])
    for parameter, description in parameters_of(name).items():
        pattern = pattern.replace(re.escape("{" + parameter + "}"), f"(?:{description['pattern']})")
    # A host that may be anybody's says nothing of the software behind it.
    own = [] if "domain" in parameters_of(name) else [pattern]
    return [*own, *entry.get("issuer_patterns", [])]


def _filled(value: Any, chosen: dict[str, str]) -> Any:
    return value.format(**chosen) if isinstance(value, str) else value


def _entry(name: str) -> dict[str, Any]:
    try:
        return _entries()[name]
    except KeyError:
        subject = f'"{printable(str(name), 60)}" (there are: {", ".join(_entries())})'
        raise ConfigurationError(code="provider_unknown", subject=subject) from None


@cache
def _entries() -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))["providers"]
    return entries
