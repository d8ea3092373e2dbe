"""Prints the rows that are measured from Python, one JSON object a line. Progress goes to standard error."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bench import calls, import_time, sign_in, stampede, storage  # noqa: E402

PEER = "tokentoss 0.1.1"


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)


def row(
    name: str,
    value: float,
    unit: str,
    hold: float | None,
    aim: float | None,
    peers: dict[str, float],
    digits: int = 1,
) -> None:
    """Print one row; smaller values are better in all that have a number to hold."""
    rounded = {peer: round(number, digits) for peer, number in peers.items()}
    print(
        json.dumps(
            {
                "name": name,
                "value": round(value, digits),
                "unit": unit,
                "hold": None if hold is None else round(hold, digits),
                "aim": None if aim is None else round(aim, digits),
                "peers": rounded,
                "ok": hold is None or value <= hold,
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

    kernel_side()

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


def kernel_side() -> None:
    """What a call, a renewal and the token file cost."""
    say("calls")
    figures = calls.measure()
    row(
        "IAPClient.get beside a bare requests.Session.get",
        figures.ratio,
        "times",
        1.10,
        1.03,
        {"IAPClient.get, µs": figures.ours, "requests.Session.get, µs": figures.bare},
        digits=3,
    )

    say("refresh stampede")
    herds = stampede.measure(say)
    for name, member in (
        ("token requests when 64 processes need a refresh", "token_requests"),
        ("sessions lost by 64 processes that need a refresh", "sessions_lost"),
    ):
        limit = 1 if member == "token_requests" else 0
        row(name, getattr(herds["tokentoss"], member), "", limit, limit, {PEER: getattr(herds[PEER], member)})

    say("file storage")
    for processes, rates in storage.measure().items():
        by = "one process" if processes == 1 else f"{processes} processes at once"
        row(
            f"save and load of the token file, {by}",
            rates["tokentoss"],
            "pairs/s",
            None,
            None,
            {PEER: rates[PEER]},
        )


if __name__ == "__main__":
    main()
