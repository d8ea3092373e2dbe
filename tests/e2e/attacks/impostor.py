"""Somebody else listens where the browser looks for the kernel's listener, and plays it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from servers.recording import RecordingServer, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

# Speaks like a start page, tells its server everything that it hears, and answers it always in the same way.
START = """<!doctype html><title>Sign in</title><p>Signing you in</p><script>
const answers = %s;
addEventListener('message', ({ data, source }) => {
  fetch('/heard', { method: 'POST', body: data });
  for (const answer of answers) source.postMessage(JSON.stringify(answer), '*');
});
setInterval(() => opener.postMessage('{"type":"ready"}', '*'), 50);
</script>"""

# Where the provider's answer arrives.
CALLBACK = """<!doctype html><title>Signed in</title><p>All done</p><script>
fetch('/heard', { method: 'POST', body: location.href + document.referrer });
addEventListener('message', ({ data }) => fetch('/heard', { method: 'POST', body: data }));
</script>"""


class Impostor(RecordingServer):
    """Its start page gives `answers` to the notebook page; everything it hears is in its requests."""

    def __init__(self) -> None:
        self.answers: Sequence[dict[str, Any]] = ()
        super().__init__(self._page)

    def starts(self) -> int:
        """How often its start page was opened."""
        return sum(request.path == "/tokentoss/start" for request in self.requests)

    def heard(self) -> list[str]:
        """What its pages were told."""
        return [request.body.decode() for request in self.requests if request.path == "/heard"]

    def _page(self, request: Request) -> Reply:
        html = START % json.dumps(list(self.answers)) if request.path == "/tokentoss/start" else CALLBACK
        return Reply(200, html.encode(), {"Content-Type": "text/html; charset=utf-8"})
