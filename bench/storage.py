"""Pairs of save and load on a token file per second, by one process and by eight at once."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .packages import ROOT, peer_python

RUNS = 5
CONTENDERS = 8
MEMBER = Path(__file__).with_name("storage_member.py")


def measure() -> dict[int, dict[str, float]]:
    """Median pairs per second, by number of processes and by package."""
    packages = {"tokentoss": Path(sys.executable), "tokentoss 0.1.1": peer_python()}
    found: dict[int, dict[str, float]] = {}
    for processes in (1, CONTENDERS):
        runs: dict[str, list[float]] = {package: [] for package in packages}
        for _ in range(RUNS):
            for package, python in packages.items():
                runs[package].append(_run(python, processes))
        found[processes] = {package: statistics.median(values) for package, values in runs.items()}
    return found


def _run(python: Path, processes: int) -> float:
    with tempfile.TemporaryDirectory(prefix="tokentoss-bench-") as name:
        environment = {"HOME": name, "PATH": "/usr/bin:/bin"}
        if python == Path(sys.executable):
            environment["PYTHONPATH"] = str(ROOT / "python")
        finished = subprocess.run(
            [python, MEMBER, Path(name) / "folder" / "tokens.json", str(processes)],
            cwd=name,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return float(finished.stdout)
