"""A relying-party conformance suite; `python -m conformance` prints its table (docs/conformance.md)."""
