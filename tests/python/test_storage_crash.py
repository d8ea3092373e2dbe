from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tokentoss import FileStorage, TokenData

OLD = TokenData("old", "old", "old", "2030-01-01T00:00:00+00:00", ["openid"])
NEW = TokenData("new", "new", "new", "2030-01-01T00:00:00+00:00", ["openid"])

WRITER = """
import os, pathlib, signal, sys
from tokentoss import FileStorage, TokenData

def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)

def dies_after(function):
    def wrapper(*arguments, **named):
        function(*arguments, **named)
        die()
    return wrapper

def on_creation(instead):
    # Reading what is stored uses os.open as well.
    real = os.open
    def wrapper(path, flags, *arguments):
        return (instead if str(path).endswith(".tmp") else real)(path, flags, *arguments)
    return wrapper

class HalfWritten:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *failure): self.file.close()
    def write(self, data): self.file.write(data[:40]); self.file.flush(); die()

def half_written(descriptor, mode, real=os.fdopen):
    file = real(descriptor, mode)
    return HalfWritten(file) if mode == "wb" else file

storage = FileStorage(sys.argv[1])
tokens = TokenData("new", "new", "new", "2030-01-01T00:00:00+00:00", ["openid"])
{sabotage}
storage.save(tokens)
"""

STEPS = {
    "before the temporary file": "os.open = on_creation(die)",
    "once it exists": "os.open = on_creation(dies_after(os.open))",
    "with half of it written": "os.fdopen = half_written",
    "before it is on disk": "os.fsync = die",
    "once it is on disk": "os.fsync = dies_after(os.fsync)",
    "before it takes the name": "pathlib.Path.replace = die",
    "once it has the name": "pathlib.Path.replace = dies_after(pathlib.Path.replace)",
}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_old_or_new(tmp_path: Path, step: str) -> None:
    """A kill at any step leaves the old or the new tokens, and the next write works (C62)."""
    storage = FileStorage(tmp_path / "tokens.json")
    storage.save(OLD)
    package = Path(__file__).parent.parent.parent / "python"
    code = WRITER.replace("{sabotage}", STEPS[step])
    finished = subprocess.run(
        [sys.executable, "-c", code, str(storage.path)], env={"PYTHONPATH": str(package)}, check=False
    )
    assert finished.returncode == -9
    assert storage.load() == (NEW if step == "once it has the name" else OLD)
    storage.save(NEW)
    assert storage.load() == NEW


HOLDER = """
import sys, time
from tokentoss import FileStorage
storage = FileStorage(sys.argv[1])
tokens = storage.load()
with storage.renewing(tokens, 5), storage._exclusively():
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_killed_owner_of_the_locks_blocks_nobody(tmp_path: Path) -> None:
    """The locks of a killed process can be taken at once (C63)."""
    storage = FileStorage(tmp_path / "tokens.json")
    storage.save(OLD)
    package = Path(__file__).parent.parent.parent / "python"
    command = [sys.executable, "-c", HOLDER, str(storage.path)]
    with subprocess.Popen(command, env={"PYTHONPATH": str(package)}, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(TimeoutError), storage.renewing(OLD, 0):
            raise AssertionError("two owners")
        owner.kill()
    with storage.renewing(OLD, 5):
        storage.save(NEW)
    assert storage.load() == NEW
