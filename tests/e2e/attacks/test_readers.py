"""Whoever reads a saved notebook, an export or iopub learns nothing that can be used."""

from __future__ import annotations

import subprocess
import sys

import pytest
from page import Page

from e2e import cells, leaks, popup
from e2e.attacks.knowledge import candidates, sealed, tickets
from e2e.kernel import KernelClient
from e2e.notebook import CellError
from e2e.test_leaks import LOG_EVERYTHING, state_is_saved, traffic
from e2e.widget import Widget

__all__ = ["state_is_saved", "traffic"]

ADA = "ada@example.com"
HAND_OFF = "widget._attempt.hand_off"
INTRODUCTION_PROOFS = f"[one.proof for one in {HAND_OFF}.introductions._by_key.values()]"
REGISTRATION_PROOFS = f"[one.proof for one in {HAND_OFF}.registrations._by_state.values()]"
PAGE_TOKENS = f"[one.page_token for one in {HAND_OFF}.registrations._by_state.values()]"
PRIVATE_KEY = f"__import__('tokentoss').util.base64url.b64url({HAND_OFF}._key._private.private_bytes_raw())"


def value_unheard(notebook, expression):
    """Ask by a client of its own: what others recorded does not hold the answer."""
    kernel_id = notebook.lab.kernel_of(notebook.path.name)
    with KernelClient(notebook.lab, kernel_id) as client:
        return client.value(expression)


def export_to_html(notebook):
    """The saved notebook as a web page, widgets included."""
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(notebook.path)]
    subprocess.run(command, env=notebook.lab.env, check=True, capture_output=True)
    return notebook.path.with_suffix(".html")


class TestOfAPageThatNothingElseVouchesFor:
    """A page with a name that the Jupyter server does not know needs a proof."""

    @pytest.fixture
    def lab(self, named_lab):
        return named_lab

    @pytest.fixture
    def context(self, named_context):
        return named_context

    def test_nothing_that_was_read_is_a_proof(self, state_is_saved, open_notebook, lab, provider):
        provider.change(cors_origins=[lab.origin])
        notebook = open_notebook(
            LOG_EVERYTHING, cells.show_widget(provider, provider.confidential), "widget.get_state()"
        )
        notebook.run_cell(0)
        observer = notebook.kernel
        observer.value("1")
        notebook.run_cell(1)
        widget = Widget(notebook.page)
        widget.wait_ready()
        observer.until(f"len({INTRODUCTION_PROOFS})")
        window = widget.open_popup()
        popup.answer_login(window, ADA)
        notebook.run_cell(2)
        notebook.save()

        html = export_to_html(notebook)
        read = {
            "the notebook": notebook.path.read_bytes(),
            "the export": html.read_bytes(),
            "iopub": b"\n".join(observer.frames),
            "the log": lab.log.read_bytes(),
        }
        for place in ("the notebook", "the export", "iopub"):
            assert list(tickets([read[place]])), f"no ticket in {place}"
        (proof,) = value_unheard(notebook, INTRODUCTION_PROOFS)
        guesses = candidates(read.values()) | sealed(read.values())
        assert len(guesses) > 3
        for ticket in tickets(read.values()):
            assert "proof" not in ticket
        ticket = list(tickets([read["iopub"]]))[-1]
        page = Page(ticket)
        for guess in guesses:
            answer = page.register(says_yes=False, proof=guess, origin=lab.origin)
            assert "confirm" in answer.json(), guess
            answer = page.post("/tokentoss/deliver", page_token=guess, sealed=page.seal(b"{}"))
            assert answer.json() == {"code": "ticket_unknown"}, guess
        assert page.where().json() == {"url": None}

        popup.sign_in(window, ADA)
        widget.wait_status(f"Signed in as {ADA}")
        assert proof not in guesses

    def test_a_proof_would_be_taken(self, open_notebook, lab, provider):
        """A genuine proof registers the page without a confirmation, for its own origin only."""
        notebook = open_notebook(cells.show_widget(provider, provider.confidential))
        notebook.run_cell(0)
        Widget(notebook.page).wait_ready()
        notebook.kernel.until(f"len({INTRODUCTION_PROOFS})")
        (proof,) = notebook.kernel.value(INTRODUCTION_PROOFS)
        page = Page(notebook.kernel.value("widget.ticket"))
        assert "answer" in page.register(says_yes=False, proof=proof, origin=lab.origin).json()
        other = Page(page.ticket).register(says_yes=False, proof=proof, origin="http://localhost:1")
        assert "confirm" in other.json(), "the proof is that of a page of one origin"


