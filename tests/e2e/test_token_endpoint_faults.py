"""Each failure of the token endpoint gives one sentence and one request, and Retry works."""

from __future__ import annotations

import json

from e2e import cells, popup
from e2e.widget import Widget

ADA = "ada@example.com"


def answer(status: int, body: str, content_type: str = "application/json") -> dict[str, object]:
    """A fixed answer in place of the token endpoint's own."""
    return {"token_answer": {"status": status, "content_type": content_type, "body": body}}


# A dropped connection comes first: where the page's question whether it is answered is dropped, the kernel
# sends the code, and knows more of what went wrong. Later, Chromium itself would send a request again on a
# connection that had been used before, which no page can prevent.
FAULTS = (
    ("answer_incomplete", {"token_drop": True}),
    ("token_response_not_json", answer(200, "<h1>Maintenance</h1>", "text/html")),
    ("token_endpoint_failed", answer(502, "<h1>Bad gateway</h1>", "text/html")),
    ("token_response_invalid", answer(200, json.dumps({"token_type": "Bearer"}))),
    (
        "invalid_grant",
        answer(
            400, json.dumps({"error": "invalid_grant", "error_description": "<img src=x onerror=alert(1)>"})
        ),
    ),
    ("invalid_client", answer(401, json.dumps({"error": "invalid_client"}))),
    ("token_endpoint_unreachable", {"cors_origins": []}),
)


def test_each_fault_is_told_and_can_be_retried(open_notebook, provider):
    """Each fault gives one sentence in page and Python, and one request (C43, C44, C45)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()

    for code, switches in FAULTS:
        provider.reset()
        provider.change(**switches)
        popup.sign_in(widget.open_popup(), ADA)
        notebook.kernel.until(f"widget.error_code == {code!r} and widget.status.startswith('Error: ')")
        widget.wait_status(notebook.kernel.value("widget.error"))
        assert "onerror" not in widget.status.inner_html()
        assert len(provider.exchanges()) == 1, (code, provider.exchanges())

    provider.reset()
    popup.sign_in(widget.open_popup(), ADA)
    widget.wait_status(f"Signed in as {ADA}")
