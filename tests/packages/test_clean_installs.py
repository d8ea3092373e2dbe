"""Both archives, installed by themselves on every Python of this machine, sign in."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from fake_provider import CLIENT_ID
from kernel.people import ADA, client_secrets
from page import Page
from servers.scripted_login import follow_to_callback

from packages.clean_environment import CleanEnvironment, pythons

PROGRAM = Path(__file__).with_name("widget_program.py")
FOUND = pythons()


@pytest.fixture(scope="module", params=[(version, kind) for version in FOUND for kind in ("wheel", "source")])
def clean(request, built, tmp_path_factory):
    """An environment with one of the archives in it."""
    version, kind = request.param
    environment = CleanEnvironment(FOUND[version], tmp_path_factory.mktemp(f"{kind}-{version}"))
    environment.install(getattr(built, kind))
    return environment


def test_a_terminal_signs_in(clean, provider, tmp_path):
    # Windows has no pseudo-terminals of this kind.
    terminal = pytest.importorskip("kernel.terminal_process")
    variables = clean.variables | {"TOKENTOSS_CLIENT_SECRETS": str(client_secrets(provider, tmp_path))}
    command = [str(clean.programs / "tokentoss"), "sign-in", "--provider", provider.issuer, "--no-browser"]
    process = terminal.TerminalProcess(command, variables)
    try:
        link = process.until(lambda: re.search(r"(?m)^(https?://\S+[?]\S+)\n", process.screen))[1]
        process.until(lambda: "Address (not shown): " in process.screen)
        process.type(follow_to_callback(link, ADA) + "\n")
        assert process.end() == 0, process.screen
    finally:
        process.stop()
    assert f"Signed in as {ADA}" in process.screen
    token = clean.run("tokentoss", "token").strip()
    assert token.count(".") == 2
    assert ADA in clean.run("tokentoss", "status")


def test_a_widget_signs_in(clean, fake):
    command = [str(clean.programs / "python"), "-I", str(PROGRAM), fake.issuer, CLIENT_ID]
    with subprocess.Popen(
        command, env=clean.variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        ticket = json.loads(process.stdout.readline())
        said, _ = process.communicate(Page(ticket).envelope(fake) + "\n", timeout=60)
    assert (process.returncode, said.strip()) == (0, "ada@example.com")


def test_nothing_else_is_needed(clean):
    assert clean.run("python", "-c", "import shutil; print(shutil.which('node'), shutil.which('cargo'))") == (
        "None None\n"
    )
    missing = (
        "import importlib.util as u; print([n for n in ('httpx', 'keyring', 'socks') if u.find_spec(n)])"
    )
    assert clean.run("python", "-I", "-c", missing) == "[]\n"
