"""Signing in from a real terminal at a real provider, with a simulated browser and user."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from servers.scripted_device import enter_code
from servers.scripted_login import follow_to_callback
from tokentoss import FileStorage

from kernel.people import ADA, GRACE, client_secrets
from kernel.terminal_process import PATIENCE, TerminalProcess

COMMAND = [sys.executable, "-m", "tokentoss"]
LOGIN = "import sys, tokentoss; print(tokentoss.login(provider=sys.argv[1]).user_email)"


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Where the browser that the environment names writes which address it was opened with."""
    file, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$*" > {file}.new && mv {file}.new {file}\n')
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(browser))
    return file


@pytest.fixture
def run(provider, tmp_path, monkeypatch, opened):
    """Start a command in a terminal; what still runs at the end of the test is stopped."""
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(client_secrets(provider, tmp_path)))
    monkeypatch.setenv("NO_COLOR", "1")
    started = []

    def start(*arguments, command=COMMAND, stdout=None):
        started.append(TerminalProcess([*command, *arguments], dict(os.environ), stdout=stdout))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def sign_in(run, provider):
    return lambda *options: run("sign-in", "--provider", provider.issuer, *options)


def go_through(address, login=ADA):
    """What a browser does with the address that it was opened with, and its user at the provider."""
    first = requests.get(address, allow_redirects=False, timeout=PATIENCE)
    assert first.status_code == requests.codes.see_other
    return requests.get(follow_to_callback(first.headers["Location"], login), timeout=PATIENCE)


def link_on(process):
    return process.until(lambda: re.search(r"^(https?://\S+[?]\S+)\n", process.screen, re.MULTILINE))[1]


def leaks(text, provider):
    # The link shows the state of its request, which helps nobody without the verifier.
    return [name for name, value in provider.secrets().items() if value in text and "state" not in name]


def tokens_of_file():
    return [tokens.user_email for tokens in FileStorage().load_all()]


def test_with_a_browser(sign_in, opened, provider):
    process = sign_in()
    address = process.until(lambda: opened.exists() and opened.read_text())
    commands = address + Path(f"/proc/{process.pid}/cmdline").read_text()
    last = go_through(address)
    assert last.status_code == requests.codes.ok
    assert "<title>Signed in</title>" in last.text
    assert process.end() == 0
    assert f"\nSigned in as {ADA}: the tokens are in {FileStorage().path}" in process.screen
    assert leaks(process.screen, provider) == []
    assert [name for name, value in provider.secrets().items() if value in commands] == []
    assert tokens_of_file() == [ADA]
    token = subprocess.run([*COMMAND, "token"], capture_output=True, text=True, check=True)
    assert (token.stdout, token.stderr) == (FileStorage().load_all()[0].id_token + "\n", "")


def test_a_second_account_is_used_by_default_and_the_first_one_stays(sign_in, opened):
    for login in (ADA, GRACE):
        opened.unlink(missing_ok=True)
        process = sign_in()
        go_through(process.until(lambda: opened.exists() and opened.read_text()), login)
        assert process.end() == 0
    assert tokens_of_file() == [GRACE, ADA]
    subprocess.run([*COMMAND, "switch", ADA], check=True, capture_output=True)
    assert tokens_of_file() == [ADA, GRACE]
    assert subprocess.run([*COMMAND, "sign-out", "--all"], check=True, capture_output=True).stdout
    assert not FileStorage().exists()


def test_with_a_link(sign_in, opened, provider):
    process = sign_in("--no-browser")
    callback = follow_to_callback(link_on(process), ADA)
    process.until(lambda: "Address (not shown): " in process.screen)
    process.type(parse_qs(urlsplit(callback).query)["code"][0] + "\n")
    process.until(lambda: "That's only the code" in process.screen)
    process.until(lambda: process.screen.count("Address (not shown): ") == 2)
    process.type(callback + "\n")
    assert process.end() == 0
    assert f"\nSigned in as {ADA}" in process.screen
    assert leaks(process.screen, provider) == []
    assert not opened.exists()
    assert tokens_of_file() == [ADA]


def test_with_a_code(run, provider, tmp_path, monkeypatch):
    path = client_secrets(provider, tmp_path, client=provider.device)
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    process = run("sign-in", "--provider", provider.issuer, "--code")
    page, code = process.until(
        lambda: re.search(r"open (\S+) and enter this code: (\S+)\n", process.screen)
    ).groups()
    enter_code(page, code, ADA)
    assert process.end() == 0
    assert leaks(process.screen, provider) == []
    assert tokens_of_file() == [ADA]


@pytest.mark.parametrize("way", [[], ["--no-browser"], ["--code"]])
def test_ctrl_c_ends_it(run, provider, opened, tmp_path, monkeypatch, way):
    if way == ["--code"]:
        path = client_secrets(provider, tmp_path, client=provider.device)
        monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    process = run("sign-in", "--provider", provider.issuer, *way)
    marks = {"--no-browser": "Address (not shown): ", "--code": "It expires in"}
    mark = marks.get("".join(way))
    process.until(lambda: mark in process.screen if mark else opened.exists())
    process.type("\x03")
    assert process.end() == 130
    assert process.screen.endswith("\nCancelled.\n")
    assert "Traceback" not in process.screen
    assert not FileStorage().exists()


def test_without_a_terminal(run, provider, opened):
    command = [*COMMAND, "sign-in", "--provider", provider.issuer]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: This isn't a terminal, and a sign-in needs one.")
    assert not opened.exists()


def test_login_in_a_script_keeps_its_output(run, provider, opened, tmp_path):
    script = [sys.executable, "-c", LOGIN, provider.issuer]
    with (tmp_path / "out").open("w") as out:
        process = run(command=script, stdout=out)
        go_through(process.until(lambda: opened.exists() and opened.read_text()))
        assert process.end() == 0
    assert (tmp_path / "out").read_text() == f"{ADA}\n"
    assert "Opening your browser" in process.screen
    again = subprocess.run(script, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert (again.stdout, again.stderr) == (f"{ADA}\n", ""), "the stored account is enough"


def test_login_where_nobody_can(run, provider):
    script = [sys.executable, "-c", LOGIN, provider.issuer]
    done = subprocess.run(script, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith("tokentoss.exceptions.NoCredentialsError: You aren't signed in, and without")
    for step in ("`tokentoss sign-in`", "TOKENTOSS_BROKER", "service account"):
        assert step in said
