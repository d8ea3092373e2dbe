"""What a broker keeps from the kernels: neither their memory nor their files may hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .process_memory import found_in

if TYPE_CHECKING:
    from servers.provider import LocalProvider

    from .notebook import Notebook


def assert_not_in_kernel(notebook: Notebook, provider: LocalProvider, *more: str) -> None:
    """Look for refresh tokens and client secrets in memory and files of a signed-in notebook's kernel.

    `more` are the names of further secrets that the provider met.
    """
    known = provider.secrets()
    kept = of_kind(known, "refresh_token", "client_secret", *more)
    for kind in ("refresh_token", *more):
        assert of_kind(kept, kind), f"the provider met a {kind}"
    pid = notebook.kernel.value("__import__('os').getpid()")
    # The scan can find something: this kernel has the ID token in its memory.
    assert found_in(pid, of_kind(known, "id_token"))
    assert found_in(pid, kept) == []
    for folder in (notebook.lab.root, notebook.lab.home):
        for path in folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not [name for name, value in kept.items() if value.encode() in content], path


def of_kind(known: dict[str, str], *kinds: str) -> dict[str, str]:
    """The secrets of these names; the second and later ones of a name have a number behind it."""
    return {name: value for name, value in known.items() if name.split(" ")[0] in kinds}
