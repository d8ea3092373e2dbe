"""A notebook shows errors that users can correct as one line; logs and scripts get the traceback."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from kernel.cell_runner import CellRunner

ANSI = re.compile(r"\x1b\[[0-9;]*m")
CALL = """
from tokentoss import IAPClient, GoogleAuthWidget
def fetch():
    return IAPClient(base_url="http://127.0.0.1:9").get_json("/api/data")
fetch()
"""


@pytest.fixture
def kernel():
    with CellRunner() as kernel:
        yield kernel


def traceback_of(kernel, code):
    """The lines that a notebook shows of the error that a cell raises."""
    with pytest.raises(AssertionError):
        kernel.run(code, "cell-1", answers=True)
    error = next(one for one in reversed(kernel.messages) if one["msg_type"] == "error")["content"]
    return [ANSI.sub("", line) for line in "\n".join(error["traceback"]).split("\n")]


def test_a_call_before_the_sign_in(kernel):
    (line,) = traceback_of(kernel, CALL)
    assert line.startswith("NoCredentialsError: You aren't signed in.")
    assert kernel.value("len(__import__('traceback').extract_tb(__import__('sys').last_traceback)) > 3")


def test_no_client(kernel):
    code = "from tokentoss import AuthManager\nAuthManager()"
    (line,) = traceback_of(kernel, code)
    assert line.startswith("ClientSecretsNotFoundError: ")


@pytest.mark.parametrize(
    "raised",
    [
        "tokentoss.NoCredentialsError(code='session_expired')",
        "tokentoss.NoCredentialsError(code='signed_out_elsewhere')",
        "tokentoss.ReauthRequiredError()",
        "tokentoss.SignInError(code='access_denied')",
    ],
)
def test_sign_in_errors_are_one_line(kernel, raised):
    assert len(traceback_of(kernel, f"import tokentoss\nraise {raised}")) == 1


def test_an_error_that_the_code_is_to_blame_for(kernel):
    lines = traceback_of(kernel, "from tokentoss import IAPClient\nIAPClient(base_url='http://a.example')")
    assert len(lines) > 5
    assert "----> 2" in "\n".join(lines)


def test_who_asks_for_all_of_it_gets_it(kernel):
    kernel.run("%xmode Verbose", "cell-0")
    assert "fetch()" in "\n".join(traceback_of(kernel, CALL))


def test_the_log_has_all_of_it(kernel):
    kernel.run(
        "import logging, io\nlog = io.StringIO()\nlogging.basicConfig(stream=log, force=True)\n"
        f"try:\n    exec({CALL!r})\nexcept Exception:\n    logging.exception('failed')",
        "cell-1",
    )
    assert kernel.value("'Traceback' in log.getvalue() and 'in fetch' in log.getvalue()")


def test_a_script_and_ipython_in_a_terminal(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(CALL)
    for program in ([], ["-m", "IPython"]):
        done = subprocess.run(
            [sys.executable, *program, str(script)], capture_output=True, text=True, check=False
        )
        assert "in fetch" in ANSI.sub("", done.stderr + done.stdout), program


def test_the_form_in_place_of_a_traceback(kernel):
    """An interactive notebook shows the form, and an executed one gets the error."""
    kernel.run(
        "from tokentoss import GoogleAuthWidget\nwidget = GoogleAuthWidget()\nwidget", "cell-1", answers=True
    )
    bundle = next(one for one in kernel.messages if one["msg_type"] == "execute_result")["content"]["data"]
    opened = {
        one["content"]["comm_id"]: one["content"]["data"]["state"]["_model_name"]
        for one in kernel.messages
        if one["msg_type"] == "comm_open"
    }
    assert opened[bundle["application/vnd.jupyter.widget-view+json"]["model_id"]] == "VBoxModel"
    kernel.run("from tokentoss import GoogleAuthWidget", "cell-2")
    with pytest.raises(AssertionError, match="ClientSecretsNotFoundError"):
        kernel.run("GoogleAuthWidget()", "cell-2")


def test_cells_that_are_run_again_leave_no_form_behind(kernel):
    code = "from tokentoss import GoogleAuthWidget\nGoogleAuthWidget()"
    for _ in range(4):
        kernel.run(code, "cell-1", answers=True)
    kernel.run("import gc; gc.collect()", "cell-2", answers=True)
    assert kernel.count("comm_open") - kernel.count("comm_close") == kernel.count("comm_open") / 4
