"""A notebook that nbclient executed, opened as a page: nobody is there to click, and nothing hangs."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import pytest
from e2e.isolation import isolated_environment


@pytest.mark.host("Executed by nbclient, as a page of nbconvert")
def test_says_how_to_get_a_live_one(tmp_path, context, way, provider, record):
    source = tmp_path / "sign-in.ipynb"
    cells = [way.show_widget(provider, provider.confidential), "print('the cell below ran')"]
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), source
    )
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", str(source)]
    subprocess.run(
        command, env=isolated_environment(tmp_path), cwd=tmp_path, check=True, capture_output=True, timeout=100
    )
    page = context.new_page()
    page.goto(source.with_suffix(".html").as_uri())
    page.get_by_text("the cell below ran").wait_for()
    page.wait_for_timeout(4000)
    page.screenshot(path="/tmp/w/nbc.png", full_page=True)
    print(page.evaluate("document.body.innerText")[-800:])
    print(nbformat.read(source, 4))
    assert False
