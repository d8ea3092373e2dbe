"""The widget that sets up the OAuth client, without a secret in the notebook."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import traitlets

from tokentoss.config.client_config import (
    CLIENT_SECRETS_VARIABLE,
    ClientConfig,
    configured_path,
    get_config_path,
)
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError, HandOffError, StorageError, TokenTossError
from tokentoss.handoff import client_install
from tokentoss.handoff.client_install import ClientHandOff
from tokentoss.widgets.assets import front_end
from tokentoss.widgets.language import SpeakingWidget
from tokentoss.widgets.weak_method import weakly

logger = logging.getLogger(__name__)

ENTER = "Enter credentials"


class ConfigureWidget(SpeakingWidget):
    """A form for the OAuth client: typed in, or as a downloaded client_secrets.json.

    What the user enters crosses to the kernel sealed to a key that is used once, and is stored where
    :func:`tokentoss.configure` stores it. The client secret is in no trait, in neither direction.

    Args:
        client_id: The client ID that the form starts with.
        project_id: The project ID that the form starts with.

    Attributes:
        client_id: The client ID that was configured.
        project_id: The project ID that was configured, or ``""``.
        status: What the widget says.
        configured: Whether a client was configured by this widget.
        error: The sentence of the latest error, or ``""``.
        error_code: Its stable code, or ``""``.
        error_detail: The path or reason that it is about, also where the sentence names none; or ``""``.
        current_client: Client ID of the client that is installed now, or ``""``.
    """

    _esm = front_end("configure.js")
    _css = front_end("configure.css")

    client_id = traitlets.Unicode("").tag(sync=True)
    project_id = traitlets.Unicode("").tag(sync=True)
    status = traitlets.Unicode(ENTER).tag(sync=True)
    configured = traitlets.Bool(default_value=False).tag(sync=True)
    current_client = traitlets.Unicode("").tag(sync=True)
    ticket = traitlets.Dict().tag(sync=True)
    acknowledged = traitlets.Unicode("").tag(sync=True)
    # Not echoed: a page's changes otherwise reach every client of the kernel.
    sealed_configuration = traitlets.Unicode("").tag(sync=True, echo_update=False)

    from_page: ClassVar[frozenset[str]] = frozenset({"sealed_configuration"})
    labels: ClassVar[tuple[str, ...]] = ("form", "steps")

    def __init__(self, **kwargs: Any) -> None:
        if "client_secret" in kwargs:
            raise ConfigurationError(code="client_secret_in_notebook")
        self._hand_off = ClientHandOff()
        super().__init__(ticket=self._hand_off.ticket(), current_client=_current_client(), **kwargs)
        self.on_msg(weakly(self._take_message))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(configured={self.configured})"

    def close(self) -> None:
        """Take the widget off the page; nothing is accepted from it any more."""
        if "_hand_off" in self.__dict__:
            self._hand_off.close()
        super().close()

    def take_sealed(self, sealed: str) -> None:
        """Take a sealed client; of several threads only one can open what was sealed to one key."""
        try:
            plaintext = self._hand_off.open(sealed)
        except HandOffError:
            return
        decided = self._hand_off.id
        self._hand_off = ClientHandOff()
        self.publish(acknowledged=decided, ticket=self._hand_off.ticket(), **_decision(plaintext))

    def _take_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not self.take_language(content):
            self.answer_ping(content)


def _decision(plaintext: bytes) -> dict[str, Any]:
    """Install the client, and return the traits that say what came of it."""
    try:
        installed = client_install.install(plaintext)
    except TokenTossError as failure:
        return _failed(failure)
    except Exception:
        # Whatever it was, the page must hear of an end; the log says what it was.
        logger.exception("the client could not be installed")
        return _failed(StorageError(code="storage_unwritable", subject="client_secrets.json"))
    client_id = printable(installed.client_id)
    status = f"Configured! Saved to {installed.path}"
    used, named = configured_path()
    if named and used != installed.path:
        status += f". But {CLIENT_SECRETS_VARIABLE} is set, so {used} is used instead."
    return {
        "configured": True,
        "status": status,
        "error": "",
        "error_code": "",
        "client_id": client_id,
        "project_id": printable(installed.project_id),
        "current_client": client_id,
    }


def _failed(failure: TokenTossError) -> dict[str, Any]:
    return {
        "configured": False,
        "status": f"Error: {failure}",
        "error": str(failure),
        "error_code": failure.code,
        "error_detail": failure.subject or "",
    }


def _current_client() -> str:
    try:
        return printable(ClientConfig.from_file(get_config_path()).client_id)
    except (ConfigurationError, StorageError):
        return ""
