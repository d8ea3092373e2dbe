"""Build hooks: no package without its front end, the bill of materials, a description without dead links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

FRONT_END = ("auth.js", "auth.css", "configure.js", "configure.css", "status.js", "status.css")
BILL = "python/tokentoss.cdx.json"
"""Written by `npm run package`; packages that somebody builds for themselves may do without it."""


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg, unused-ignore]
    """Checks that the built front end is where the archives take it from, and adds the bill of materials."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Stop the build with one sentence if a front-end file is missing.

        An editable install points at the checkout, where the front end may be built later.
        """
        if version == "editable":
            return
        static = Path(self.root) / "python" / "tokentoss" / "static"
        missing = [name for name in FRONT_END if not (static / name).is_file()]
        if missing:
            names = " and ".join(missing)
            raise RuntimeError(
                f"The front end is not built: {names} missing in {static}. "
                "Run `npm run build` in the repository first, then build the package again."
            )
        if self.target_name == "wheel" and (Path(self.root) / BILL).is_file():
            build_data["sbom_files"].append(BILL)


class DescriptionHook(MetadataHookInterface):
    """Makes the description on the package index of the README, whose links lead to files."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the description."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        addressed = with_addresses(text, metadata["urls"]["Repository"])
        metadata["readme"] = {"content-type": "text/markdown", "text": addressed}


def with_addresses(text: str, repository: str) -> str:
    """Return Markdown with the repository's address before each path; addresses and anchors stay as they are.

    Args:
        text: Markdown whose links and pictures start from the top of the repository.
        repository: The address of the repository.
    """

    def placed(link: re.Match[str]) -> str:
        mark, shown, path = link.groups()
        return f"{mark}[{shown}]({repository}/{'raw' if mark else 'blob'}/main/{path})"

    return re.sub(r"(!?)\[([^\]]+)\]\((?!https?:|#)([^)\s]+)\)", placed, text)
