"""Logging of this package, switched on by hand, with a net under every message."""

from __future__ import annotations

import logging
import re
import sys

_HANDLER_NAME = "tokentoss"
_logger = logging.getLogger("tokentoss")

# No part may run on and then fail, which would cost the square of a text's length.
_SECRETS = re.compile(
    r"""
      eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}          # JSON Web Tokens
    | \b(?:ya29\.|1//|4/0|GOCSPX-)[A-Za-z0-9._/-]+           # Google's tokens, codes and client secrets
    | (?<=Bearer\ )\S+
    | (?<=[?&\s"']code=)[^&\s"']+ | (?<=[?&\s"']state=)[^&\s"']+
    | (?<=_token=)[^&\s"']+ | (?<=_secret=)[^&\s"']+ | (?<=_verifier=)[^&\s"']+
    """,
    re.VERBOSE,
)


# What pages say in messages that ``comm`` and ipykernel print at level DEBUG, as Python writes dictionaries.
_SAID = re.compile(r"""(['"](?:address|link|proof|sealed\w*)['"]:\s*)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")

_COMM_LOGGERS = ("Comm", "ipykernel.comm")


class RedactingFilter(logging.Filter):
    """Takes what looks like a secret out of a record, arguments and traceback included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record and let it pass."""
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class CommFilter(logging.Filter):
    """Takes what a page tells a widget out of the records of those who pass it on."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record and let it pass."""
        message = record.getMessage()
        shown = redact(_SAID.sub(r"\1'[redacted]'", message))
        if shown != message:
            record.msg, record.args = shown, None
        return True


_comm_filter = CommFilter()


def quiet_comms() -> None:
    """Keep what pages say out of the logs of those who pass it on, at whatever level they print."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel_log = getattr(getattr(shell, "kernel", None), "log", None)
    for logger in (*map(logging.getLogger, _COMM_LOGGERS), kernel_log):
        # One filter object, so adding it again changes nothing.
        if isinstance(logger, logging.Logger):
            logger.addFilter(_comm_filter)


def redact(text: str) -> str:
    """Return ``text`` with everything that looks like a secret replaced."""
    return _SECRETS.sub("[redacted]", text)


def enable_debug(level: int = logging.DEBUG) -> None:
    """Print what this package does, to standard output, which notebooks show without alarm.

    Calling it again changes the level.
    """
    _logger.setLevel(level)
    for handler in _logger.handlers:
        if handler.name == _HANDLER_NAME:
            handler.setLevel(level)
            return
    stream = logging.StreamHandler(sys.stdout)
    stream.name = _HANDLER_NAME
    stream.setLevel(level)
    stream.setFormatter(logging.Formatter("[%(name)s %(levelname)s] %(message)s"))
    stream.addFilter(RedactingFilter())
    _logger.addHandler(stream)


def disable_debug() -> None:
    """Stop printing what this package does."""
    _logger.setLevel(logging.WARNING)
    for handler in list(_logger.handlers):
        if handler.name == _HANDLER_NAME:
            _logger.removeHandler(handler)
