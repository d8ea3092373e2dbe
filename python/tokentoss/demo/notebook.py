"""The notebook of the demo."""

from __future__ import annotations

import json

from tokentoss.demo.api import PATH
from tokentoss.demo.grants import CLIENT_ID
from tokentoss.demo.provider import NAME

FILE = "demo.ipynb"

_GOOGLE = "https://github.com/NicholasGrundl/tokentoss/blob/main/docs/google_setup.md"


def notebook(issuer: str, base_url: str) -> str:
    """Return the notebook, in the format that Jupyter reads (nbformat 4.5).

    Args:
        issuer: The issuer of the demo's provider.
        base_url: The origin of the demo's API.
    """
    cells = [
        _text(
            "# Sign in and call an API\n\n"
            "`tokentoss demo` runs an OpenID provider and a small API beside this notebook, on this computer "
            "only. The provider is a stand-in: it has no passwords, and knows only whom you choose to be.\n\n"
            "Run the cell with Shift+Enter, and click **Sign in with the demo provider**."
        ),
        _code(
            "from tokentoss import AuthWidget, IAPClient, Provider\n\n"
            f'provider = Provider.discover("{issuer}", name="{NAME}")\n'
            f'widget = AuthWidget(provider=provider, client_id="{CLIENT_ID}")\n'
            "widget"
        ),
        _text(
            "Once it says **Signed in as …**, Python holds the tokens. The client sends the ID token to this "
            "API, and to no other host."
        ),
        _code(f'client = IAPClient(base_url="{base_url}", provider=provider)\nclient.get_json("{PATH}")'),
        _text(
            "Sign out with the button or with `widget.sign_out()`, and sign in as somebody else. With "
            f"Google, all of this is `GoogleAuthWidget()`: see [the steps]({_GOOGLE})."
        ),
    ]
    numbered = [{"id": f"demo-{number}", **cell} for number, cell in enumerate(cells)]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": numbered, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    )


def _text(source: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, object]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
