"""What `npm run package` makes, and what is read from it."""

from __future__ import annotations

import tarfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Built:
    """The archives of one build."""

    wheel: Path
    source: Path
    bill: Path

    def of_wheel(self, ending: str) -> bytes:
        """The one file of the wheel whose path ends so."""
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith(ending)]
            return archive.read(name)

    def metadata(self) -> Message:
        """The metadata of the wheel."""
        return Parser().parsestr(self.of_wheel(".dist-info/METADATA").decode())

    def unpack(self, folder: Path) -> Path:
        """Unpack the source archive; return its only folder."""
        with tarfile.open(self.source) as archive:
            archive.extractall(folder, filter="data")
        (unpacked,) = folder.iterdir()
        return unpacked
