"""Where tokens are kept between sign-ins."""

from tokentoss.storage.base import TokenStorage
from tokentoss.storage.file import FileStorage
from tokentoss.storage.memory import MemoryStorage

__all__ = ["FileStorage", "MemoryStorage", "TokenStorage"]
