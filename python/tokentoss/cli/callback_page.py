"""``tokentoss callback-page``: the callback page as a file, for a hub or any web host."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tokentoss.callback.static_page import static_page, static_page_headers
from tokentoss.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def run(origins: list[str], output: Path | None) -> int:
    """Write the page, and print the headers that it is to be served with.

    Args:
        origins: The origins of the notebook pages that it talks to.
        output: The file; the standard output if it is None.

    Raises:
        ConfigurationError: If an origin is none, or the file cannot be written.
    """
    page = static_page(origins)
    headers = "".join(f"{name}: {value}\n" for name, value in static_page_headers().items())
    if output is None:
        sys.stdout.write(page)
        # Beside the page, so that this can be redirected into a file.
        sys.stderr.write(headers)
        return 0
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as failure:
        raise ConfigurationError(
            f"Writing {output} failed ({failure.strerror}): choose another file."
        ) from None
    sys.stdout.write(headers)
    return 0
