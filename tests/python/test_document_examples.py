"""Examples in the documents run as they are written, against a provider in place of Google."""

from __future__ import annotations

import ast
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tokentoss
from command_steps import Store
from fake_provider import CLIENT_ID, Answer, FakeProvider
from tokentoss import AuthWidget, ClientConfig, GoogleAuthWidget
from tokentoss.cli.parser import parser
from tokentoss.clients import wanted_provider
from tokentoss.config import client_config

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SERVICE = "https://my-iap-service.run.app"
RUN = ("index", "quickstart", "ssh_and_remote", "clients", "faq", "distribution", "migration")
PACKAGE = "# acme_notebooks/__init__.py"


def text_of(page: str) -> str:
    return (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


@pytest.fixture
def google(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """A provider that is taken for Google."""
    provider = fake.provider()
    monkeypatch.setattr(wanted_provider, "GOOGLE", provider)
    monkeypatch.setattr(client_config, "GOOGLE", provider)
    monkeypatch.setattr(
        ClientConfig, "is_google", property(lambda self: self.token_uri == provider.token_endpoint)
    )
    monkeypatch.setattr(GoogleAuthWidget, "fixed_provider", provider)
    return fake


@pytest.fixture
def client_file(google: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A downloaded client in the working folder."""
    section = {
        "client_id": CLIENT_ID,
        "client_secret": "GOCSPX-very-secret",
        "auth_uri": google.issuer + "/auth",
        "token_uri": google.issuer + "/token",
    }
    path = tmp_path / "client_secrets.json"
    path.write_text(json.dumps({"installed": section}))
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def package(client_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Writes the package of an organisation, with its client."""
    folder = client_file.parent / "acme_notebooks"

    def write(source: str) -> None:
        folder.mkdir()
        (folder / "__init__.py").write_text(source)
        (folder / "client_secrets.json").write_bytes(client_file.read_bytes())

    monkeypatch.syspath_prepend(folder.parent)
    yield write
    sys.modules.pop("acme_notebooks", None)


@pytest.mark.parametrize("page", RUN)
def test_the_examples_run(
    page: str,
    client_file: Path,
    package: Callable[[str], None],
    store: Store,
    service: FakeProvider,
    free_port: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service.answers["/api/data"] = Answer.json({"rows": 3})
    service.answers["/api/secret"] = Answer(403)
    tokentoss.configure_from_file(client_file)
    shown: list[AuthWidget] = []
    names: dict[str, Any] = {"display": shown.append}
    try:
        for block in blocks(text_of(page), "python"):
            own = block.replace(SERVICE, service.issuer).replace("8765", str(free_port))
            # As after the click; a sign-out ends it.
            store()
            if own.startswith(PACKAGE):
                package(own)
            elif "BOX" not in own:  # which tests of its own have
                exec(compile(own, page, "exec"), names)
    finally:
        tokentoss.disable_debug()
        for widget in [*shown, *(one for one in names.values() if isinstance(one, AuthWidget))]:
            widget.close()
    said = capsys.readouterr()
    assert said.err == ""
    assert ("service_forbidden 403\n" in said.out) == (page == "clients")
    called = {"index", "quickstart", "clients", "distribution"}
    assert bool(service.calls("/api/data")) == (page in called)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_python_is_python(document: Path) -> None:
    for block in blocks(document.read_text(encoding="utf-8"), "python"):
        compile(block, str(document), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_exist(document: Path) -> None:
    """Every tokentoss command in shell examples is accepted by the parser."""
    for block in blocks(document.read_text(encoding="utf-8"), "sh"):
        for line in block.splitlines():
            found = re.search(r"(?:^|\$\()(?:python -m )?tokentoss ([^)#>|&]*)", line)
            if found:
                assert parser().parse_args(shlex.split(found[1])) is not None, line


def test_variables_exist() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "python").rglob("*.py"))
    known = set(re.findall(r"TOKENTOSS_[A-Z_]+", sources))
    for page in (*RUN, "hub_admin", "google_setup", "security", "troubleshooting"):
        assert set(re.findall(r"TOKENTOSS_[A-Z_]+", text_of(page))) <= known, page
