"""The documents of the broker, their examples, and what makes an example run here."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from servers.certificates import CertificateAuthority

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "broker"
PACKAGING = ROOT / "packaging" / "broker"
SOURCES = ROOT / "crates" / "tokentoss-broker" / "src"
HUB_AWAY = "http://127.0.0.1:9/hub/api"
"""Where no hub answers."""

_SECRETS = re.compile(r"(?:key_ring|client_secrets|keys|service_token) = (.*)")


class Example(NamedTuple):
    """A block of a page; `name` says where it stands."""

    name: str
    text: str


def page(name: str) -> str:
    """The text of a page."""
    return (PAGES / name).read_text(encoding="utf-8")


def blocks(language: str) -> Iterator[Example]:
    """All blocks of a language."""
    for path in sorted(PAGES.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        yield from (Example(f"{path.name}-{number}", block) for number, block in enumerate(found, 1))


class Place:
    """A folder in which the configuration of an example runs, with every secret that it names.

    The folders of its state are there, unless systemd makes them when the service starts.
    """

    def __init__(self, folder: Path, text: str, *, is_of_systemd: bool = False) -> None:
        self.folder = folder
        (folder / "etc").mkdir()
        (folder / "credentials").mkdir(mode=0o700)
        if not is_of_systemd:
            (folder / "lib").mkdir()
            (folder / "run").mkdir(mode=0o700)
        (folder / "pod").mkdir()
        authority = CertificateAuthority(folder / "pod")
        (folder / "pod" / "ca.crt").write_bytes(authority.file.read_bytes())
        self._write(folder / "pod" / "token")
        self.environment = {"CREDENTIALS_DIRECTORY": str(folder / "credentials")}
        self.text = self._here(self._whole(text))
        self.configuration = folder / "broker.toml"
        self.configuration.write_text(self.text)
        for line in _SECRETS.findall(self.text):
            self._make(line)

    def make_folders_of_unit(self) -> None:
        """Make what systemd makes when it starts the service."""
        unit = (PACKAGING / "tokentoss-broker.service").read_text(encoding="utf-8")
        for kind, name in (("State", "lib"), ("Runtime", "run")):
            assert f"\n{kind}Directory=tokentoss\n" in unit
            (mode,) = re.findall(rf"^{kind}DirectoryMode=(\d+)$", unit, re.MULTILINE)
            (self.folder / name).mkdir(mode=int(mode, 8))

    def _whole(self, text: str) -> str:
        """Some examples are a part of a file."""
        if re.search(r"^database = ", text, re.MULTILINE):
            return text
        head = 'database = "sqlite:/var/lib/tokentoss/broker.sqlite"\nkey_ring = "/etc/tokentoss/keys.toml"\n'
        return f'{head}public_url = "https://broker.example.org"\n{text}'

    def _here(self, text: str) -> str:
        text = re.sub(r"^(admin_)?listen = .*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r'"(postgres://|sqlite:)[^"]*"', f'"sqlite:{self.folder}/lib/broker.sqlite"', text)
        text = re.sub(r'^api_url = "[^"]*"', f'api_url = "{HUB_AWAY}"', text, flags=re.MULTILINE)
        text = text.replace("/etc/tokentoss", f"{self.folder}/etc")
        text = text.replace("/var/lib/tokentoss", f"{self.folder}/lib")
        text = text.replace("/run/tokentoss", f"{self.folder}/run")
        text = text.replace("/var/run/secrets/kubernetes.io/serviceaccount", f"{self.folder}/pod")
        return f'listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\n{text}'

    def _make(self, line: str) -> None:
        """Make the secrets that stand in a line, but for the key ring, which `init` makes."""
        for path in re.findall(rf'"({re.escape(str(self.folder))}[^"]*)"', line):
            self._write(Path(path))
        for name in re.findall(r'credential = "([^"]*)"', line):
            self._write(self.folder / "credentials" / name)
        for name in re.findall(r'env = "([^"]*)"', line):
            self.environment[name] = secrets.token_urlsafe(32)

    def _write(self, path: Path) -> None:
        if path.name != "keys.toml":
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
