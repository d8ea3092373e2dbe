"""Coverage-guided fuzzing of the documents that Python reads, by atheris (libFuzzer).

    python fuzz/documents.py discovery_document SCRATCH fuzz/corpus/discovery_document -max_total_time=600

What is done with an input is the same function that the test of the corpus calls.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[1]

sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "python")]
with atheris.instrument_imports(include=["tokentoss"]):
    import tokentoss.config.client_secrets
    import tokentoss.oauth.discovery  # noqa: F401 - instrumented before the test imports it
from test_outside_documents import READERS
from tokentoss import error_codes


def main() -> None:
    """Fuzz the reader that the first argument names."""
    _, name, *options = sys.argv
    read, _ = READERS[name]

    def try_document(document: bytes) -> None:
        code = read(document)
        assert not code or error_codes.is_known(code), code

    atheris.Setup([sys.argv[0], *options], try_document)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
