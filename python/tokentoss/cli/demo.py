"""``tokentoss demo``: sign in for the first time without an account anywhere, on this computer alone."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tokentoss.cli.browsers import has_browser
from tokentoss.cli.terminal import Terminal, column_beside, said
from tokentoss.cli.terminal_sign_in import has_terminal, sign_in
from tokentoss.clients.iap import IAPClient
from tokentoss.config.client_config import ClientConfig
from tokentoss.demo import api, lab, notebook
from tokentoss.demo.grants import CLIENT_ID
from tokentoss.demo.provider import NAME, DemoProvider
from tokentoss.oauth.provider import Provider
from tokentoss.session.auth_manager import DetachedManager
from tokentoss.storage import MemoryStorage

if TYPE_CHECKING:
    from tokentoss.demo.api import DemoApi


def run(*, opens: bool) -> int:
    """Run the demo until Ctrl-C, or once through in a terminal where JupyterLab is not installed.

    Args:
        opens: Whether to open a browser, where there is one.

    Raises:
        ConfigurationError: If JupyterLab does not start.
        TokenTossError: What ended a sign-in in the terminal.
    """
    # A polite end from outside, or a closed terminal, is handled like Ctrl-C.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    terminal = Terminal()
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tokentoss-demo-")))
        issuer = running.enter_context(DemoProvider()).issuer
        provider = Provider.discover(issuer, name=NAME)
        service = running.enter_context(api.DemoApi(provider))
        terminal.row(said("demoProvider"), issuer, _column())
        terminal.row("API", f"{service.base_url}{api.PATH}", _column())
        if not lab.is_installed():
            return _in_terminal(provider, service, terminal)
        try:
            _in_notebook(running, folder, service, issuer, terminal, opens=opens)
        except KeyboardInterrupt:
            terminal.line("\n" + said("demoEnding"))
            running.close()
            terminal.line(said("demoEnded"))
    return 0


def _in_notebook(
    running: ExitStack, folder: Path, service: DemoApi, issuer: str, terminal: Terminal, *, opens: bool
) -> None:
    """Show the notebook until JupyterLab ends."""
    content = notebook.notebook(issuer, service.base_url)
    jupyter = running.enter_context(lab.DemoLab(folder, notebook.FILE, content))
    terminal.row("JupyterLab", jupyter.url, _column())
    terminal.line()
    terminal.line(said("demoAbout"))
    if not (opens and has_browser() and webbrowser.open(jupyter.url)):
        terminal.line(said("demoOpen"))
    terminal.line(said("demoStop"))
    sys.stdout.flush()
    jupyter.wait()


def _in_terminal(provider: Provider, service: DemoApi, terminal: Terminal) -> int:
    """Sign in from the terminal, and call the API."""
    terminal.line()
    terminal.line(said("demoWithoutLab"))
    if not has_terminal():
        return 1
    terminal.line(said("demoAbout"))
    sys.stdout.flush()
    client = ClientConfig(
        CLIENT_ID, auth_uri=provider.authorization_endpoint, token_uri=provider.token_endpoint
    )
    manager = DetachedManager(client, storage=MemoryStorage(), provider=provider)
    sign_in(manager)
    answer = IAPClient(base_url=service.base_url, auth_manager=manager).get_json(api.PATH)
    terminal.line(said("demoSignedIn", account=manager.user_email or ""))
    terminal.line(json.dumps(answer, indent=2))
    return 0


def _column() -> int:
    return column_beside(said("demoProvider"), "API", "JupyterLab")
