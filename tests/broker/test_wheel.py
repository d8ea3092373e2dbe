"""The broker's wheel contains the program."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WHEELS = os.environ.get("TOKENTOSS_BROKER_WHEELS")
"""Folder with the built wheel: `maturin build -m crates/tokentoss-broker/Cargo.toml --out <folder>`."""

pytestmark = pytest.mark.skipif(WHEELS is None, reason="TOKENTOSS_BROKER_WHEELS names no folder")


def test_a_fresh_environment_gets_the_program(tmp_path: Path) -> None:
    assert WHEELS is not None
    (wheel,) = Path(WHEELS).glob("tokentoss_broker-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".data/scripts/tokentoss-broker") for name in names), names
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [str(folder / "bin" / "pip"), "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    program = folder / "bin" / "tokentoss-broker"
    shown = subprocess.run([str(program), "openapi"], check=True, capture_output=True, text=True)
    assert '"openapi": "3.1.0"' in shown.stdout
    configuration = tmp_path / "broker.toml"
    configuration.write_text(
        f'database = "sqlite:{tmp_path}/broker.sqlite"\nkey_ring = "{tmp_path}/keys.toml"\n'
    )
    for command in ("init", "check"):
        subprocess.run(
            [str(program), "--config", str(configuration), command], check=True, capture_output=True
        )
