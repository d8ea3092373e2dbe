"""Prints the table: every module with its result, those that do not apply with the reason, `N of 42` last."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from .modules import COMPREHENSIVE, FURTHER, MODULES, NOT_OFFERED
from .run import Result, run_module, running_driver


def main() -> int:
    """Run all modules; return 0 if all of them passed."""
    parser = argparse.ArgumentParser(prog="npm run conformance --", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object a line instead of the table")
    options = parser.parse_args()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "driver.log")
        log.touch()
        with running_driver(log) as drive:
            for module in (*MODULES, *FURTHER):
                started = time.monotonic()
                result = run_module(module, drive)
                results.append(result)
                show(result, time.monotonic() - started, as_json=options.json)
        if any(not result.passed for result in results):
            sys.stderr.write(log.read_text())
    for name, reason in NOT_OFFERED.items():
        not_applicable(f"oidcc-client-test-{name}", reason, as_json=options.json)
    passed = sum(result.passed for result in results[: len(MODULES)])
    print(f"{passed} of {len(MODULES)}")
    return 0 if all(result.passed for result in results) else 1


def show(result: Result, seconds: float, *, as_json: bool) -> None:
    """Print one row."""
    row = result.row()
    if as_json:
        print(json.dumps(row), flush=True)
        return
    print(
        f"{row['result']:14} {row['module']:98} {row['code'] or 'signed in':34} {seconds:.1f} s", flush=True
    )
    for complaint in result.complaints:
        print(f"{'':14} {complaint}", flush=True)


def not_applicable(name: str, reason: str, *, as_json: bool) -> None:
    """Print the row of a module that does not apply."""
    if as_json:
        row = {"module": name, "plan": COMPREHENSIVE, "result": "not applicable", "code": None}
        print(json.dumps({**row, "reason": reason}))
    else:
        print(f"{'not applicable':14} {name:98} {reason}")


if __name__ == "__main__":
    sys.exit(main())
