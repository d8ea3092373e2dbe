"""The leak scan of a sign-in on any host: nothing secret in its files, messages, pages, storage and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e import leaks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page
    from servers.provider import LocalProvider

LOG = "kernel-everything.log"


class Scan:
    """Watches a context from its first page on; `folder` holds all files of the host, its logs included."""

    def __init__(self, context: BrowserContext, provider: LocalProvider, folder: Path) -> None:
        self.traffic = leaks.Traffic(context)
        self._provider = provider
        self._folder = folder
        # An earlier test of the same host has left its own.
        (folder / LOG).unlink(missing_ok=True)

    @property
    def log_everything(self) -> str:
        """Source of a cell after which all loggers of a kernel write to a file of the folder."""
        return log_everything(self._folder)

    def find(
        self,
        page: Page,
        origin: str,
        needed: Collection[str],
        *,
        further: Mapping[str, bytes] | None = None,
        echoes: bool = False,
        readable: Collection[str] = (),
    ) -> list[str]:
        """Say where a secret stands, of the sign-in that ended in `page` of the host at `origin`.

        `needed` are those that must have been seen, `further` are more places to search. Where a host
        `echoes` what a page sets, sealed envelopes come back to it, and nothing else may. `readable` are
        those that page and kernel may tell each other.
        """
        found = leaks.secrets(self._provider, self.traffic, needed)
        unspoken = {name: value for name, value in found.items() if name not in readable}
        plain = {name: value for name, value in unspoken.items() if name not in leaks.SEALED}
        places = self.places(page) | dict(further or {})
        to_page = {leaks.TO_PAGE: places.pop(leaks.TO_PAGE)}
        return [
            *leaks.find(found, places),
            *leaks.find(plain if echoes else unspoken, to_page),
            *leaks.find(plain, self.to_kernel(origin)),
        ]

    def places(self, page: Page) -> dict[str, bytes]:
        """Where neither a secret nor an envelope may stand."""
        return host_files(self._folder) | leaks.pages(page, self.traffic)

    def to_kernel(self, origin: str) -> dict[str, bytes]:
        """How envelopes go to the kernel of the host at `origin`, and secrets may not."""
        return {"messages to the kernel": self.traffic.sent, "requests": self.traffic.posted(origin)}


def log_everything(folder: Path) -> str:
    """Source of a cell that has all loggers write to a file, but for the one that prints every message."""
    return f"""import logging, tokentoss
logging.getLogger().addHandler(logging.FileHandler({str(folder / LOG)!r}))
logging.getLogger().setLevel(logging.DEBUG)
logging.getLogger("Comm").setLevel(logging.INFO)
tokentoss.enable_debug()
"""


def host_files(folder: Path) -> dict[str, bytes]:
    """What the host wrote, its home included: no test here stores tokens. Fails without the kernel's log."""
    found = {
        f"file {path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert found.get(f"file {LOG}"), "the kernel logged nothing"
    return found
