"""What other registries' tools say of this repository, and that it has one version everywhere."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import tokentoss
from hatch_build import FRONT_END

from packages.built import ROOT

CRATES = ["tokentoss-core", "tokentoss-custody", "tokentoss-broker"]
"""The crates that others may build upon; the rest is `publish = false`."""


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_npm_packs_the_modules_with_their_licences():
    (packed,) = json.loads(run("npm", "pack", "--dry-run", "--json", "--ignore-scripts").stdout)
    files = {file["path"] for file in packed["files"]}
    assert packed["version"] == tokentoss.__version__
    static = {f"python/tokentoss/static/{name}" for name in FRONT_END}
    texts = {"LICENSE", "README.md", "THIRD_PARTY_LICENSES.txt", "package.json"}
    sources = {name for name in files if name.startswith(("js/src/", "widget-esm/src/"))}
    assert sources
    assert files == static | texts | sources


def test_cargo_packages_the_crates(tmp_path):
    chosen = [part for name in CRATES for part in ("--package", name)]
    # Compiling them once more is left to the release; what they hold is seen without.
    options = ["--locked", "--no-verify", "--allow-dirty", "--target-dir", str(tmp_path)]
    done = run("cargo", "package", *options, *chosen)
    assert "warning" not in done.stderr, done.stderr
    made = {path.name for path in (tmp_path / "package").glob("*.crate")}
    assert made == {f"{name}-{tokentoss.__version__}.crate" for name in CRATES}


def test_the_crates_that_cargo_may_publish_are_these():
    metadata = json.loads(run("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1").stdout)
    assert {package["name"] for package in metadata["packages"] if package["publish"] is None} == set(CRATES)
    assert {package["version"] for package in metadata["packages"]} == {tokentoss.__version__}


@pytest.mark.parametrize(
    ("file", "pattern", "times"),
    [
        ("Cargo.toml", r'(?m)^tokentoss-\w+ = \{ path = "[^"]+", version = "(.*?)"', 4),
        ("package-lock.json", r'\A\{\s+"name": "tokentoss",\s+"version": "(.*?)"', 1),
        ("packaging/broker/Containerfile", r"tokentoss-broker:(\d\S+)", 1),
    ],
)
def test_one_version(file, pattern, times):
    """Each file names the package's version (see tests/python/test_package.py for the others)."""
    assert re.findall(pattern, (ROOT / file).read_text()) == [tokentoss.__version__] * times


def test_a_package_of_npm_is_refused_in_the_front_end(tmp_path):
    """The bundler refuses a package of npm in the front end."""
    package = tmp_path / "node_modules" / "@somebody" / "else"
    package.mkdir(parents=True)
    (package / "index.js").write_text("export const foreign = 1;")
    entry = tmp_path / "entry.js"
    entry.write_text('export { foreign } from "@somebody/else/index.js";')
    program = (
        "import { bundleShipped } from './scripts/bundle.mjs';"
        "const [entry, outfile] = process.argv.slice(1);"
        "const refused = (error) => console.log(error.message);"
        "await bundleShipped({ entryPoints: [entry], outfile }, {}).catch(refused);"
    )
    said = run("node", "--input-type=module", "--eval", program, str(entry), str(tmp_path / "out.js")).stdout
    assert said.startswith("@somebody/else would ship: ")
