"""What is in the archives, and that the same sources make the same bytes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import bundled_crates
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hatch_build import BILL
from license_expression import get_spdx_licensing
from third_party_licences import taken, texts

from packages.built import ROOT

SOURCES = ["js", "widget-esm", "crates", "scripts", ".cargo"]


@pytest.fixture(scope="module")
def crates():
    return bundled_crates.bundled_crates()


@pytest.fixture(scope="module")
def others(crates):
    """The crates that are not of this repository."""
    return [crate for crate in crates if crate.checksum is not None]


def run(*command, cwd, **variables):
    env = os.environ | variables
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_folder_makes_the_same_bytes(built, tmp_path):
    """Builds with another folder, file times, modes and time zone give the same bytes."""
    elsewhere = built.unpack(tmp_path / "elsewhere")
    for path in elsewhere.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    build = [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", "out"]
    run(*build, cwd=elsewhere, TZ="Asia/Kolkata", LC_ALL="C")
    for archive in (built.wheel, built.source):
        assert (elsewhere / "out" / archive.name).read_bytes() == archive.read_bytes(), archive.name


def test_the_source_archive_holds_the_sources_of_the_front_end(built, tmp_path):
    unpacked = built.unpack(tmp_path / "unpacked")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *SOURCES, cwd=ROOT)
    files = [name for name in listed.splitlines() if (ROOT / name).is_file()]
    assert [name for name in files if not (unpacked / name).is_file()] == []
    assert len(files) > 300
    workspace = run("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1", cwd=unpacked)
    names = {package["name"] for package in json.loads(workspace)["packages"]}
    assert set(bundled_crates.MODULES) <= names
    assert json.loads((unpacked / "package.json").read_text())["scripts"]["build"]
    assert (unpacked / "package-lock.json").is_file()


def test_the_metadata_is_complete(built):
    metadata = built.metadata()
    assert metadata.get_all("License-File") == ["LICENSE", "THIRD_PARTY_LICENSES.txt"]
    addresses = dict(entry.split(", ") for entry in metadata.get_all("Project-URL"))
    assert set(addresses) == {"Homepage", "Documentation", "Repository", "Issues", "Changelog"}
    assert all(address.startswith("https://") for address in addresses.values())
    for name in ("Summary", "Author", "Keywords", "Requires-Python", "Description-Content-Type"):
        assert metadata[name], name
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(metadata.get_all("Classifier")))
    assert promised == ["3.10", "3.11", "3.12", "3.13"]


def test_the_description_leads_nowhere_but_to_addresses(built):
    """The package description links only to https addresses and anchors."""
    metadata = built.metadata()
    targets = re.findall(r"\]\(([^)\s]+)\)", metadata.get_payload())
    addresses = dict(entry.split(", ") for entry in metadata.get_all("Project-URL"))
    own = [target for target in targets if target.startswith(addresses["Repository"])]
    assert f"{addresses['Repository']}/blob/main/docs/quickstart.md" in own
    assert f"{addresses['Repository']}/raw/main/docs/pictures/sign_in.webp" in own
    assert all((ROOT / target.split("/main/")[1].partition("#")[0]).exists() for target in own)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


def test_the_licence_names_those_of_all_bundled_code(built, others):
    parsed = get_spdx_licensing().parse(built.metadata()["License-Expression"], validate=True, strict=True)
    named = {str(symbol) for symbol in parsed.symbols}
    assert named == {"MIT"} | {name for crate in others for name in taken(crate)}


def test_the_wheel_has_the_licence_text_of_each_bundled_crate(built, others):
    shipped = built.of_wheel(".dist-info/licenses/THIRD_PARTY_LICENSES.txt").decode()
    sections = [section.strip("\n").partition("\n\n") for section in shipped.split("=" * 100)]
    owners = {text.strip("\n"): heading.splitlines() for heading, _, text in sections}
    assert len(others) > 50
    for crate in others:
        for text in texts(crate):
            assert f"{crate.name} {crate.version} ({crate.licence})" in owners[text.strip("\n")]
    for name in ("MIT", "Apache-2.0", "Unicode-3.0"):
        assert f"Rust's standard library {bundled_crates.rust_version()} ({name})" in shipped


def test_a_crate_whose_licence_text_is_missing_is_refused(others, tmp_path):
    (subtle,) = [crate for crate in others if crate.name == "subtle"]
    bare = bundled_crates.Crate("bare", "1.0.0", "BSD-3-Clause", tmp_path, "0" * 64, ())
    with pytest.raises(SystemExit, match=r"bare 1\.0\.0 comes without its licence's text"):
        texts(bare)
    shutil.copy(subtle.folder / "LICENSE", tmp_path / "LICENSE")
    assert len(texts(bare)) == 1
    (tmp_path / "LICENSE").write_text("All rights reserved")
    with pytest.raises(SystemExit, match="none of its files holds that text"):
        texts(bare)


def test_the_file_of_licences_is_up_to_date():
    run(sys.executable, "scripts/third_party_licences.py", cwd=ROOT)


def test_the_bill_of_materials(built, crates):
    text = built.bill.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(text) is None
    assert built.of_wheel(f".dist-info/sboms/{BILL.rpartition('/')[2]}").decode() == text
    bill = json.loads(text)
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/tokentoss@" + built.metadata()["Version"]
    addresses = {component["purl"] for component in bill["components"]}
    assert {f"pkg:cargo/{crate.name}@{crate.version}" for crate in crates} <= addresses
    assert f"pkg:generic/rust-std@{bundled_crates.rust_version()}" in addresses
    required = {re.match(r"[\w-]+", need)[0].lower() for need in built.metadata().get_all("Requires-Dist")}
    assert {purl.removeprefix("pkg:pypi/") for purl in addresses if ":pypi/" in purl} == required
    # Each dependency is on something that is listed.
    graph = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    known = addresses | {bill["metadata"]["component"]["bom-ref"]}
    assert {need for needs in graph.values() for need in needs} <= known


def test_a_changed_bill_is_not_valid(built):
    bill = json.loads(built.bill.read_text())
    bill["components"][0]["licences"] = "a misspelt member"
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(bill)) is not None
