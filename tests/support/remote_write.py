"""Prometheus' remote write by hand: protocol buffers in Snappy's block format, uncompressed. Carries stale markers."""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

HEADERS: Final = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_LITERAL: Final = 60_000
"""Bytes in one literal of the block, under the 65,536 that two bytes of length can say."""


def body(series: Iterable[tuple[Mapping[str, str], Iterable[tuple[float, float]]]]) -> bytes:
    """A write request of label sets with (seconds, value)."""
    return _snappy(b"".join(_field(1, _series(labels, samples)) for labels, samples in series))


def _series(labels: Mapping[str, str], samples: Iterable[tuple[float, float]]) -> bytes:
    pairs = (_field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(labels.items()))
    points = (
        _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(round(time * 1000))) for time, value in samples
    )
    return b"".join((*pairs, *points))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _snappy(content: bytes) -> bytes:
    literals = (content[start : start + _LITERAL] for start in range(0, len(content), _LITERAL))
    return _varint(len(content)) + b"".join(b"\xf4" + struct.pack("<H", len(each) - 1) + each for each in literals)
