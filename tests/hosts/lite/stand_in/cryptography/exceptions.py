"""The exceptions that callers catch."""


class InvalidTag(Exception):
    """A sealed message is not what was sealed, or not for this key."""


class InvalidSignature(Exception):
    """A signature is not of this key and message."""


class UnsupportedAlgorithm(Exception):
    """The stand-in does not have what was asked for."""
