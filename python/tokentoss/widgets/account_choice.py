"""Using another account than the one in use: a stored one that the user chooses, or a new sign-in."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

from tokentoss.error_codes import printable
from tokentoss.exceptions import NoCredentialsError, StorageError, TokenTossError
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.widgets.background import in_thread
from tokentoss.widgets.without_client import NoClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.storage.accounts import Account
    from tokentoss.widgets.gate import Gate


logger = logging.getLogger(__name__)


class AccountChoice:
    """Lists the stored accounts while the user wants another one, and makes the manager use one of them.

    An entry goes by a random name, good for this list alone: a message that arrives late, twice, or from a
    page that shows an older list chooses nothing.

    Args:
        manager: Whose accounts these are.
        listed: Called when there is another list to show.
        changed: Called when the choice began or ended, with what went wrong if anything did.
        lock: The widget's, under which both are called.

    Attributes:
        is_open: Whether the user wants another account.
        login_hint: The account that was chosen but has to sign in anew.
    """

    def __init__(
        self,
        manager: AuthManager,
        listed: Callable[[], None],
        changed: Callable[[TokenTossError | None], None],
        lock: Gate,
    ) -> None:
        self.is_open = False
        self.login_hint: str | None = None
        self._manager = manager
        self._listed = listed
        self._changed = changed
        self._lock = lock
        self._entries: dict[str, Account] = {}
        self._began: object = None

    def shown(self, *, offered: bool) -> dict[str, Any]:
        """Return what a page shows; it holds nothing that is of use anywhere else.

        Args:
            offered: Whether to offer another account while none is wanted yet.
        """
        if not self.is_open:
            return {"offered": True} if offered and not isinstance(self._manager, NoClient) else {}
        manager = self._manager
        return {
            "offered": True,
            "accounts": [
                {"id": name, "name": printable(account.display_name)}
                for name, account in self._entries.items()
            ],
            "current": printable(manager.user_name or "") if manager.is_authenticated else "",
            # A broker's pages pass no such wish on.
            "provider_asks": bool(manager.provider.account_choice_params)
            and not isinstance(manager, BrokerManager),
        }

    def take(self, content: dict[str, Any]) -> bool:
        """Act on a message of the page, if it is about this."""
        kind, name = content.get("type"), content.get("id")
        if kind == "choose_account":
            self.open()
        elif kind == "keep_account":
            self._keep()
        elif kind == "use_account":
            self._use(name)
        else:
            return False
        return True

    def open(self, failure: TokenTossError | None = None) -> None:
        """Begin to choose, because the user wants to, or of what else stands in the way."""
        with self._lock:
            if self.is_open or isinstance(self._manager, NoClient):
                return
            self.is_open, self._began = True, self._in_use()
            self._manager.expect_anybody()
            self._changed(failure)
        self._apart(self._list)

    def close(self) -> None:
        """Forget the list: whoever is in use now is who the user wants."""
        self.is_open, self.login_hint, self._entries = False, None, {}

    def close_if_over(self) -> bool:
        """Stop choosing if somebody has signed in meanwhile; tell whether that is so."""
        is_over = self.is_open and self._manager.is_authenticated and self._in_use() != self._began
        if is_over:
            self.close()
        return is_over

    def _keep(self) -> None:
        with self._lock:
            if self.is_open:
                self.close()
                self._manager.expect_the_same()
                self._changed(None)

    def _use(self, name: object) -> None:
        with self._lock:
            account = self._entries.get(name) if isinstance(name, str) else None
            # Chosen once: what comes after this is of an older list.
            self._entries = {} if account is not None else self._entries
        if account is not None:
            self._apart(lambda: self._switch(account))

    def _switch(self, account: Account) -> None:
        failure: TokenTossError | None = None
        try:
            self._manager.use_account(account)
        except Exception as refusal:  # noqa: BLE001 - a storage of the user's may raise anything
            failure = _told(refusal)
        with self._lock:
            if not self.is_open:
                return
            if failure is None:
                self.close()
            elif isinstance(failure, NoCredentialsError) and failure.code == "session_expired":
                # Whose session it was is who is to sign in.
                self.login_hint = account.email or account.login or account.subject
            self._changed(failure)
        if failure is not None:
            self._list()

    def _list(self) -> None:
        failure: TokenTossError | None = None
        accounts: list[Account] = []
        try:
            accounts = self._manager.accounts()
        except Exception as unreadable:  # noqa: BLE001 - as above
            failure = _told(unreadable)
        with self._lock:
            if not self.is_open:
                return
            current = self._manager.account if self._manager.is_authenticated else None
            self._entries = {
                secrets.token_urlsafe(8): account
                for account in accounts
                if current is None or account.key != current.key
            }
            if failure is None:
                self._listed()
            else:
                self._changed(failure)

    def _apart(self, work: Callable[[], None]) -> None:
        """Do something in a thread if a broker has to be asked for it."""
        if not isinstance(self._manager, BrokerManager) or not in_thread(work, "tokentoss-accounts"):
            work()

    def _in_use(self) -> object:
        account = self._manager.account
        return account and account.key, self._manager.signed_in_order


def _told(failure: Exception) -> TokenTossError:
    if isinstance(failure, TokenTossError):
        return failure
    logger.error("the accounts could not be read or changed", exc_info=failure)
    return StorageError(code="storage_unreadable", subject=f"the tokens ({type(failure).__name__})")
