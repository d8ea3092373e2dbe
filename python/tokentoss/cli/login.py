"""``tokentoss.login()``: one call that signs in wherever it runs."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from tokentoss.broker.address import Broker
from tokentoss.cli import broker_sign_in, terminal_sign_in
from tokentoss.cli.terminal import said
from tokentoss.clients.wanted_provider import WantedProvider
from tokentoss.exceptions import (
    ClientSecretsNotFoundError,
    ConfigurationError,
    NoCredentialsError,
    SignInError,
    TokenRefreshError,
)
from tokentoss.oauth.provider import GOOGLE
from tokentoss.session.app_host import is_shared
from tokentoss.session.auth_manager import AuthManager
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.util.notebook import has_front_end

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.oauth.provider import Provider


def login(
    *,
    provider: Provider | str | None = None,
    client_secrets_path: str | Path | None = None,
    scopes: list[str] | None = None,
    broker: Broker | str | None = None,
    timeout: float | None = 300.0,
) -> AuthManager:
    """Return a manager of somebody who is signed in, after a sign-in if need be.

    An account that is stored, or connected at the broker, is used as it is. Otherwise a notebook shows the
    sign-in widget and the cell waits, as with ``display(widget); widget.wait()``; in a terminal the user
    signs in as with ``tokentoss sign-in``.

        credentials = tokentoss.login().credentials

    Args:
        provider: The provider, its issuer, or the name of one that comes with the package; by default the one
            that the client belongs to, and Google at a broker.
        client_secrets_path: The client_secrets.json that holds the client; by default the configured one.
        scopes: What a sign-in asks for; by default the provider's scopes. What a stored account was not
            granted is in the manager's ``missing_scopes``.
        broker: The broker that has the client and keeps the refresh token; by default that of
            ``TOKENTOSS_BROKER``, if no client is given.
        timeout: Seconds that a cell of a notebook waits; None for no limit. A terminal waits for ten minutes.

    Raises:
        NoCredentialsError: ``no_credentials_unattended`` without a notebook or terminal, if nobody is signed
            in.
        ClientSecretsNotFoundError: If there is no client; a notebook shows the form for one.
        SignInError: ``login_impossible`` where a cell cannot wait, ``wait_timed_out``, or what ended the
            sign-in.
        ConfigurationError: If the client is not usable; ``broker_conflict`` for a broker beside a client.
        TokenTossError: What else ended the sign-in, or why the broker cannot be asked.
    """
    try:
        manager = _manager(provider, client_secrets_path, scopes, broker)
    except ClientSecretsNotFoundError:
        if client_secrets_path is None:
            _ask_for_client(provider, scopes)
        raise
    if _is_signed_in(manager):
        return manager
    host = _host_that_cannot_wait()
    if host is not None:
        raise SignInError(code="login_impossible", subject=host)
    if has_front_end():
        _in_notebook(manager, timeout)
    elif not terminal_sign_in.has_terminal():
        raise NoCredentialsError(code="no_credentials_unattended")
    elif isinstance(manager, BrokerManager):
        broker_sign_in.sign_in(manager)
    else:
        terminal_sign_in.sign_in(manager)
    return manager


def _manager(
    provider: Provider | str | None,
    client_secrets_path: str | Path | None,
    scopes: list[str] | None,
    broker: Broker | str | None,
) -> AuthManager:
    wanted = None if provider is None else WantedProvider.of(provider).resolved()
    if broker is not None and client_secrets_path is not None:
        raise ConfigurationError(code="broker_conflict", subject="client_secrets_path")
    if broker is None and client_secrets_path is None:
        broker = Broker.of_environment()
    if broker is not None:
        return BrokerManager(broker, wanted or GOOGLE, scopes=scopes)
    return AuthManager(client_secrets_path=client_secrets_path, provider=wanted, scopes=scopes)


def _is_signed_in(manager: AuthManager) -> bool:
    """Tell whether somebody is signed in, by the word of the provider or broker if a renewal is due."""
    if isinstance(manager, BrokerManager):
        return manager.look()
    if manager.is_authenticated:
        # One that cannot be renewed just now stays; one that the provider has ended does not.
        with suppress(TokenRefreshError):
            _ = manager.access_token
    return manager.is_authenticated


def _ask_for_client(provider: Provider | str | None, scopes: list[str] | None) -> None:
    """Show the form for a client where somebody may fill it in, and say what to do next.

    Raises:
        ClientSecretsNotFoundError: If there is no client, which is why this is called.
    """
    if not has_front_end():
        return
    from IPython import display  # noqa: PLC0415 - there is one

    from tokentoss.widgets import AuthWidget  # noqa: PLC0415 - costs anywidget

    wanted = None if provider is None else WantedProvider.of(provider).resolved()
    widget = AuthWidget(provider=wanted, scopes=scopes)
    display.display(widget)  # type: ignore[no-untyped-call]
    # What is filled in reaches the kernel between two cells only; this says so.
    _ = widget.auth_manager


def _in_notebook(manager: AuthManager, timeout: float | None) -> None:
    from IPython import display  # noqa: PLC0415 - there is one

    from tokentoss.widgets import AuthWidget  # noqa: PLC0415 - costs anywidget

    widget = AuthWidget(auth_manager=manager)
    display.display(widget)  # type: ignore[no-untyped-call]
    try:
        widget.wait(timeout)
    except SignInError as failure:
        if failure.code != "wait_impossible":
            raise
        raise SignInError(code="login_impossible") from None


def _host_that_cannot_wait() -> str | None:
    """Return the name of a host that shows widgets only after the code that waits for them."""
    if is_shared():
        return said("sharedApp")
    marimo = sys.modules.get("marimo")
    return "marimo" if getattr(marimo, "running_in_notebook", bool)() else None
