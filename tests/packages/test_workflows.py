"""The workflows are held to their rules by `npm run check`, and a broken one fails it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
import yaml

from packages.built import ROOT

FOLDER = ROOT / ".github"
BROKER = "crates/tokentoss-broker/src"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))


def check(folder):
    program = "import { checkWorkflows } from './scripts/workflows.mjs'; checkWorkflows(process.argv[1])"
    command = ["node", "--input-type=module", "--eval", program, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_workflows_pass():
    done = check(FOLDER)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("whole", "broken", "said"),
    [
        ("timeout-minutes: 30", "timeout-minutes: soon", "'soon' is not"),
        ("persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "unpinned-uses"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("run: npm run check", "run: echo '${{ github.head_ref }}'", "template-injection"),
        ("github.event_name", "github.evnt_name", "is not defined in object type"),
    ],
)
def test_a_broken_workflow_does_not(tmp_path, whole, broken, said):
    folder = tmp_path / ".github"
    shutil.copytree(FOLDER, folder)
    file = folder / "workflows" / "ci.yml"
    text = file.read_text()
    assert whole in text
    file.write_text(text.replace(whole, broken))
    done = check(folder)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_few_rights_and_an_end(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 120, name
        assert job["permissions"], name
    # A hash says nothing to a reader, and a version alone may be moved.
    assert [
        use
        for use in re.findall(r"uses: (.*)", path.read_text())
        if not re.search(r"@[0-9a-f]{40} # v\d", use)
    ] == []


def test_no_workflow_holds_a_secret():
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text(), path.name


def test_every_command_of_npm_is_one():
    scripts = json.loads((ROOT / "package.json").read_text())["scripts"]
    called = {name for path in WORKFLOWS for name in re.findall(r"npm run ([\w:]+)", path.read_text())}
    assert "test:seeds" in called
    assert called <= set(scripts)


def test_the_nightly_seeds_reach_the_tests_that_draw_them():
    script = (ROOT / "scripts" / "test_seeds.mjs").read_text()
    for source, variable, name in (
        ("crates/tokentoss-sim/tests/custody/properties.rs", "CUSTODY_SEEDS", "nothing_breaks_in_any_seed"),
        (
            "crates/tokentoss-broker/src/refresh/interleavings.rs",
            "TOKENTOSS_ORDERS",
            "refresh::interleavings",
        ),
    ):
        assert f"{variable}: count" in script
        assert name in script
        text = (ROOT / source).read_text()
        assert f'"{variable}"' in text
        assert f"fn {name}(" in text or source.endswith(f"src/{name.replace('::', '/')}.rs")
