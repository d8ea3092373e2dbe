"""Measures oidc-agent: how many tokens with life enough processes get from one agent through its library."""

from __future__ import annotations

import argparse
import ctypes
import json
import multiprocessing
import os
import re
import signal
import subprocess
import tempfile
import time

PROCESSES = 3
ACCOUNT = "bench"
LIBRARY = "liboidc-agent.so.4"
SHOWN = re.compile(r"^(OIDC_SOCK|OIDCD_PID)=(.*?);", re.MULTILINE)
LEAST_LIFE = 240
"""Seconds that a token must live, as for the broker."""


def start_agent(issuer: str) -> int:
    """Start an agent with one account, into this process's environment; its process."""
    shown = subprocess.run(["oidc-agent"], capture_output=True, text=True, check=True).stdout
    os.environ.update(SHOWN.findall(shown))
    client = [
        f"--iss={issuer}",
        "--client-id=bench",
        "--client-secret=bench",
        "--scope=openid offline_access",
    ]
    sign_in = ["--flow=refresh", "--rt-env=BENCH_REFRESH_TOKEN", "--redirect-uri=http://localhost:4242"]
    quiet = ["--manual", "--no-save", "--confirm-default", "--prompt=none"]
    subprocess.run(
        ["oidc-gen", ACCOUNT, *client, *sign_in, *quiet],
        env={**os.environ, "BENCH_REFRESH_TOKEN": f"refresh-agent.{os.getpid()}-0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return int(os.environ["OIDCD_PID"])


def read_until(end: float) -> int:
    """Read the token again and again; how often."""
    library = ctypes.CDLL(LIBRARY)
    library.getAccessToken.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_char_p]
    library.getAccessToken.restype = ctypes.c_char_p
    count = 0
    while time.time() < end:
        if library.getAccessToken(ACCOUNT.encode(), LEAST_LIFE, None) is None:
            raise RuntimeError("oidc-agent gave no token")
        count += 1
    return count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tokentoss-bench-") as folder:
        os.environ.update(HOME=folder, OIDC_CONFIG_DIR=folder)
        agent = start_agent(chosen.issuer)
        try:
            with multiprocessing.Pool(PROCESSES) as pool:
                counts = pool.map(read_until, [time.time() + chosen.seconds] * PROCESSES)
        finally:
            os.kill(agent, signal.SIGTERM)
    print(json.dumps({"rate": sum(counts) / chosen.seconds}))


if __name__ == "__main__":
    main()
