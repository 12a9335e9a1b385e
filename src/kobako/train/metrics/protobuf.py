"""As much of protobuf's wire format as event files need: a walk over a message's fields, in place."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MOST_BITS = 63


class Field(NamedTuple):
    """``value`` is the number of a VARINT; everything else lies in the buffer from ``start`` to ``end``."""

    number: int
    kind: int
    value: int
    start: int
    end: int


def varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """A number of variable length, and where what follows it begins. Raises ``ValueError``."""
    result = shift = 0
    while place < end:
        byte = data[place]
        place += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFFFFFFFFFFFFFF, place
        shift += 7
        if shift > _MOST_BITS:
            break
    raise ValueError("a number that does not end")


def fields(data: bytes, place: int, end: int) -> Iterator[Field]:
    """The fields of a message, one after the other. Raises ``ValueError`` where it is none."""
    while place < end:
        key, place = varint(data, place, end)
        kind, value, start = key & 7, 0, place
        if kind == VARINT:
            value, place = varint(data, place, end)
        elif kind == BYTES:
            length, start = varint(data, place, end)
            place = start + length
        elif kind == FIXED32:
            place += 4
        elif kind == FIXED64:
            place += 8
        else:
            raise ValueError(f"a field of kind {kind}")
        if place > end:
            raise ValueError("a field that is longer than its message")
        yield Field(key >> 3, kind, value, start, place)


def signed(value: int) -> int:
    """A 64-bit number as protobuf's int32 and int64 mean it."""
    return value - (1 << 64) if value >> 63 else value


def unpack(layout: str, data: bytes, start: int, end: int) -> float:
    """The first number of the layout that stands there. Raises ``ValueError``."""
    if end - start < struct.calcsize(layout):
        raise ValueError("a number that is cut off")
    return float(struct.unpack_from(layout, data, start)[0])
