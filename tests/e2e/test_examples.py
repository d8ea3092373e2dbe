"""The README and the example notebooks show the same code, and no notebook is committed with outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def code_cells(name):
    cells = json.loads((ROOT / "examples" / name).read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_the_quickstart_is_the_code_of_the_readme():
    blocks = re.findall(r"```python\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert ["".join(cell["source"]) for cell in code_cells("quickstart.ipynb")] == blocks[:2]


@pytest.mark.parametrize("name", ["demo.ipynb", "quickstart.ipynb"])
def test_the_notebooks_hold_no_outputs(name):
    cells = code_cells(name)
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
