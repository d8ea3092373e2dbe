"""A widget that stands for an auth manager: what it passes on from it, and how it is shown without a page."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from tokentoss.widgets.language import SpeakingWidget
from tokentoss.widgets.without_client import ClientForm, NoAttempt, NoClient, not_filled_in

if TYPE_CHECKING:
    from tokentoss.callback.attempt import Attempt
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.session.google_credentials import Credentials
    from tokentoss.widgets.broker_attempt import BrokerAttempt


VIEW = "application/vnd.jupyter.widget-view+json"


class ManagerWidget(SpeakingWidget):
    """Base of the sign-in widget."""

    is_authenticated: bool
    _manager: AuthManager
    _attempt: Attempt | BrokerAttempt | NoAttempt
    _form: ClientForm | None

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(provider={self._manager.provider.name!r}, "
            f"is_authenticated={self.is_authenticated})"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Add what viewers without widgets show, of an executed notebook for instance."""
        self._attempt.shown()
        shown: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
        if shown is not None:
            name = html.escape(self._manager.provider.name)
            if self._form is not None:
                shown[0][VIEW] |= {"model_id": self._form.box.model_id}
            shown[0]["text/html"] = f"<p>Run this cell in a live notebook to sign in with {name}.</p>"
        return shown

    @property
    def auth_manager(self) -> AuthManager:
        """The manager that holds the tokens.

        Raises:
            ClientSecretsNotFoundError: If there is no client yet.
        """
        if isinstance(self._manager, NoClient):
            raise not_filled_in()
        return self._manager

    @property
    def credentials(self) -> Credentials | None:
        """An object whose tokens are always the current ones; None when signed out."""
        return self._manager.credentials

    @property
    def is_connected(self) -> bool:
        """The same as :attr:`is_authenticated`, for accounts that one connects rather than signs in to."""
        return self._manager.is_connected

    @property
    def granted_scopes(self) -> list[str]:
        """The scopes that the user granted; none when signed out."""
        return self._manager.granted_scopes

    @property
    def missing_scopes(self) -> list[str]:
        """The scopes that were asked for, and not granted; none when signed out."""
        return self._manager.missing_scopes
