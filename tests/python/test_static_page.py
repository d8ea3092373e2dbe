"""The callback page as a file: its content, and the command that writes it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import threading
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests
from tokentoss import ConfigurationError
from tokentoss.callback.page_server import PageServer
from tokentoss.callback.static_page import static_page, static_page_headers
from tokentoss.cli import main

HUB = "https://hub.example.com"


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def element(page: str, name: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", page, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_policy_allows_its_own_script_and_style_alone() -> None:
    """The policy allows only the page's own script and style, by their hashes (C21)."""
    page = static_page([HUB])
    policy = static_page_headers()["Content-Security-Policy"]
    assert policy == (
        f"default-src 'none'; script-src {hash_of(element(page, 'script'))}; "
        f"style-src {hash_of(element(page, 'style'))}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    meta = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert meta is not None
    assert unescape(meta[1]) == policy.removesuffix("; frame-ancestors 'none'")
    assert page.index("http-equiv") < page.index("<style>") < page.index("<script>")


def test_the_headers() -> None:
    """The headers forbid caching, referrers and sniffing, and set no opener policy (C19, C21)."""
    headers = static_page_headers()
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Cross-Origin-Opener-Policy" not in headers


def test_the_page_refers_to_nothing_else() -> None:
    """The page refers only to the origins that it was given (C14, C21)."""
    page = static_page([HUB, "http://localhost:8888", HUB])
    assert re.findall(r"https?://[^\"'\s]+", page) == [HUB, "http://localhost:8888"]
    assert "{{" not in page
    assert '"*"' not in page
    assert "referrer" not in element(page, "script")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "null",
        "hub.example.com",
        HUB + "/",
        HUB + "/hub",
        HUB + ":443",
        "https://HUB.example.com",
        "https://ada@hub.example.com",
        "https://hub.example.com?x",
        "javascript:alert(1)",
        "https://hub.example.com</script><script>",
    ],
)
def test_what_is_no_origin(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="origin"):
        static_page([origin])


def test_a_page_for_nobody() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        static_page([])
    assert refusal.value.code == "notebook_origin_missing"


def test_the_command_prints_the_page_and_its_headers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["callback-page", "--origin", HUB]) == 0
    out, err = capsys.readouterr()
    assert out == static_page([HUB])
    assert f"Content-Security-Policy: {static_page_headers()['Content-Security-Policy']}\n" in err


def test_the_page_is_utf_8_wherever_it_is_printed() -> None:
    """The page is printed as UTF-8, whatever the output's encoding."""
    for encoding in ("ascii", "cp1252", "utf-16"):
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        command = [sys.executable, "-m", "tokentoss", "callback-page", "--origin", HUB]
        printed = subprocess.run(command, capture_output=True, check=True, env=environment)
        assert printed.stdout == static_page([HUB]).encode("utf-8")


def test_the_command_says_where_it_serves_on_any_terminal() -> None:
    command = [sys.executable, "-m", "tokentoss", "callback-page", "--origin", HUB, "--serve", "0"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith(b"Serving http://127.0.0.1:")
        serving.terminate()


def test_the_command_writes_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "callback.html"
    assert (
        main(["callback-page", "--origin", HUB, "--origin", "http://localhost:1", "--output", str(path)]) == 0
    )
    assert path.read_text() == static_page([HUB, "http://localhost:1"])
    assert "Content-Security-Policy: default-src 'none'; script-src 'sha256-" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--origin", "nonsense"], ["--origin", HUB, "--output", "no/such/x"]])
def test_the_command_fails_with_a_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["callback-page", *arguments]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not list(tmp_path.rglob("x"))


def test_the_command_needs_an_origin(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["callback-page"])
    assert ended.value.code == 2
    assert "--origin" in capsys.readouterr().err


def test_the_server() -> None:
    """The server answers the callback path below any prefix, and nothing else."""
    with PageServer(0, [HUB]) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            origin = f"http://127.0.0.1:{server.server_port}"
            page = requests.get(f"{origin}/services/tokentoss/callback?code=x&state=y", timeout=20)
            other = requests.get(f"{origin}/services/very-secret", timeout=20)
            posted = requests.post(f"{origin}/tokentoss/callback", timeout=20)
        finally:
            server.shutdown()
            thread.join()
    assert (page.status_code, page.text) == (200, static_page([HUB]))
    assert static_page_headers().items() <= dict(page.headers).items()
    assert (other.status_code, posted.status_code) == (404, 501)
    assert "very-secret" not in other.text


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with PageServer(0, [HUB]) as server:
        assert main(["callback-page", "--origin", HUB, "--serve", str(server.server_port)]) == 1
    assert str(server.server_port) in capsys.readouterr().err
