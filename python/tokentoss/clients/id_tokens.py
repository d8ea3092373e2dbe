"""The ID tokens of a manager, of the sign-ins of this process, or of the token file."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tokentoss.clients.account_token import AccountToken
from tokentoss.clients.token_file import StoredIdTokens
from tokentoss.clients.token_source import TokenSource, named
from tokentoss.clients.wanted_provider import WantedProvider
from tokentoss.exceptions import ConfigurationError, IdTokenError
from tokentoss.oauth.id_token import unverified_claims
from tokentoss.session.auth_manager import AuthManager
from tokentoss.session.default_credentials import published
from tokentoss.session.token_manager import TokenManager
from tokentoss.storage.accounts import Account

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider


class IdTokens(TokenSource):
    """Finds ID tokens: of a manager, of the sign-ins of this process, of the token file.

    Args:
        manager: The manager to ask.
        provider: Whose tokens the service takes, and no other's: a provider, its issuer, or the name of one
            that comes with the package; by default Google.

    Raises:
        ConfigurationError: If provider and manager do not belong together, or the provider is not known or
            gives no ID tokens.
    """

    def __init__(
        self, manager: AuthManager | None, provider: Provider | str | None = None, *, stays: bool = False
    ) -> None:
        self._is_named = provider is not None
        wanted = WantedProvider.of(provider)
        if wanted.known is not None and not wanted.known.openid_connect:
            raise ConfigurationError(code="provider_without_id_tokens", subject=wanted.name)
        super().__init__(manager, wanted if self._is_named else None, stays=stays)
        self._wanted: WantedProvider = wanted
        self._file = StoredIdTokens(wanted)
        # The owner of the token that was read last, which is told by its hash: the token itself is not kept.
        self._last: tuple[bytes, str | None] = (b"", None)

    def _of_manager(self, manager: AuthManager, looked_at: list[str]) -> AccountToken | None:
        token = manager.id_token
        if not token:
            looked_at.append(f"{named(manager)} ({manager.why_signed_out})")
        self._note(manager.account)
        return self._read(token)

    def _found(self, looked_at: list[str]) -> AccountToken | None:
        why = "not set"
        for place in self._places():
            token = self._read(place.id_token)
            if token is not None and self._is_wanted(token):
                account = getattr(place, "account", None)
                self._note(account if isinstance(account, Account) else None)
                return token
            why = self._why_not(token) if token is not None else getattr(place, "why_signed_out", why)
        looked_at.append(f"tokentoss.CREDENTIALS ({why})")
        if (brokered := self._of_environment(self._wanted)) is not None:
            return self._of_manager(brokered, looked_at)
        stored = self._file.id_token(self._pin.owner, looked_at)
        self._note(self._file.account)
        return self._read(stored)

    def _after(self, refused: str) -> AccountToken | None:
        if self._manager is not None:
            return self._read(_renewed(self._manager, refused)) if self._manager.id_token else None
        for place in self._places():
            token = self._read(place.id_token)
            if token is not None and self._is_wanted(token):
                return self._read(_renewed(place, refused))
        brokered = self._of_environment(self._wanted)
        if brokered is not None:
            return self._read(_renewed(brokered, refused))
        return self._read(self._file.id_token_after(self._pin.owner, refused))

    def _read(self, token: str | None) -> AccountToken | None:
        if not token:
            return None
        digest = sha256(str(token).encode("utf-8", "surrogatepass")).digest()
        last = self._last
        if last[0] != digest:
            last = self._last = (digest, _owner_of(token))
        return AccountToken.of(token, last[1])

    def _places(self) -> list[Any]:
        """Return the managers, or what was set by hand, in the order in which they are asked."""
        latest = published()
        if latest is not None and not isinstance(latest, TokenManager):
            return [latest]
        if latest is not None and self._gives_them(latest):
            return [latest, *(self._signed_in() if self._is_named else [])]
        # A later sign-in of another provider leaves this one's usable.
        return self._signed_in() if self._is_named or latest is not None else []

    def _signed_in(self) -> list[TokenManager]:
        return [one for one in TokenManager.signed_in() if self._gives_them(one)]

    def _gives_them(self, manager: TokenManager) -> bool:
        return self._wanted.is_met_by(manager.provider) and manager.provider.openid_connect

    def _is_wanted(self, token: AccountToken) -> bool:
        return self._is_of_provider(token) and self._is_meant(token.owner)

    def _is_of_provider(self, token: AccountToken) -> bool:
        return (token.owner or "").startswith(f"{self._wanted.issuer}#")

    def _why_not(self, token: AccountToken) -> str:
        return "another account" if self._is_of_provider(token) else f"not of {self._wanted.name}"


def _owner_of(token: str) -> str | None:
    try:
        claims = unverified_claims(token)
    except IdTokenError:
        # Credentials that somebody set by hand may hold anything.
        return None
    return f"{claims.get('iss')}#{claims.get('sub')}"


def _renewed(place: Any, refused: str) -> str | None:
    manager = place if isinstance(place, AuthManager) else getattr(place, "manager", None)
    if isinstance(manager, AuthManager):
        return manager.id_token_after(refused)
    from google.auth.transport.requests import Request  # noqa: PLC0415 - for such credentials only

    place.refresh(Request())
    token: str | None = place.id_token
    return token if token != refused else None
