"""Secrets in the attributes of objects: shown by no ``vars``, plain text for who reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

Class = TypeVar("Class", bound=type)


def secret_or_none(text: str | None) -> Secret | None:
    """Return a text as a secret; None stays None."""
    return None if text is None else Secret(text)


class SecretText:
    """An attribute that is kept as a :class:`Secret` and read as plain text.

    Users pass what they read on to other libraries and processes, whose copies must be the text itself.

    Args:
        name: The attribute.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Return the plain text, or the descriptor itself on the class."""
        return self if instance is None else str(instance.__dict__[self._name])

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self._name] = Secret(value) if isinstance(value, str) else value


def keeping_secret(*names: str) -> Callable[[Class], Class]:
    """Return a decorator that makes attributes of a dataclass :class:`SecretText`.

    Args:
        *names: The attributes. It goes above ``dataclass``, which takes descriptors for default values.
    """

    def decorate(cls: Class) -> Class:
        for name in names:
            setattr(cls, name, SecretText(name))
        return cls

    return decorate
