"""A server's process ends with everything it started, however it ends."""

from __future__ import annotations

import os
import sys

import pytest

from servers.process import ServerProcess

# The server has no time to end its child, as one that is killed; the child has a session of its own.
PARENT = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
print("ready", child.pid, flush=True)
signal.pause()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans a new parent")
def test_nothing_is_left_behind(tmp_path):
    server = ServerProcess(
        [sys.executable, "-c", PARENT],
        log=tmp_path / "server.log",
        is_ready=lambda line: line.startswith("ready"),
    )
    child = int(server.wait_ready().split()[1])
    os.kill(child, 0)
    server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
