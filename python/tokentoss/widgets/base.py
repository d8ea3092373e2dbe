"""A widget whose synced state may be written from any thread."""

from __future__ import annotations

import os
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, cast

import anywidget
from ipywidgets.widgets import widget as ipywidgets_internals

from tokentoss.logs import quiet_comms
from tokentoss.session.app_host import serving, visitor
from tokentoss.widgets import cell_lifetime
from tokentoss.widgets.gate import Gate
from tokentoss.widgets.weak_method import weakly

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from ipywidgets import Widget

_LONGEST_ID = 64
_FRONT_END = frozenset({"_esm", "_css", "_anywidget_id"})
"""What anywidget adds to each instance; it is Python's, and large."""


class SyncedWidget(anywidget.AnyWidget):
    """Base of the widgets: Python alone writes its traits, from whichever thread.

    ipykernel 7.0 to 7.2 runs comm messages beside the main thread, and the loopback listener has
    threads of its own, but ipywidgets keeps its state of a synchronisation on the widget itself. So
    every change happens under one lock; work that may take time, and the user's observers, run outside of it.
    """

    from_page: ClassVar[frozenset[str]] = frozenset()
    """Traits of the subclass that a page may write: what it sealed, as text."""

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__.setdefault("_lock", Gate())
        # Before anywidget gives this instance a class of its own.
        self._own_traits = _own_traits(type(self))
        self._owner = os.getpid()
        self._visitor = visitor()
        quiet_comms()
        self._is_receiving = False
        self._arrived: deque[str] = deque()
        self.shown_in: set[cell_lifetime.Cell | None] = set()
        super().__init__(**kwargs)
        self._parts: list[Widget] = [self.layout] if "layout" not in kwargs else []
        cell_lifetime.shows(self)

    def __del__(self) -> None:
        """Close, unless the interpreter is ending: what this needs may be gone by then."""
        try:  # noqa: SIM105 - ``suppress`` may be gone as well
            self.close()
        except Exception:  # noqa: BLE001, S110 - of a module that was taken apart
            pass

    def close(self) -> None:
        """Take the widget off the page."""
        # A forked process has but a copy, whose end must not reach the page.
        if self.__dict__.get("_owner") == os.getpid():
            super().close()

    def _notify_observers(self, event: Any) -> None:
        """Tell observers of a change: while the lock is held, only ipywidgets' own, the user's afterwards."""
        name = event["name"]
        if "_owner" not in self.__dict__:  # still being made
            super()._notify_observers(event)
            return
        if event["type"] == "change" and name in self.from_page:
            self._sealed_arrived(event)
        elif name not in self.own_traits():
            super()._notify_observers(event)
            return
        tell = super()._notify_observers

        def notify() -> None:
            # The listener's threads are nobody's; what the user's code does there is this visitor's.
            with serving(self._visitor):
                tell(event)

        if not self._lock.put_off(notify):
            notify()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        cell_lifetime.shows(self)
        shown: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
        return shown

    def keep(self) -> None:
        """Let ipywidgets keep this widget, whether anybody else does or not, as it keeps all others."""
        for one in (self, *self._parts):
            if one.comm is not None:
                _kept()[one.model_id] = one

    def let_go(self) -> None:
        """Live on only as long as the user's code holds this widget; it works as before meanwhile."""
        for one in (self, *self._parts):
            if one.comm is not None:
                one.comm.on_msg(weakly(one._handle_msg))  # noqa: SLF001 - what ipywidgets set, but weakly
                # Still found by a page that is loaded again.
                _kept()[one.model_id] = weakref.proxy(one)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take a page's changes of what a page may change, then do what they called for."""
        own = self.own_traits() - self.from_page | _FRONT_END
        with self._lock:
            self._is_receiving = True
            try:
                super().set_state({name: value for name, value in sync_data.items() if name not in own})
            finally:
                self._is_receiving = False
        self.state_received()

    def state_received(self) -> None:
        """Act on a page's changes, outside of the lock."""
        while True:
            try:
                sealed = self._arrived.popleft()
            except IndexError:
                return
            self.take_sealed(sealed)

    def take_sealed(self, sealed: str) -> None:
        """Open and act on what a page sealed."""
        raise NotImplementedError

    def _sealed_arrived(self, change: dict[str, Any]) -> None:
        sealed = change["new"]
        if not sealed:
            return
        self._arrived.append(sealed)
        # Emptied before anything else, so that it is in no saved notebook.
        setattr(self, change["name"], "")
        if not self._is_receiving:
            # Set by a host that writes traits one by one.
            self.state_received()

    def publish(self, **traits: Any) -> None:
        """Set traits together, in one message to the page."""
        with self._lock, self.hold_sync(), self.hold_trait_notifications():
            for name, value in traits.items():
                setattr(self, name, value)

    def answer_ping(self, content: object) -> bool:
        """Answer a page that asks whether the kernel still knows this widget; tell whether it did.

        The page also gets the whole state: what was said while its connection was down is lost.
        """
        if not isinstance(content, dict) or content.get("type") != "ping":
            return False
        number = content.get("id")
        is_name = isinstance(number, str) and len(number) <= _LONGEST_ID and number.isprintable()
        if isinstance(number, (int, float)) or is_name:
            with self._lock:
                self.send_state(self.own_traits() - self.from_page)
                self.send({"type": "pong", "id": number})
        return True

    def own_traits(self) -> frozenset[str]:
        """Return the names of the synced traits that this package defines."""
        return self._own_traits


def _own_traits(cls: type[SyncedWidget]) -> frozenset[str]:
    inherited = set(anywidget.AnyWidget.class_trait_names(sync=True))
    return frozenset(
        name
        for name, trait in cls.class_traits(sync=True).items()
        if name not in inherited
        and (trait.this_class.__module__ or "").partition(".")[0] == __package__.partition(".")[0]
    )


def _kept() -> MutableMapping[str, Any]:
    """Return where ipywidgets keeps all widgets; another version may do so elsewhere, and for ever."""
    return cast("MutableMapping[str, Any]", getattr(ipywidgets_internals, "_instances", {}))
