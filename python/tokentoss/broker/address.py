"""Where a broker is, and who asks it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tokentoss.broker.key import checked_key, environment_key, is_hub_token
from tokentoss.exceptions import ConfigurationError
from tokentoss.util.secret_text import secret_or_none
from tokentoss.util.urls import insecure, origin_of, secure_origin, split_url

if TYPE_CHECKING:
    from tokentoss.util.secret import Secret

URL_VARIABLE = "TOKENTOSS_BROKER"
"""Environment variable with the address of the broker that is used unless somebody names another one."""

HUB_VARIABLE = "TOKENTOSS_BROKER_HUB"
"""Environment variable with what the broker's configuration calls this kernel's JupyterHub."""

HUB_HEADER = "X-Tokentoss-Hub"
TENANT_HEADER = "X-Tokentoss-Tenant"
USER_HEADER = "X-Tokentoss-User"


class Broker:
    """A broker, and who asks it. Its ``repr`` and its pickle hold no key.

    Args:
        url: Its address: https, or http on this machine.
        key: The caller's key. By default that of ``TOKENTOSS_BROKER_KEY``, of the file that
            ``TOKENTOSS_BROKER_KEY_FILE`` names, or the ``JUPYTERHUB_API_TOKEN`` of a JupyterHub. They are
            read at each call, so that a key can be replaced while the process runs.
        tenant: For which tenant a server application asks.
        user: For which user it asks.
        provider: How the broker's configuration calls the provider, where that is not its usual name.

    Raises:
        ConfigurationError: ``address_insecure``, ``argument_invalid``, or ``broker_key_invalid``.
    """

    # What a traceback shows of one whose arguments were refused.
    url = ""
    tenant: str | None = None
    user: str | None = None
    _key: Secret | None = None

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        tenant: str | None = None,
        user: str | None = None,
        provider: str | None = None,
    ) -> None:
        # At once: a traceback with local variables shows this frame.
        key = secret_or_none(key)
        parts = split_url(url)
        if parts is None or parts.query or parts.fragment:
            raise insecure("address_insecure", "broker", url)
        self.origin = secure_origin(url, "broker")
        self.url = self.origin + parts.path.rstrip("/")
        self.tenant = _header_text(tenant, "tenant")
        self.user = _header_text(user, "user")
        if provider == "":
            raise ConfigurationError(code="argument_invalid", subject="provider=''")
        self.provider = provider
        self._key = None if key is None else checked_key(key, "the key that was given")

    def __repr__(self) -> str:
        who = "".join(
            f", {name}={value!r}" for name, value in (("tenant", self.tenant), ("user", self.user)) if value
        )
        return f"Broker({self.url!r}, key={'redacted' if self._key is not None else 'from environment'}{who})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Broker) and self._members == other._members

    def __hash__(self) -> int:
        return hash(self._members)

    def __reduce__(self) -> Any:
        if self._key is not None:
            raise TypeError(
                "A Broker with a key cannot be pickled: leave the key to TOKENTOSS_BROKER_KEY or "
                "TOKENTOSS_BROKER_KEY_FILE of each process."
            )
        return _restored, (self.url, self.tenant, self.user, self.provider)

    @classmethod
    def of(cls, broker: Broker | str) -> Broker:
        """Return the broker that an argument stands for: itself, or its address."""
        return broker if isinstance(broker, Broker) else cls(broker)

    @classmethod
    def of_environment(cls) -> Broker | None:
        """Return the broker that ``TOKENTOSS_BROKER`` names, if it does.

        Raises:
            ConfigurationError: ``address_insecure`` if it names none.
        """
        url = os.environ.get(URL_VARIABLE, "").strip()
        return cls(url) if url else None

    @property
    def names_user(self) -> bool:
        """Whether it is said for whom tokens are asked, rather than left to whose key it is."""
        return self.user is not None

    def for_user(self, tenant: str | None, user: str | None) -> Broker:
        """Return the same broker, asked for another user.

        Args:
            tenant: The tenant; by default the same.
            user: The user; by default the same.

        Raises:
            ConfigurationError: ``argument_invalid``, also for ``""``: whom that stands for nobody knows.
        """
        made = Broker(
            self.url,
            tenant=self.tenant if tenant is None else tenant,
            user=self.user if user is None else user,
            provider=self.provider,
        )
        made._key = self._key
        return made

    def key(self) -> Secret:
        """Return the caller's key as it is now.

        Keys of the environment go to the broker that the environment names, if it names one, alone.

        Raises:
            ConfigurationError: ``broker_key_missing`` or ``broker_key_invalid``.
        """
        if self._key is not None:
            return self._key
        named = os.environ.get(URL_VARIABLE, "").strip()
        if named and origin_of(named) != self.origin:
            raise ConfigurationError(
                code="broker_key_missing", subject=f"{self.url} ({URL_VARIABLE} names another one)"
            )
        key = environment_key()
        if key is None:
            raise ConfigurationError(code="broker_key_missing", subject=self.url)
        return key

    def headers(self) -> dict[str, str]:
        """Return the headers that name tenant, user and hub, as far as they are given.

        Raises:
            ConfigurationError: ``argument_invalid`` if the environment names a hub as no header can.
        """
        is_of_hub = self._key is None and is_hub_token()
        hub = _header_text(os.environ.get(HUB_VARIABLE) or None, HUB_VARIABLE) if is_of_hub else None
        named = {TENANT_HEADER: self.tenant, USER_HEADER: self.user, HUB_HEADER: hub}
        return {name: value for name, value in named.items() if value is not None}

    @property
    def _members(self) -> tuple[object, ...]:
        return self.url, self.tenant, self.user, self.provider, self._key


def _restored(url: str, tenant: str | None, user: str | None, provider: str | None) -> Broker:
    return Broker(url, tenant=tenant, user=user, provider=provider)


def _header_text(value: str | None, name: str) -> str | None:
    """Return a text that can stand in a header.

    Raises:
        ConfigurationError: ``argument_invalid``.
    """
    if value is None:
        return None
    if not value or not value.isprintable() or not value.isascii() or value != value.strip():
        raise ConfigurationError(code="argument_invalid", subject=f"{name}={value!r}")
    return value
