"""The providers, each with what a notebook must say to use it and what its user does in the popup."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import requests
from e2e import popup
from servers.authlib_provider import AuthlibProvider
from servers.glewlwyd import PASSWORD, Glewlwyd
from servers.provider import LocalProvider
from servers.stoppable import Stoppable

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

TIMEOUT = 60


class Party(Stoppable):
    """A running provider; its users are called Ada and Grace, at example.com."""

    can_decline: ClassVar[bool] = True
    """Whether its page lets the user say no, and the client hears of it."""

    pages_redeem: ClassVar[bool] = True
    """Whether the page redeems the code; the kernel does where the client is a web client."""

    renews_id_tokens: ClassVar[bool] = True
    """Whether the answer to a refresh holds an ID token."""

    reuse_ends_session: ClassVar[str | None] = None
    """Code of the next renewal after a spent refresh token was presented again; None if it succeeds."""

    issuer: str
    client_id: str
    client_arguments: str
    """Arguments of AuthWidget that name the client."""

    @abstractmethod
    def approve(self, window: Page, user: str) -> None:
        """Sign in, unless the provider remembers the user, and let the client have what it asks for."""

    @abstractmethod
    def decline(self, window: Page, user: str) -> None:
        """Sign in, and let the client have nothing."""

    @abstractmethod
    def sign(self, claims: dict[str, Any]) -> str:
        """An ID token with any claims, as if the provider had made it."""

    def identify(self) -> dict[str, str]:
        """What the client adds to its requests."""
        return {"client_id": self.client_id}

    def metadata(self) -> dict[str, str]:
        """The provider's metadata."""
        answer = requests.get(f"{self.issuer}/.well-known/openid-configuration", timeout=TIMEOUT)
        answer.raise_for_status()
        metadata: dict[str, str] = answer.json()
        return metadata

    def redeem(self, refresh_token: str) -> requests.Response:
        """Present a refresh token, as whoever holds it could."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **self.identify()}
        return requests.post(self.metadata()["token_endpoint"], data=form, timeout=TIMEOUT)


class OidcProvider(Party):
    """npm's oidc-provider, with a public client."""

    reuse_ends_session = "invalid_grant"

    def __init__(self, folder: Path) -> None:
        self.provider = LocalProvider(folder)
        self.issuer = self.provider.issuer
        self.client_id = self.provider.public.client_id
        self.client_arguments = f"client_id={self.client_id!r}"

    def approve(self, window: Page, user: str) -> None:
        """Its development pages ask for any password, and then for consent."""
        popup.sign_in(window, f"{user}@example.com")

    def decline(self, window: Page, user: str) -> None:
        """They have a link for it."""
        popup.answer_login(window, f"{user}@example.com")
        popup.decline(window)

    def sign(self, claims: dict[str, Any]) -> str:
        """By its own key, which never leaves it."""
        return self.provider.sign(claims)

    def stop(self) -> None:
        """End its process."""
        self.provider.stop()


class Authlib(Party):
    """A Flask application around Authlib's server, with a public client."""

    def __init__(self, folder: Path) -> None:
        self.provider = AuthlibProvider()
        self.issuer = self.provider.issuer
        self.client_id = self.provider.client_id
        self.client_arguments = f"client_id={self.client_id!r}"

    def approve(self, window: Page, user: str) -> None:
        """A name is enough."""
        self._sign_in(window, user)
        window.get_by_role("button", name="Allow").click(no_wait_after=True)

    def decline(self, window: Page, user: str) -> None:
        """The other button."""
        self._sign_in(window, user)
        window.get_by_role("button", name="Deny").click(no_wait_after=True)

    def sign(self, claims: dict[str, Any]) -> str:
        """By the key that it was given."""
        return self.provider.key.sign(claims)

    def stop(self) -> None:
        """End its server."""
        self.provider.stop()

    @staticmethod
    def _sign_in(window: Page, user: str) -> None:
        name = window.get_by_label("Name")
        allow = window.get_by_role("button", name="Allow")
        name.or_(allow).wait_for()
        if name.count():
            name.fill(user)
            window.get_by_role("button", name="Sign in").click()
        allow.wait_for()


class DebianGlewlwyd(Party):
    """Debian's glewlwyd, with a client that has a secret and a redirect address with a port."""

    can_decline = False
    pages_redeem = False
    renews_id_tokens = False
    reuse_ends_session = "token_endpoint_failed"

    def __init__(self, folder: Path) -> None:
        users = {"ada": "ada@example.com", "grace": "grace@example.com"}
        self.provider = Glewlwyd(folder, users=users)
        self.issuer = self.provider.issuer
        self.client_id = self.provider.client_id
        self.client_arguments = f"client_secrets_path={str(self.provider.client_file)!r}"

    def identify(self) -> dict[str, str]:
        """The secret, too."""
        return {**super().identify(), "client_secret": self.provider.client_secret}

    def approve(self, window: Page, user: str, *, only_openid: bool = False) -> None:
        """Tick what is asked for, unless it was granted before, then go on."""
        self._sign_in(window, user)
        grant = window.get_by_role("button", name="Grant access")
        if grant.count() and not only_openid:
            for scope in ("email", "profile"):
                window.check(f"#grant-{scope}")
            grant.click()
            grant.wait_for(state="hidden")
        self._continue(window).click(no_wait_after=True)

    def decline(self, window: Page, user: str) -> None:
        """There is no way to say no but to close the window."""
        self._sign_in(window, user)
        window.close()

    def sign(self, claims: dict[str, Any]) -> str:
        """By the key that it was given."""
        return self.provider.key.sign(claims)

    def stop(self) -> None:
        """End its process."""
        self.provider.stop()

    def _sign_in(self, window: Page, user: str) -> None:
        username = window.locator("#username")
        username.or_(self._continue(window)).wait_for()
        if username.count():
            username.fill(user)
            window.fill("#password", PASSWORD)
            window.click("#loginbut")
        self._continue(window).wait_for()

    @staticmethod
    def _continue(window: Page):
        return window.get_by_role("button", name="Continue")


PARTIES: dict[str, type[Party]] = {
    "oidc-provider": OidcProvider,
    "authlib": Authlib,
    "glewlwyd": DebianGlewlwyd,
}
