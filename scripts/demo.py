"""Run the demo: a local OpenID provider, an IAP-like API, and JupyterLab on examples/demo.ipynb.

With --broker a broker keeps the refresh token and the client's secret, and the notebook is
examples/broker.ipynb. With --check the same runs headless in Chromium and ends with 0 only if the API
answered with the user's data, and, with a broker, if the kernel's memory and disk hold neither.
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

from demo_broker import DemoBroker  # noqa: E402
from demo_check import check, with_broker, without_broker  # noqa: E402
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
    parser.add_argument("--broker", action="store_true", help="let a broker keep the refresh token")
    options = parser.parse_args()
    # A polite end from outside, or a closed terminal, is handled like Ctrl-C.
    for name in {"SIGTERM", "SIGHUP"} & {member.name for member in signal.Signals}:
        signal.signal(signal.Signals[name], signal.default_int_handler)

    try:
        with ExitStack() as running:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tokentoss-demo-")))
            provider = running.enter_context(LocalProvider(folder))
            print(f"OpenID provider   {provider.issuer}", flush=True)
            client = provider.confidential if options.broker else provider.public
            api = running.enter_context(IapLikeApi(provider.issuer, audiences=[client.client_id]))
            print(f"IAP-like API      {api.base_url}/api/data", flush=True)
            environment = example_environment(provider, api)
            if options.broker:
                broker = running.enter_context(DemoBroker(folder / "broker", provider))
                print(f"Broker            {broker.url}", flush=True)
                environment = broker_environment(provider, broker, api)
            lab = running.enter_context(JupyterLab(folder / "jupyterlab", env=environment))
            name = "broker.ipynb" if options.broker else "demo.ipynb"
            notebook = lab.copy_notebook(ROOT / "examples" / name)
            address = lab.url(notebook.name)
            print(f"JupyterLab        {address}", flush=True)
            if options.check:
                go_through = with_broker if options.broker else without_broker
                return check(lab, notebook, provider, LOGIN, SCREENSHOTS, go_through)
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


def broker_environment(provider: LocalProvider, broker: DemoBroker, api: IapLikeApi) -> dict[str, str]:
    """What examples/broker.ipynb reads; the kernel finds the key of its caller by the file's name."""
    return {
        "TOKENTOSS_DEMO_ISSUER": provider.issuer,
        "TOKENTOSS_DEMO_BROKER": broker.url,
        "TOKENTOSS_DEMO_BASE_URL": api.base_url,
        "TOKENTOSS_BROKER_KEY_FILE": str(broker.key_file),
    }


def open_browser(address: str) -> None:
    """Open the user's browser, but only where there is a screen: a text browser would take this terminal."""
    displays = (os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY"))
    has_screen = sys.platform in {"win32", "darwin"} or any(displays)
    if not (has_screen and webbrowser.open(address)):
        print("No browser could be opened: please open the JupyterLab address above.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
