"""The page that the fake broker shows in a popup: one button is all that the user does at the provider."""

from __future__ import annotations

import html
import json
import secrets
from typing import TYPE_CHECKING, Any

from tokentoss.broker.fake.problems import ProblemError
from tokentoss.broker.fake.state import Grant

if TYPE_CHECKING:
    from tokentoss.broker.fake.state import Attempt, State

PATH = "/connect/"

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Fake broker</title>
<p>__SHOWN__</p>
<button id="go">Continue</button>
<p id="code"></p>
<script>
  const { id, origin } = __ATTEMPT__;
  const post = async (step) => (await fetch(location.pathname, { method: "POST", body: step })).json();
  const tell = (kind) => {
    if (window.opener && origin) window.opener.postMessage({ tokentoss: "broker", id, kind }, origin);
  };
  let here = false;
  addEventListener("message", async ({ data, origin: from, source }) => {
    if (source !== window.opener || from !== origin || here) return;
    if (data?.tokentoss !== "broker" || data.id !== id || data.kind !== "here") return;
    here = true;
    await post("confirm");
    tell("done");
    window.close();
  });
  document.getElementById("go").onclick = async () => {
    const { confirmation } = await post("return");
    tell("who");
    setTimeout(() => {
      if (!here) document.getElementById("code").textContent = confirmation;
    }, 1000);
  };
</script>
"""


def page(state: State, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
    """Return status, type and content of the answer to a request of the popup.

    Raises:
        ProblemError: ``authorization_unknown`` or ``method_not_allowed``.
    """
    with state.changed:
        attempt = state.attempts.get(path.removeprefix(PATH))
        if attempt is None:
            raise ProblemError("authorization_unknown")
        if method == "GET":
            return 200, "text/html; charset=utf-8", _shown(attempt).encode()
        if method != "POST":
            raise ProblemError("method_not_allowed")
        if body == b"return":
            come_back(state, attempt, "subject-1", "ada@example.com")
        elif attempt.status == "confirm":
            state.finish(attempt)
        answer = {"confirmation": attempt.confirmation}
        return 200, "application/json", json.dumps(answer).encode()


def come_back(
    state: State, attempt: Attempt, subject: str, email: str | None, scopes: list[str] | None = None
) -> None:
    """Let the user come back from the provider; the caller holds the condition."""
    granted = attempt.asked.get("scopes") or ["openid", "email"] if scopes is None else scopes
    attempt.waiting = Grant(attempt.owner, attempt.asked["provider"], subject, email, list(granted))
    attempt.confirmation = "".join(secrets.choice(_LETTERS) for _ in range(8))
    attempt.status = "confirm"
    state.changed.notify_all()


def _shown(attempt: Attempt) -> str:
    asked: dict[str, Any] = attempt.asked
    members = {"id": attempt.id, "origin": asked.get("page_origin")}
    shown = f"{asked.get('kernel', 'A kernel')} asks to connect {asked['provider']}."
    script = json.dumps(members).replace("<", "\\u003c")
    return _PAGE.replace("__SHOWN__", html.escape(shown)).replace("__ATTEMPT__", script)
