"""Old callers name a backend; there is none to choose."""


def default_backend() -> None:
    """Nothing."""
