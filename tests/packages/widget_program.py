"""What a notebook does in a clean environment: show the widget, and take what its page sends.

Prints the widget's ticket, reads the page's envelope, prints who is signed in.
"""

from __future__ import annotations

import json
import sys

from tokentoss import AuthWidget, Provider

issuer, client_id = sys.argv[1:]
widget = AuthWidget(provider=Provider.discover(issuer), client_id=client_id)
shown, _ = widget._repr_mimebundle_()
assert "application/vnd.jupyter.widget-view+json" in shown, shown
assert len(widget._esm) > 100_000, "the front end is not the built one"
print(json.dumps(widget.ticket), flush=True)
state = {"sealed_tokens": sys.stdin.readline().strip()}
content = {"data": {"method": "update", "state": state, "buffer_paths": []}}
widget._handle_msg({"content": content, "buffers": []})
print(widget.wait(timeout=60).email)
