"""Where tokens are kept between sign-ins."""

from tokentoss.storage.base import AccountStorage, TokenStorage
from tokentoss.storage.default import default_storage
from tokentoss.storage.file import FileStorage
from tokentoss.storage.keyring import KeyringStorage
from tokentoss.storage.memory import MemoryStorage
from tokentoss.storage.own_storage import OneAccountStorage, accounts_in
from tokentoss.storage.token_data import TokenData

__all__ = [
    "AccountStorage",
    "FileStorage",
    "KeyringStorage",
    "MemoryStorage",
    "OneAccountStorage",
    "TokenData",
    "TokenStorage",
    "accounts_in",
    "default_storage",
]
