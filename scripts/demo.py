"""Run the demo: a local OpenID provider, an IAP-like API, and JupyterLab on examples/demo.ipynb.

With --check the same runs headless in Chromium and ends with 0 only if the API answered with the user's data.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import webbrowser
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from demo_check import check  # noqa: E402
from e2e.jupyterlab import JupyterLab  # noqa: E402
from servers.iap_api import IapLikeApi  # noqa: E402
from servers.provider import LocalProvider  # noqa: E402

LOGIN = "ada@example.com"
SCREENSHOTS = ROOT / ".cache" / "demo-screenshots"


def main() -> int:
    """Start everything, then either wait for Ctrl-C or check; either way end what was started."""
    parser = argparse.ArgumentParser(prog="npm run demo --", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="run the whole sign-in headless and report each step"
    )
    options = parser.parse_args()
    # A polite end from outside, or a closed terminal, is handled like Ctrl-C.
    for name in {"SIGTERM", "SIGHUP"} & {member.name for member in signal.Signals}:
        signal.signal(signal.Signals[name], signal.default_int_handler)

    try:
        with ExitStack() as running:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tokentoss-demo-")))
            provider = running.enter_context(LocalProvider(folder))
            print(f"OpenID provider   {provider.issuer}", flush=True)
            api = running.enter_context(IapLikeApi(provider.issuer, audiences=[provider.public.client_id]))
            print(f"IAP-like API      {api.base_url}/api/data", flush=True)
            lab = running.enter_context(
                JupyterLab(folder / "jupyterlab", env=example_environment(provider, api))
            )
            notebook = lab.copy_notebook(ROOT / "examples" / "demo.ipynb")
            address = lab.url(notebook.name)
            print(f"JupyterLab        {address}", flush=True)
            if options.check:
                return check(lab, notebook, provider, LOGIN, SCREENSHOTS)
            open_browser(address)
            print(
                f"Sign in with any login, for instance {LOGIN}, and any password. Ctrl-C ends all of it.",
                flush=True,
            )
            threading.Event().wait()
    except KeyboardInterrupt:
        print("\nEnded: provider, API and JupyterLab are stopped, and their folder is removed.")
    return 0


def example_environment(provider: LocalProvider, api: IapLikeApi) -> dict[str, str]:
    """What examples/demo.ipynb reads: where the stand-ins are, and which client the notebook is."""
    return {
        "TOKENTOSS_DEMO_ISSUER": provider.issuer,
        "TOKENTOSS_DEMO_CLIENT_ID": provider.public.client_id,
        "TOKENTOSS_DEMO_BASE_URL": api.base_url,
    }


def open_browser(address: str) -> None:
    """Open the user's browser, but only where there is a screen: a text browser would take this terminal."""
    displays = (os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY"))
    has_screen = sys.platform in {"win32", "darwin"} or any(displays)
    if not (has_screen and webbrowser.open(address)):
        print("No browser could be opened: please open the JupyterLab address above.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
