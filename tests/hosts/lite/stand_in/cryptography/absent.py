"""What PyJWT and google-auth import by name, and no test of JupyterLite uses."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm


class _Absent(type):
    def __call__(cls, *_arguments: object, **_keywords: object) -> object:
        raise UnsupportedAlgorithm(f"{cls.__name__} is not part of the stand-in for cryptography")


def absent(name: str) -> type:
    """A class of that name, so that it can be imported and compared with, but not used."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _Absent(name, (), {})
