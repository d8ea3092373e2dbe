"""Prints the rows that are measured from Python, one JSON object a line. Progress goes to standard error."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bench import import_time, sign_in  # noqa: E402

PEER = "tokentoss 0.1.1"


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)


def row(name: str, value: float, unit: str, hold: float, aim: float, peers: dict[str, float]) -> None:
    """Print one row; smaller values are better in all of them."""
    rounded = {peer: round(number, 1) for peer, number in peers.items()}
    print(
        json.dumps(
            {
                "name": name,
                "value": round(value, 1),
                "unit": unit,
                "hold": round(hold, 1),
                "aim": round(aim, 1),
                "peers": rounded,
                "ok": value <= hold,
            }
        ),
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    say("import time")
    imports = import_time.measure()
    empty = imports["python -c pass"]
    row(
        "import tokentoss, wall",
        imports["tokentoss"],
        "ms",
        3 * empty,
        2 * empty,
        {name: value for name, value in imports.items() if name != "tokentoss"},
    )

    say("sign-ins in JupyterLab")
    figures = sign_in.measure(say)
    own, peer = figures["tokentoss"], figures[PEER]
    row(
        "kernel messages between click and popup",
        max(own.messages),
        "messages",
        0,
        0,
        {PEER: max(peer.messages)},
    )
    row(
        "callback landing to tokens usable in Python",
        own.tokens,
        "ms",
        peer.tokens / 5,
        peer.tokens / 10,
        {PEER: peer.tokens},
    )
    row("Shift+Enter to button ready", own.ready, "ms", 200, 120, {PEER: peer.ready})


if __name__ == "__main__":
    main()
