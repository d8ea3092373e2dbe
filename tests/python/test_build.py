from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FRONT_END = ("auth.js", "auth.css", "configure.js", "configure.css", "status.js", "status.css")
LICENCES = ("LICENSE", "THIRD_PARTY_LICENSES.txt")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the package is built from, with a stand-in for the built front end."""
    copy = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "static")
    shutil.copytree(ROOT / "python", copy / "python", ignore=ignored)
    for name in ("pyproject.toml", "LICENSE", "THIRD_PARTY_LICENSES.txt", "README.md", "SECURITY.md"):
        shutil.copy(ROOT / name, copy / name)
    for name in ("docs", "examples"):
        shutil.copytree(ROOT / name, copy / name)
    (copy / "tests").mkdir()
    (copy / "tests" / "test_x.py").write_text("")
    (copy / ".gitignore").write_text("/python/tokentoss/static/*.js\n/python/tokentoss/static/*.css\n")
    static = copy / "python" / "tokentoss" / "static"
    static.mkdir()
    for name in FRONT_END:
        (static / name).write_text("/* built */")
    return copy


def build(checkout: Path, target: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", "out"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_the_wheel(checkout: Path) -> None:
    finished = build(checkout, "wheel")
    assert finished.returncode == 0, finished.stderr
    (wheel,) = (checkout / "out").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in names if name.startswith("tokentoss/")}
    expected = {
        str(path.relative_to(checkout / "python"))
        for path in (checkout / "python" / "tokentoss").rglob("*")
        if path.is_file()
    }
    assert package == expected
    assert {f"tokentoss/static/{name}" for name in FRONT_END} <= names
    assert {
        "tokentoss/py.typed",
        "tokentoss/error_codes.json",
        "tokentoss/texts/en.json",
        "tokentoss/callback/start.js",
    } <= names
    assert all(name.startswith(("tokentoss/", "tokentoss-")) for name in names)
    enabled = "tokentoss-0.2.0.data/data/etc/jupyter/jupyter_server_config.d/tokentoss.json"
    extensions = json.loads(zipfile.ZipFile(wheel).read(enabled))["ServerApp"]["jpserver_extensions"]
    assert extensions == {"tokentoss.server_extension": True}
    metadata = zipfile.ZipFile(wheel).read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert "Version: 0.2.0" in metadata
    assert "License-Expression: MIT AND " in metadata
    assert {f"tokentoss-0.2.0.dist-info/licenses/{name}" for name in LICENCES} <= names
    # E12: the index has no files that relative links could lead to.
    assert "Description-Content-Type: text/markdown" in metadata
    assert re.findall(r"\]\((?!https?://|#)", metadata) == []
    assert "pip install tokentoss" in metadata
    assert "/docs/callback.md) sets each of them up" in metadata


def test_the_source_archive_builds_a_wheel_without_node(checkout: Path, tmp_path: Path) -> None:
    finished = build(checkout, "sdist")
    assert finished.returncode == 0, finished.stderr
    (archive,) = (checkout / "out").glob("*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    top = {path.name for path in unpacked.iterdir()}
    described = {"README.md", "SECURITY.md", "docs", "examples"}
    assert top == {"python", *LICENCES, "pyproject.toml", "PKG-INFO", ".gitignore"} | described
    finished = build(unpacked, "wheel")
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("target", ["wheel", "sdist"])
@pytest.mark.parametrize("missing", FRONT_END)
def test_no_archive_without_its_front_end(checkout: Path, target: str, missing: str) -> None:
    (checkout / "python" / "tokentoss" / "static" / missing).unlink()
    finished = build(checkout, target)
    assert finished.returncode != 0
    assert f"{missing} missing" in finished.stderr
    assert "npm run build" in finished.stderr
    assert not list((checkout / "out").glob("*"))
