"""``tokentoss callback-page``: the callback page as a file, for a hub or any web host."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tokentoss.callback.page_server import PageServer
from tokentoss.callback.redirect_uris import PAGE_PATH
from tokentoss.callback.static_page import static_page, static_page_headers
from tokentoss.cli.terminal import Terminal, said
from tokentoss.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def run(origins: list[str], output: Path | None, port: int | None) -> int:
    """Write the page, and print the headers that it is to be served with; or serve it.

    Args:
        origins: The origins of the notebook pages that it talks to.
        output: The file; the standard output if it is None.
        port: The loopback port to serve it on, until the process is ended, instead of writing it.

    Raises:
        ConfigurationError: If an origin is none, the file cannot be written, or the port is taken.
    """
    if port is not None:
        return _serve(origins, port)
    page = static_page(origins)
    headers = "".join(f"{name}: {value}\n" for name, value in static_page_headers().items())
    if output is None:
        # In UTF-8, as the page says of itself, whatever the terminal has.
        sys.stdout.buffer.write(page.encode("utf-8"))
        sys.stdout.flush()
        # Beside the page, so that this can be redirected into a file.
        sys.stderr.write(headers)
        return 0
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as failure:
        subject = f"{output} ({failure.strerror})"
        raise ConfigurationError(code="output_unwritable", subject=subject) from None
    sys.stdout.write(headers)
    return 0


def _serve(origins: list[str], port: int) -> int:
    try:
        server = PageServer(port, origins)
    except (OSError, OverflowError):
        raise ConfigurationError(code="port_unavailable", subject=str(port)) from None
    with server:
        address = f"http://127.0.0.1:{server.server_port}/…{PAGE_PATH}"
        Terminal().line(said("serving", address=address))
        sys.stdout.flush()
        server.serve_forever()
    return 0
