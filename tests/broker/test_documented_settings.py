"""Every documented configuration works, and exactly the existing settings and commands are described."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import yaml
from servers.process import ServerProcess

from .documents import PACKAGING, ROOT, SOURCES, Example, Place, blocks, page
from .running import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="cargo build -p tokentoss-broker makes it")

RINGS = [example for example in blocks("toml") if example.text.startswith("primary")]
MANIFEST = list(yaml.safe_load_all((PACKAGING / "kubernetes.yaml").read_text(encoding="utf-8")))
CONFIGURATIONS = [
    *(example for example in blocks("toml") if example not in RINGS),
    *(
        Example("kubernetes.yaml", part["data"]["broker.toml"])
        for part in MANIFEST
        if part["kind"] == "ConfigMap"
    ),
]
OF_SYSTEMD = next(example for example in CONFIGURATIONS if example.name == "one_machine.md-1")
ELSEWHERE = [example for example in CONFIGURATIONS if example is not OF_SYSTEMD]
STRUCTS = (
    "config.rs",
    "connect/settings.rs",
    "through/mod.rs",
    "through/allow.rs",
    "callers/hubs.rs",
    "callers/clusters/mod.rs",
    "callers/clusters/rules.rs",
    "socket.rs",
)


def run(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), "--config", str(place.configuration), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **place.environment},
    )


def problems(checked: subprocess.CompletedProcess[str]) -> list[str]:
    assert "providers" in checked.stdout, checked
    return re.findall(r"^problem: (.*)$", checked.stdout, re.MULTILINE)


def named(examples: list[Example]) -> list[str]:
    return [example.name for example in examples]


def test_there_are_examples_of_every_kind() -> None:
    whole = [example.name for example in CONFIGURATIONS if "\ndatabase = " in f"\n{example.text}"]
    places = ("running.md", "one_machine.md", "jupyterhub.md", "postgres.md", "kubernetes.yaml")
    assert all(any(name.startswith(place) for name in whole) for place in places), whole
    assert len(RINGS) == 1


def serve(place: Place) -> ServerProcess:
    return ServerProcess(
        [str(PROGRAM), "--config", str(place.configuration), "serve"],
        log=place.folder / "broker.log",
        is_ready=lambda line: line.startswith("callers http://"),
        env={**os.environ, **place.environment},
    )


@pytest.mark.parametrize("example", ELSEWHERE, ids=named(ELSEWHERE))
def test_a_configuration_passes_the_check_and_serves(example: Example, tmp_path: Path) -> None:
    place = Place(tmp_path, example.text)
    assert run(place, "init").returncode == 0
    # Providers, hub and cluster are what no example can bring along.
    checked = run(place, "check", "--offline")
    assert problems(checked) == []
    assert checked.returncode == 0
    with serve(place) as broker:
        broker.wait_ready()


def test_the_steps_on_one_machine_in_their_order(tmp_path: Path) -> None:
    steps = page("one_machine.md").split("## Steps")[1].split("```")[1]
    starts = {"systemctl enable --now tokentoss-broker": "serve"}
    lines = [starts.get(line, line.removeprefix("tokentoss-broker ")) for line in steps.splitlines()]
    order = [line for line in lines if line in {"init", "check", "serve"}]
    assert sorted(order) == ["check", "init", "serve"]
    place = Place(tmp_path, OF_SYSTEMD.text, is_of_systemd=True)
    with ExitStack() as service:
        for step in order:
            if step == "serve":
                place.make_folders_of_unit()
                service.enter_context(serve(place)).wait_ready()
            else:
                # The provider is what no example can bring along.
                done = run(place, step, *(["--offline"] if step == "check" else []))
                assert done.returncode == 0, done.stdout
        assert "nothing stands in the way" in done.stdout


@pytest.mark.parametrize("example", RINGS, ids=named(RINGS))
def test_a_key_ring_opens(example: Example, tmp_path: Path) -> None:
    place = Place(tmp_path, "")
    ring = tmp_path / "etc" / "keys.toml"
    ring.touch(mode=0o600)
    ring.write_text(example.text)
    assert problems(run(place, "check")) == []
    ring.write_text(example.text.replace('primary = "second"', 'primary = "third"'))
    assert problems(run(place, "check")) == [
        "key_ring: the key ring has no key `third`, which it names as primary"
    ]


def settings() -> set[str]:
    """The members of everything that is read from the configuration."""
    found = set()
    for name in STRUCTS:
        text = (SOURCES / name).read_text(encoding="utf-8")
        for body in re.findall(
            r"#\[serde\(deny_unknown_fields[^\n]*\npub struct \w+ \{(.*?)^\}", text, re.DOTALL | re.MULTILINE
        ):
            found |= set(re.findall(r"^ {4}pub (\w+):", body, re.MULTILINE))
    return found


def test_the_reference_has_every_setting() -> None:
    example = next(example for example in CONFIGURATIONS if example.name == "running.md-1").text
    # Settings that exclude each other cannot all be set: the others stand there as comments.
    written = set(re.findall(r"^(?:# )?(\w+) = ", example, re.MULTILINE))
    tables = set(re.findall(r"\w+", " ".join(re.findall(r"^\[\[?(.*?)\]", example, re.MULTILINE))))
    assert len(settings()) > 40
    assert settings() - written - tables == set()


def test_the_reference_has_every_command() -> None:
    shown = subprocess.run([str(PROGRAM), "--help"], capture_output=True, text=True, check=True).stdout
    section = shown.split("Commands:")[1].split("Options:")[0]
    commands = set(re.findall(r"^ {2}(\w+) ", section, re.MULTILINE)) - {"help"}
    table = page("running.md").split("## Commands")[1]
    first_cells = " ".join(re.findall(r"^\| ([^|]*) \|", table, re.MULTILINE))
    assert {words.split()[0] for words in re.findall(r"`([^`]*)`", first_cells)} == commands


def test_whether_postgres_is_reached_by_tls_is_said_as_it_is() -> None:
    (features,) = re.findall(
        r"^sqlx = [^\]]*features = \[([^\]]*)\]",
        (ROOT / "Cargo.toml").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    speaks_tls = '"tls-' in features
    assert ("**This version speaks no TLS with Postgres.**" in page("postgres.md")) is not speaks_tls
    threats = " ".join(page("threat_model.md").split())
    assert ("connection to Postgres is not encrypted" in threats) is not speaks_tls
    assert ("To Postgres: TLS" in threats) is speaks_tls
    database = next(example for example in CONFIGURATIONS if example.name == "kubernetes.yaml").text
    assert ("sslmode=verify-full" in database) is speaks_tls


def test_codes_and_their_sentences_are_the_brokers() -> None:
    text = page("operations.md")
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("problem*/**/*.rs"))
    sources += (SOURCES / "problem.rs").read_text(encoding="utf-8")
    sentences = re.findall(r"^\| sentence \| (.*) \|$", text, re.MULTILINE)
    sentences += re.findall(r"\*(The [^*]*\.)\*", text)
    assert len(sentences) >= 6
    assert [sentence for sentence in sentences if f'"{sentence}"' not in sources] == []


def test_messages_that_are_named_exist() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.rs"))
    text = re.sub(r"^```.*?^```", "", page("operations.md"), flags=re.DOTALL | re.MULTILINE)
    quoted = re.findall(r"`([a-z][a-z,'; ]+)`", " ".join(text.split()))
    # Shorter ones are commands, codes and settings.
    messages = [words for words in quoted if len(words.split()) > 3]
    assert len(messages) >= 6
    assert [message for message in messages if message not in sources] == []


def test_what_check_looks_at_is_said_as_it_is() -> None:
    text = " ".join(page("administrators.md").split("## 5. Check")[1].split("## 6.")[0].split())
    (left_out,) = re.findall(r"It does not ([^.]*)\.", text)
    # The one thing that it has no code for.
    assert left_out == "sign in anywhere, so that a wrong client secret passes"
    looked_at = ("the journal's folder", "the key ring", "each provider", "each hub", "each cluster's keys")
    assert all(words in text for words in looked_at)


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not here")
def test_a_backup_is_its_owners_alone(tmp_path: Path) -> None:
    (command,) = (one.text for one in blocks("sh") if ".backup" in one.text)
    command = command.replace("/var/lib/tokentoss", str(tmp_path)).replace("/var/backups", str(tmp_path))
    subprocess.run(["sqlite3", str(tmp_path / "broker.sqlite"), "CREATE TABLE a (b)"], check=True)
    subprocess.run(["sh", "-ec", f"umask 022\n{command}"], check=True)
    assert stat.S_IMODE((tmp_path / "tokentoss.sqlite").stat().st_mode) == 0o600
