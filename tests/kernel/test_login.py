"""``tokentoss.login()`` in a real kernel waits for people, but not for programs."""

from __future__ import annotations

import pytest

from kernel.cell_runner import CellRunner
from kernel.people import client_secrets, manager_at, sign_in

LOGIN = """
import tokentoss
try:
    said = tokentoss.login(provider={issuer!r}, timeout=0.2).user_email
except tokentoss.TokenTossError as failure:
    said = failure.code
"""


@pytest.fixture
def kernel(provider, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(client_secrets(provider, tmp_path)))
    with CellRunner() as kernel:
        yield kernel


def views(kernel):
    return [
        message
        for message in kernel.messages
        if message["msg_type"] == "display_data"
        and "application/vnd.jupyter.widget-view+json" in message["content"]["data"]
    ]


def test_the_widget_is_shown_to_people(kernel, provider):
    kernel.run(LOGIN.format(issuer=provider.issuer), "cell-1", answers=True)
    assert kernel.value("said") == "wait_timed_out"
    assert len(views(kernel)) == 1


def test_a_program_that_executes_the_notebook_waits_for_nobody(kernel, provider):
    kernel.run(LOGIN.format(issuer=provider.issuer), "cell-1")
    assert kernel.value("said") == "no_credentials_unattended"
    assert views(kernel) == []


def test_a_stored_account_is_enough_for_both(kernel, provider):
    manager = sign_in(manager_at(provider))
    for answers in (True, False):
        kernel.run(LOGIN.format(issuer=provider.issuer), "cell-1", answers=answers)
        assert kernel.value("said") == manager.user_email
    assert views(kernel) == []
