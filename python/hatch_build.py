"""Build hook: refuses to package tokentoss without its front end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONT_END = ("auth.js", "auth.css", "configure.js", "configure.css")


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg, unused-ignore]
    """Checks that the built front end is where the archives take it from."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
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