KEEP = """
import pickle

def keep(name, thing):
    try:
        content = pickle.dumps(thing)
    except Exception as error:
        content = f"{error!r} {error}".encode()
    pathlib.Path(f"{name}.pickle").write_bytes(content)

def failure_of(call):
    try:
        call()
    except Exception as error:
        return error

"""


@pytest.mark.parametrize("opener", ["intact", "severed"])
def test_no_secret_of_the_hand_off_is_left(
    state_is_saved, traffic, open_notebook, provider, iap_api, tmp_path, opener
):
    """No proof, key, code or token is left in notebook, logs, tracebacks or pickles."""
    if opener == "severed":
        provider.change(coop="same-origin")
    client = f"IAPClient(base_url={iap_api.base_url!r}, provider={provider.issuer!r})"
    refused = f"IAPClient(base_url='http://127.0.0.1:9', provider={provider.issuer!r})"
    failing = (
        f"{client}.get_json('/nowhere')",
        f"{refused}.get_json('/api/data')",
        "widget.auth_manager.refresh_tokens()",
    )
    keep = (
        f"keep('response', {client}.get('/api/data'))",
        f"keep('not-found', failure_of(lambda: {client}.get_json('/nowhere')))",
        f"keep('unreachable', failure_of(lambda: {refused}.get_json('/api/data')))",
        "keep('not-renewed', failure_of(widget.auth_manager.refresh_tokens))",
        "keep('last-error', widget.auth_manager.last_error)",
    )
    storage = f"FileStorage({str(tmp_path / 'tokens.json')!r})"
    notebook = open_notebook(
        f"{LOG_EVERYTHING}\n%xmode Verbose",
        cells.show_widget(provider, provider.confidential, storage=storage),
        "widget.get_state()",
        KEEP + "\n".join(keep),
        *failing,
    )
    notebook.run_cell(0)
    observer = notebook.kernel
    notebook.run_cell(1)
    widget = Widget(notebook.page)
    widget.wait_ready()
    observer.until(f"len({INTRODUCTION_PROOFS})")
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    notebook.run_cell(2)
    notebook.save()
    before = notebook.path.read_bytes()
    hand_off = {
        "proof of the page": value_unheard(notebook, INTRODUCTION_PROOFS)[0],
        "proof of the attempt": value_unheard(notebook, REGISTRATION_PROOFS)[0],
        "token of the page": value_unheard(notebook, PAGE_TOKENS)[0],
        "key of the ticket": value_unheard(notebook, PRIVATE_KEY),
    }
    popup.sign_in(window, ADA)
    widget.wait_status(f"Signed in as {ADA}")
    observer.until("widget.is_authenticated")
    notebook.run_cell(2)
    provider.change(token_answer={"status": 500, "content_type": "text/plain", "body": "no"})
    notebook.run_cell(3)
    for index in range(4, 4 + len(failing)):
        with pytest.raises(CellError):
            notebook.run_cell(index)
    provider.change(token_answer=None)
    notebook.save()

    found = leaks.secrets(provider, traffic) | hand_off
    places = leaks.places(notebook, observer, traffic) | {"the notebook during the sign-in": before}
    assert {
        f"file notebooks/{name}.pickle" for name in ("response", "not-found", "unreachable")
    } <= places.keys()
    assert notebook.path.read_text().count("Traceback") >= len(failing)
    assert leaks.find(found, places) == []
