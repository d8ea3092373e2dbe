"""The broker's pages, as the snapshots of its own tests keep them, with what answers them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2] / "crates" / "tokentoss-broker"
SIGN_IN = "0" * 32
ORIGIN = "https://hub.example"
"""The notebook's, in the snapshots."""


def kept_page(name: str, notebook: str) -> tuple[bytes, dict[str, str]]:
    """Return a page and its headers, with the style that the snapshot leaves out.

    Args:
        name: The snapshot's.
        notebook: The origin of the notebook page that takes part.
    """
    path = ROOT / "tests" / "it" / "snapshots" / f"it__snapshots__page_{name}.snap"
    _, _, kept = path.read_text().split("---\n", 2)
    head, text = kept.split("\n\n", 1)
    lines = [line.partition(": ") for line in head.splitlines()[1:]]
    headers = {name: value.replace("<nonce>", "nonce-1") for name, _, value in lines if value}
    style = (ROOT / "templates" / "page.css").read_text()
    text = text.replace("</title>\n", f'</title>\n<style nonce="nonce-1">{style}</style>', 1)
    for mark, value in {
        "<nonce>": "nonce-1",
        "<id>": SIGN_IN,
        "<confirmation>": "WDJBMJHT",
        "<provider>": "login.provider.example",
        ORIGIN: notebook,
    }.items():
        text = text.replace(mark, value)
    return text.encode(), headers
