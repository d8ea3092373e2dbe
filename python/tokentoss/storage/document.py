"""The JSON document that holds the tokens of all accounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tokentoss.storage.token_data import TokenData
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 2
"""Version of the document. Version 0.1.1 of the package wrote the members of one account, and no version."""


def to_document(records: Sequence[TokenData]) -> Secret:
    """Return the document of these accounts. It holds their tokens."""
    accounts = [tokens.to_dict() for tokens in records]
    return Secret(json.dumps({"version": VERSION, "accounts": accounts}, indent=2))


def from_document(text: str) -> list[TokenData]:
    """Read a document, also the one account that version 0.1.1 wrote.

    Raises:
        ValueError: If it is none. Its text quotes nothing, because there may be a token in it.
    """
    try:
        data = json.loads(text)
        if isinstance(data, dict) and "accounts" not in data:
            return [TokenData.from_dict(data)]
        if isinstance(data, dict) and data.get("version") == VERSION and isinstance(data["accounts"], list):
            return [TokenData.from_dict(record) for record in data["accounts"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ValueError("no token document") from None
