"""Wall time of `import tokentoss` as a whole process, beside an empty one and the 0.1.1 package."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from .packages import peer_python

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 15


def measure() -> dict[str, float]:
    """Median milliseconds of each process; the runs take turns, so a busy moment falls on all of them."""
    commands: dict[str, list[str | Path]] = {
        "tokentoss": [sys.executable, "-c", "import tokentoss"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "tokentoss 0.1.1": [peer_python(), "-c", "import tokentoss"],
    }
    # Each interpreter imports what is installed for it, whatever this shell's own path says.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(1 + RUNS):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, env=environment, check=True)
            if run > 0:  # the first run reads the files into the page cache
                times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}
