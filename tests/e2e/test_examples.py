"""The README and the example notebooks show the same code, and no notebook is committed with outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from e2e.notebook import CellError, Notebook
from e2e.widget import Widget

ROOT = Path(__file__).resolve().parents[2]


def code_cells(name):
    cells = json.loads((ROOT / "examples" / name).read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_the_quickstart_is_the_code_of_the_readme():
    blocks = re.findall(r"```python\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert ["".join(cell["source"]) for cell in code_cells("quickstart.ipynb")] == blocks[1:4]


@pytest.mark.parametrize("name", ["broker.ipynb", "clients.ipynb", "demo.ipynb", "quickstart.ipynb"])
def test_the_notebooks_hold_no_outputs(name):
    cells = code_cells(name)
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


def test_the_quickstart_shows_google_s_button(lab, context):
    """The quickstart notebook shows Google's button and sends nothing before a click."""
    client = {"client_id": "1-x.apps.googleusercontent.com", "client_secret": "not-a-real-secret"}
    endpoints = {
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "redirect_uris": ["http://localhost"],
    }
    secrets_file = lab.root / "client_secrets.json"
    secrets_file.touch(mode=0o600)
    secrets_file.write_text(json.dumps({"installed": {**client, **endpoints}}))

    with Notebook(context, lab, lab.copy_notebook(ROOT / "examples" / "quickstart.ipynb")) as notebook:
        notebook.run_cell(1)
        notebook.run_cell(3)
        widget = Widget(notebook.page)
        widget.wait_ready()
        widget.wait_idle()
        assert widget.sign_in_button.inner_text() == "Sign in with Google"
        ticket = notebook.kernel.value("widget.ticket")
        assert ticket["client_id"] == client["client_id"]
        assert ticket["provider"]["issuer"] == "https://accounts.google.com"
        assert client["client_secret"] not in json.dumps(ticket)
        with pytest.raises(CellError, match="NoCredentialsError"):
            notebook.run_cell(5)
