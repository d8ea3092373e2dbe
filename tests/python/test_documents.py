"""`npm run docs`: the site is whole, needs no network, and has every error code and public name."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import tokentoss
import yaml
from filelock import FileLock
from test_document_examples import blocks, text_of
from tokentoss import error_codes
from tokentoss.callback.redirect_uris import REDIRECT_URI_VARIABLE
from tokentoss.cli.parser import parser
from tokentoss.config.client_config import CLIENT_SECRETS_VARIABLE
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
# Sphinx's command, which fails if it asks another machine for anything.
BUILD = """
import socket, sys

def refuse(*arguments):
    raise AssertionError(f"the build asks a network: {arguments}")

socket.socket.connect = socket.getaddrinfo = refuse
from sphinx.cmd.build import main

sys.exit(main(sys.argv[1:]))
"""
LOADED = re.compile(r'<(?:script|link|img|iframe|source|object)\b[^>]*?\s(?:src|href|data)="([^"]*)"')


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """The site, which one process builds for all."""
    folder = tmp_path_factory.getbasetemp().parent / f"site-{testrun_uid}"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            options = ["--fail-on-warning", "--keep-going", "--quiet", "--builder", "html"]
            pages = ["--doctree-dir", f"{folder}-doctrees", str(ROOT / "docs"), str(folder)]
            command = [sys.executable, "-c", BUILD, *options, *pages]
            built = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (built.returncode, built.stderr) == (0, "")
    return folder


def pages(site: Path) -> dict[str, str]:
    """The text of each page by its path."""
    return {
        path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")
    }


def names_in(page: str) -> set[str]:
    return {html.unescape(name) for name in re.findall(r'\bid="([^"]+)"', page)}


def test_every_error_code_has_an_anchor(site: Path) -> None:
    page = pages(site)["troubleshooting.html"]
    assert set(error_codes.table()) <= names_in(page)
    assert "{subject}" not in page


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    names = {f"tokentoss.{name}" for name in tokentoss.__all__} - {"tokentoss.__version__"}
    assert names <= names_in(pages(site)["api.html"])


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for text in pages(site).values():
        assert [address for address in LOADED.findall(text) if urlsplit(address).netloc] == []
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        loaded = re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')]+)", text)
        assert [address for address in loaded if urlsplit(address).netloc] == [], sheet.name


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    """Every link within the built site leads to an existing page and anchor."""
    all_pages = pages(site)
    names = {path: names_in(text) for path, text in all_pages.items()}
    for path, text in all_pages.items():
        for address in map(html.unescape, re.findall(r'<a\b[^>]*?\shref="([^"]*)"', text)):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or path in {"search.html", "genindex.html"}:
                continue
            target = (site / path).parent / unquote(parts.path) if parts.path else site / path
            assert target.exists(), f"{path}: {address}"
            wanted = unquote(parts.fragment)
            if wanted and target.suffix == ".html":
                there = target.resolve().relative_to(site.resolve()).as_posix()
                assert wanted in names[there], f"{path}: {address}"


def test_codes_in_the_text_lead_to_their_sentences(site: Path) -> None:
    assert 'href="troubleshooting.html#popup_blocked"' in pages(site)["quickstart.html"]
    assert 'href="../troubleshooting.html#not_connected"' in pages(site)["broker/python.html"]


@pytest.mark.parametrize("page", ["hub_admin", "callback", "broker/jupyterhub"])
@pytest.mark.parametrize("assigned", [False, True])
def test_no_line_takes_from_an_administrator_what_is_there(page: str, assigned: bool, tmp_path: Path) -> None:
    """Documented lines extend assigned or default settings of a hub."""
    lines = [block for block in blocks(text_of(page), "python") if "c.Spawner.environment" in block]
    assert lines
    for block in lines:
        c = Config()
        if assigned:
            c.Spawner.environment = {"LANG": "C"}
            c.JupyterHub.services = [{"name": "cull"}]
            c.JupyterHub.load_roles = [{"name": "auditor"}]
        token = tmp_path / "hub.token"
        token.write_text("token-1")
        exec(block.replace("/etc/tokentoss/hub.token", str(token)), {"c": c})

        def value(setting: Any, default: Any) -> Any:
            return setting if assigned else setting.get_value(default)

        assert value(c.Spawner.environment, {"LANG": "C"}).items() > {"LANG": "C"}.items()
        assert value(c.JupyterHub.services, [{"name": "cull"}])[0] == {"name": "cull"}
        assert value(c.JupyterHub.load_roles, [{"name": "auditor"}])[0] == {"name": "auditor"}


def test_the_hubs_configuration() -> None:
    """The documented hub configuration keeps what is set, and its command exists."""
    text = text_of("hub_admin")
    (site,) = [block for block in blocks(text, "python") if "JupyterHub" in block]
    c = Config()
    exec(compile(site, "hub_admin", "exec"), {"c": c})
    services = c.JupyterHub.services.get_value([{"name": "cull"}])
    environment = c.Spawner.environment.get_value({"LANG": "C"})
    assert [one["name"] for one in services] == ["cull", "tokentoss"]
    assert services[1]["command"][:3] == ["python", "-m", "tokentoss"]
    arguments = parser().parse_args(services[1]["command"][3:])
    assert f":{arguments.port}" in services[1]["url"]
    (values,) = blocks(text, "yaml")
    single_user = yaml.safe_load(values)["singleuser"]
    assert set(environment) - {"LANG"} == set(single_user["extraEnv"])
    assert set(single_user["extraEnv"]) == {CLIENT_SECRETS_VARIABLE, REDIRECT_URI_VARIABLE}
    (mount,) = single_user["storage"]["extraVolumeMounts"]
    assert single_user["extraEnv"][CLIENT_SECRETS_VARIABLE].startswith(mount["mountPath"])
