"""``tokentoss demo`` runs its JupyterLab, provider and API, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.waiting import PATIENCE_SECONDS, until
from e2e.widget import Widget

ADA = "ada@example.com"
ADDRESS = re.compile(r"^JupyterLab +(\S+)$")


@pytest.fixture
def home(tmp_path):
    """The user's home, in which the demo has no business."""
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def demo(home, tmp_path):
    """The command, and what it has said up to the end of its introduction."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        # What the user has set up for other notebooks must not matter.
        "TOKENTOSS_BROKER": "http://127.0.0.1:9",
        "PYTHONUNBUFFERED": "1",
    }
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        environment.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "-m", "tokentoss", "demo", "--no-browser"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        process.said = []
        for line in process.stdout:
            process.said.append(line.rstrip())
            if line.startswith("Ctrl-C"):
                break
        yield process
        process.send_signal(signal.SIGTERM)


def processes_of(folder):
    """Processes whose environment names the demo's folder."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{folder}/".encode() in environment.read_bytes():
                found.append(environment.parent.name)
    return found


def test_the_demo(demo, context, home, tmp_path):
    said = "\n".join(demo.said)
    assert "no passwords" in said, said
    (address,) = [match[1] for line in demo.said if (match := ADDRESS.match(line))]
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    page.locator(".jp-CodeCell").first.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    widget = Widget(page)
    widget.wait_ready()

    window = widget.open_popup()
    expect(window.get_by_text("has no passwords")).to_be_visible()
    window.get_by_role("button", name=f"Continue as {ADA}").click(no_wait_after=True)
    widget.wait_status(f"Signed in as {ADA}")

    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-executeResult").last).to_contain_text(ADA)

    (folder,) = tmp_path.glob("tokentoss-demo-*")
    assert (folder / "tokens.json").is_file()
    assert len(processes_of(folder)) >= 2, "JupyterLab and a kernel"
    page.close()

    demo.send_signal(signal.SIGINT)
    rest = demo.stdout.read()
    assert demo.wait(PATIENCE_SECONDS) == 0
    assert "Nothing of it is left." in rest
    assert not folder.exists()
    until(lambda: not processes_of(folder), "JupyterLab and its kernel to be gone")
    left = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    assert [path for path in left if "jupyter" in path or "tokentoss" in path or "ipython" in path] == []
