"""Checks in a forked process. It always ends here, and a child that hangs or raises says where."""

from __future__ import annotations

import faulthandler
import os
import tempfile
import traceback
from collections.abc import Callable

import pytest

SECONDS = 20

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def assert_in_child(check: Callable[[], bool]) -> None:
    """Fails if a check is false, raises or hangs in a forked process."""
    with tempfile.TemporaryFile("w+") as report:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                faulthandler.dump_traceback_later(SECONDS, exit=True, file=report)
                code = 0 if check() else 2
            except BaseException:  # noqa: BLE001 - the parent shows it
                traceback.print_exc(file=report)
                report.flush()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        report.seek(0)
        code = os.waitstatus_to_exitcode(status)
        assert code == 0, "the check is false" if code == 2 else f"exit status {code}: {report.read()}"
