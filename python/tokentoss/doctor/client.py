"""Which client is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.doctor.finding import Finding
from tokentoss.error_codes import printable
from tokentoss.exceptions import ClientSecretsNotFoundError

if TYPE_CHECKING:
    from tokentoss.config.client_config import ClientConfig
    from tokentoss.exceptions import ConfigurationError
    from tokentoss.oauth.provider import Provider


def client_findings(
    config: ClientConfig | None,
    problem: ConfigurationError | None,
    provider: Provider | None,
    unknown: str,
    *,
    has_broker: bool,
) -> list[Finding]:
    """Return what is known of the client; of its secret, whether there is one."""
    if config is None and has_broker and isinstance(problem, ClientSecretsNotFoundError):
        return [Finding("client", None, "note", "none here: the broker has its own")]
    if config is None:
        cause, _, step = str(problem or "").partition(". ")
        return [Finding("client", None, "error", cause, step)]
    kind = "Desktop app" if config.client_type == "installed" else "web application"
    findings = [
        Finding("client ID", printable(config.client_id)),
        Finding("type", config.client_type, text=kind),
        _secret(config, provider),
    ]
    if config.project_id:
        findings.append(Finding("project", printable(config.project_id)))
    if provider is None:
        findings.append(Finding("provider", None, "error", unknown))
    else:
        findings.append(Finding("provider", provider.issuer, text=f"{provider.name}, {provider.issuer}"))
    return findings


def _secret(config: ClientConfig, provider: Provider | None) -> Finding:
    if config.client_secret:
        return Finding("client secret", True, text="present (not shown)")
    if provider is not None and provider.style == "google":
        hint = "Google asks for it even from Desktop clients: download the client's file again."
        return Finding("client secret", False, "error", "missing", hint)
    return Finding("client secret", False, text="none: a public client")
