"""Source of cells for hosts whose pages show outputs alone, where nobody can run a cell after the sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.cells import call_api

if TYPE_CHECKING:
    from servers.iap_api import IapLikeApi


def show_answer(api: IapLikeApi) -> str:
    """Show, as soon as the user of `widget` is signed in, what the API answers to the kernel."""
    return f"""
import ipywidgets
answer = ipywidgets.Label("No answer yet.")

def ask(change):
    if change["new"]:
        answer.value = f"The API knows {{{call_api(api)}['email']}}."

widget.observe(ask, "is_authenticated")
display(answer)
"""
