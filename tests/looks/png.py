"""Writes pictures with few colours as small as they can be: PNG with a palette."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BITS, INDEXED = 8, 3


def write(width: int, height: int, channels: bytes) -> bytes:
    """Return the file of a picture whose pixels are given as red, green, blue, row by row."""
    pixels = list(zip(*[iter(channels)] * 3, strict=True))
    palette = sorted(set(pixels))
    number = {colour: index for index, colour in enumerate(palette)}
    rows = (pixels[row * width : (row + 1) * width] for row in range(height))
    # Each row begins with its filter: none.
    data = b"".join(bytes([0, *(number[colour] for colour in row)]) for row in rows)
    return SIGNATURE + b"".join(
        [
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, BITS, INDEXED, 0, 0, 0)),
            chunk(b"PLTE", bytes(channel for colour in palette for channel in colour)),
            chunk(b"IDAT", zlib.compress(data, 9)),
            chunk(b"IEND", b""),
        ]
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one of the parts that a file is made of."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
