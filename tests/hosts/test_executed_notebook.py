"""A notebook that nbclient executed, in a viewer without widgets."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import pytest
from e2e.isolation import KERNELS_BY_SOCKET, isolated_environment
from playwright.sync_api import expect

from hosts.ways import Loopback, ways

# A viewer that does not know the type of widgets shows the next best.
WITHOUT_WIDGETS = ("--template=basic", "--NbConvertBase.display_data_priority=['text/html', 'text/plain']")


def nbconvert(folder, *arguments):
    command = [sys.executable, "-m", "nbconvert", *arguments]
    environment = isolated_environment(folder)
    subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True, timeout=100)


@ways(Loopback())
@pytest.mark.host("Executed by nbclient, in a viewer without widgets")
def test_says_how_to_get_a_live_one(tmp_path, context, way, provider, scan, record):
    """The executed notebook says how to sign in, and its file holds no client secret (C70)."""
    source = [scan.log_everything + way.show_widget(provider), "print('the end')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in source])
    nbformat.write(notebook, tmp_path / "source.ipynb")

    execute = ("--to", "notebook", "--execute", KERNELS_BY_SOCKET)
    nbconvert(tmp_path, *execute, "source.ipynb", "--output", "executed.ipynb")
    nbconvert(tmp_path, "--to", "html", *WITHOUT_WIDGETS, "executed.ipynb")

    executed = (tmp_path / "executed.ipynb").read_text()
    assert "application/vnd.jupyter.widget-state+json" in executed
    page = context.new_page()
    page.set_content((tmp_path / "executed.html").read_text())
    expect(page.get_by_text("the end", exact=True)).to_be_visible()
    expect(page.get_by_text("Run this cell in a live notebook to sign in with")).to_be_visible()
    assert scan.find(page, "", ()) == []
    record("the output says: run this cell in a live notebook")
