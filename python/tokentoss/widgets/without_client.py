"""A sign-in widget without a client: the form in its place, then the button below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import VBox

from tokentoss import texts
from tokentoss.config.client_config import configured_path
from tokentoss.exceptions import ClientSecretsNotFoundError, HandOffError, TokenTossError
from tokentoss.oauth.provider import GOOGLE
from tokentoss.session.app_host import is_shared
from tokentoss.session.auth_manager import AuthManager
from tokentoss.util.notebook import has_front_end
from tokentoss.widgets.configure import ConfigureWidget
from tokentoss.widgets.weak_method import weakly

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from ipywidgets import Widget

    from tokentoss.handoff.sign_in import HandOff
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.google_credentials import Credentials
    from tokentoss.storage.accounts import Account


def not_filled_in() -> ClientSecretsNotFoundError:
    """Return the error of a call that comes before the form was filled in."""
    return ClientSecretsNotFoundError(texts.text("form", "fillIn"))


class NoClient(AuthManager):
    """Stands for the manager until there is a client: nobody is signed in, and all else is refused.

    Args:
        reason: The sentence about what is missing.
    """

    is_authenticated = False
    account: Account | None = None
    user_email: str | None = None
    credentials: Credentials | None = None
    is_connected = False

    def __init__(self, reason: str) -> None:
        self.provider = GOOGLE
        self.reason = reason
        # Not the error that was met, whose frames would keep the widget.
        self.last_error: TokenTossError | None = ClientSecretsNotFoundError(reason)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise not_filled_in()

    @property
    def granted_scopes(self) -> list[str]:
        """None: nobody is signed in."""
        return []

    @property
    def missing_scopes(self) -> list[str]:
        """None: nobody is signed in."""
        return []

    def observe_session(self, observer: Callable[[], None]) -> None:
        """Nothing changes here."""

    def suggest(self, login_hint: str) -> None:
        """Nobody signs in here."""


class NoAttempt:
    """Stands for the sign-in that a widget offers, until there is a client.

    Args:
        reason: The sentence about what is missing.
    """

    hand_off: HandOff | None = None

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def obstacle(self, *, blocking: bool, without_page: bool) -> TokenTossError | None:
        """Return why waiting would never end: what is filled in reaches the kernel between two cells only."""
        del without_page
        return not_filled_in() if blocking else None

    def ask_for(self, login_hint: str | None, *, another_account: bool) -> None:
        """Nobody is asked for here."""

    def begin(self) -> dict[str, Any]:
        """Offer nothing.

        Raises:
            HandOffError: What is missing.
        """
        raise HandOffError(self._reason, code="client_secrets_missing")

    def shown(self) -> None:
        """Nothing waits for that here."""

    def take(self, content: dict[str, Any]) -> bool:
        """Act on a message of the page that is about this alone: there is none."""
        del content
        return False

    def end(self) -> None:
        """There is nothing to give up."""

    def close(self) -> None:
        """There is nothing to give up."""


class ClientForm:
    """The form, and the widget below it once there is a client.

    Args:
        widget: The widget that has no client.
        configured: Called when a client was installed.
    """

    def __init__(self, widget: Widget, configured: Callable[[], None]) -> None:
        self._form = ConfigureWidget()
        # A widget of its own, so that what the output shows stays the same and only its content changes.
        self.box = VBox([self._form])
        self._widget = widget
        self._configured = configured
        self._form.observe(weakly(self._decided), "acknowledged")

    def look_again(self) -> None:
        """Take a client that was installed in another way meanwhile."""
        self._configured()

    def close(self) -> None:
        """Take both off the page."""
        self._form.close()
        self.box.close()

    def _decided(self, _change: object) -> None:
        if self._form.configured:
            self._configured()
            # The form stays: it says what was written where, has the focus, and can be filled in once more.
            self.box.children = (self._form, self._widget)


def manager_or_form(
    make: Callable[[], AuthManager], *, provider: Provider | None, is_named: bool
) -> AuthManager:
    """Return the manager, or what stands for it where a form is shown instead of the error.

    Args:
        make: Makes the manager.
        provider: The provider that was asked for; the form is for clients of Google.
        is_named: Whether the client was looked for at a place that was given, where no form writes to.

    Raises:
        ConfigurationError: Why there is no manager.
    """
    try:
        return make()
    except ClientSecretsNotFoundError as missing:
        is_googles = provider is None or provider.is_same_as(GOOGLE)
        if is_named or not is_googles or not _can_ask(missing):
            raise
        return NoClient(str(missing))


def _can_ask(missing: ClientSecretsNotFoundError) -> bool:
    """Tell whether somebody is there who may install a client, and it is looked for where the form writes."""
    has_place = missing.code == "client_secrets_missing" and not configured_path()[1]
    return has_place and has_front_end() and not is_shared()
