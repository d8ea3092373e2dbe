"""An auth manager without a client of its own: a broker has the client, redeems codes, and ends sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from tokentoss.exceptions import ConfigurationError
from tokentoss.session.auth_manager import AuthManager

if TYPE_CHECKING:
    from tokentoss.oauth.device_authorization import DeviceSignIn
    from tokentoss.oauth.token_response import TokenResponse
    from tokentoss.session.session import Session
    from tokentoss.storage.token_data import TokenData


class ClientlessManager(AuthManager):
    """Refuses what only the holder of the client can do, and ends no session by the clock."""

    @property
    def session_ends_at(self) -> float | None:
        """None: the broker says when the user has to sign in again."""
        return None

    def end_if_over(self) -> None:
        """Do nothing, as :attr:`session_ends_at` says."""

    def _is_over(self, session: Session) -> bool:
        del session
        return False

    def accept(
        self, response: TokenResponse, *, nonce: str | None, received_at: float | None = None
    ) -> TokenData:
        """Refuse: no tokens come here but the broker's.

        Raises:
            ConfigurationError: ``broker_has_client``.
        """
        del response, nonce, received_at
        self._refuse()

    def accept_code(
        self, code: str, code_verifier: str, redirect_uri: str, *, nonce: str | None
    ) -> TokenData:
        """Refuse, as :meth:`accept`."""
        del code, code_verifier, redirect_uri, nonce
        self._refuse()

    def get_authorization_url(
        self,
        code_challenge: str,
        redirect_uri: str = "http://localhost",
        state: str | None = None,
        *,
        login_hint: str | None = None,
        another_account: bool = False,
    ) -> str:
        """Refuse, as :meth:`accept`: the widget begins a sign-in."""
        del code_challenge, redirect_uri, state, login_hint, another_account
        self._refuse()

    def sign_in_by_code(self) -> DeviceSignIn[TokenData]:
        """Refuse, as :meth:`accept`."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ConfigurationError(
            code="broker_has_client", subject=f"The broker {self.client_config.client_id}"
        )
