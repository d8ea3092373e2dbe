"""The origin of the Jupyter server that runs this kernel (trust rule 3)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page import Page
from tokentoss.callback.own_server import _origins_of, is_own_server, own_origins

SERVER = {"hostname": "box.example", "port": 8888, "secure": False, "url": "http://box.example:8888/"}
pytest.importorskip("jupyter_core")


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", "4711")
    return tmp_path


def write(folder: Path, pid: int = 4711, mode: int = 0o600, **changes: Any) -> Path:
    path = folder / f"jpserver-{pid}.json"
    path.write_text(json.dumps(SERVER | changes))
    path.chmod(mode)
    return path


def test_the_server_that_started_the_kernel(runtime: Path) -> None:
    write(runtime)
    names = ["box.example", "localhost", "127.0.0.1", "[::1]"]
    assert own_origins() == {f"http://{name}:8888" for name in names}
    for origin in ("http://localhost:8889", "https://localhost:8888", "http://evil.example:8888", "null", ""):
        assert not is_own_server(origin)


def test_a_server_of_https(runtime: Path) -> None:
    write(runtime, secure=True, port=443)
    assert is_own_server("https://box.example")
    assert not is_own_server("http://box.example")


def test_an_ancestor(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Jupyter server that is any ancestor of the kernel's process counts as its own."""
    monkeypatch.delenv("JPY_PARENT_PID")
    write(runtime, pid=os.getppid())
    assert is_own_server("http://localhost:8888")


def test_a_server_of_somebody_elses_process(runtime: Path) -> None:
    write(runtime, pid=4712)
    assert own_origins() == set()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_says_nothing(runtime: Path, mode: int) -> None:
    write(runtime, mode=mode)
    assert own_origins() == set()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root, to give a file away")
def test_a_file_of_another_user_says_nothing(runtime: Path) -> None:
    os.chown(write(runtime), 65534, 65534)
    assert own_origins() == set()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"port": "8888"}', '{"port": true}', "[" * 9000])
def test_a_file_that_is_none(runtime: Path, content: str) -> None:
    write(runtime).write_text(content)
    assert own_origins() == set()


def test_a_folder_in_its_place(runtime: Path) -> None:
    (runtime / "jpserver-4711.json").mkdir()
    assert own_origins() == set()


@pytest.mark.parametrize("name", ["JUPYTERHUB_PUBLIC_URL", "JUPYTERHUB_PUBLIC_HUB_URL", "JUPYTERHUB_HOST"])
def test_a_hub(runtime: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "https://hub.example/user/ada/")
    assert is_own_server("https://hub.example")
    assert not is_own_server("https://other.example")


@given(
    st.dictionaries(
        st.sampled_from(["hostname", "port", "secure"]), st.integers() | st.text() | st.booleans()
    )
)
def test_no_content_breaks_the_reader(info: dict[str, Any]) -> None:
    _origins_of(info)


def test_its_page_is_registered_without_a_question(runtime: Path, page: Page) -> None:
    """The own server's page is registered without a confirmation (S1, rule 3)."""
    write(runtime)
    assert "answer" in page.register(says_yes=False, origin="http://localhost:8888").json()
    assert "confirm" in Page(page.ticket).register(says_yes=False, origin="http://evil.example:8888").json()
