"""The numbers in TensorBoard's summaries: event.proto, summary.proto and tensor.proto, as far as scalars go."""

from __future__ import annotations

import struct

from kobako.train.metrics.protobuf import BYTES, FIXED32, FIXED64, VARINT, Field, fields, signed, unpack, varint

_LAYOUTS = dict(zip((1, 2, 3, 4, 5, 6, 9, 10, 14, 17, 19, 22, 23), "fdiBhbq?HHeIQ", strict=True))
"""How a number of each data type (types.proto) stands in ``tensor_content``."""
_BFLOAT16, _HALF = 14, 19
_FLOATS, _DOUBLES, _HALVES = 5, 6, 13
_VALUES = frozenset({_FLOATS, _DOUBLES, _HALVES, 7, 10, 11, 16, 17})
"""The fields of a tensor that hold its numbers."""
_MOST_TAGS = 10_000

Scalar = tuple[str, int, float, float]
"""Tag, step, value, time: a point that has not met its naming yet."""


class Summaries:
    """Reads events. It remembers which tags are scalars: a writer may say so at a tag's first value alone."""

    def __init__(self) -> None:
        self._plugins: dict[str, str] = {}
        self._known: dict[bytes, str] = {}

    def event(self, data: bytes, start: int, end: int) -> list[Scalar]:
        """The scalars of one event. Raises ``ValueError`` where it is none."""
        return self._usual(data, start, end) or self._any(data, start, end)

    def _usual(self, data: bytes, start: int, end: int) -> list[Scalar]:
        """An event with one ``simple_value`` under a tag seen before: all bytes before the value are known."""
        if end - start < 16 or data[start] != 0x09:
            return []
        place, step = start + 9, 0
        if data[place] == 0x10:
            step, place = varint(data, place + 1, end)
        tag = self._known.get(data[place : end - 4])
        if tag is None:
            return []
        (time,) = struct.unpack_from("<d", data, start + 1)
        (value,) = struct.unpack_from("<f", data, end - 4)
        return [(tag, signed(step), value, time)]

    def _any(self, data: bytes, start: int, end: int) -> list[Scalar]:
        time, step, found = 0.0, 0, []
        for one in fields(data, start, end):
            if one.number == 1 and one.kind == FIXED64:
                time = unpack("<d", data, one.start, one.end)
            elif one.number == 2 and one.kind == VARINT:
                step = signed(one.value)
            elif one.number == 5 and one.kind == BYTES:
                found += self._summary(data, one)
        return [(tag, step, value, time) for tag, value in found]

    def _summary(self, data: bytes, of: Field) -> list[tuple[str, float]]:
        values = [one for one in fields(data, of.start, of.end) if (one.number, one.kind) == (1, BYTES)]
        return [scalar for one in values if (scalar := self._value(data, one)) is not None]

    def _value(self, data: bytes, of: Field) -> tuple[str, float] | None:
        raw, plugin = b"", ""
        simple: float | None = None
        tensor: Field | None = None
        for one in fields(data, of.start, of.end):
            if (one.number, one.kind) == (1, BYTES):
                raw = data[one.start : one.end]
            elif (one.number, one.kind) == (2, FIXED32):
                simple = unpack("<f", data, one.start, one.end)
            elif (one.number, one.kind) == (8, BYTES):
                tensor = one
            elif (one.number, one.kind) == (9, BYTES):
                plugin = _plugin(data, one)
        tag = raw.decode("utf-8", "replace")
        if plugin and len(self._plugins) < _MOST_TAGS:
            plugin = self._plugins.setdefault(tag, plugin)
        if simple is not None:
            self._remember(raw, tag)
            return tag, simple
        if tensor is None or (plugin or self._plugins.get(tag, "scalars")) != "scalars":
            return None
        value = _number(data, tensor)
        return None if value is None else (tag, value)

    def _remember(self, raw: bytes, tag: str) -> None:
        if len(raw) < 100 and len(self._known) < _MOST_TAGS:  # each of the lengths is one byte then
            length = len(raw)
            usual = bytes((0x2A, length + 9, 0x0A, length + 7, 0x0A, length)) + raw + b"\x15"
            self._known[usual] = tag


def _plugin(data: bytes, metadata: Field) -> str:
    for one in fields(data, metadata.start, metadata.end):
        if (one.number, one.kind) == (1, BYTES):
            for inner in fields(data, one.start, one.end):
                if (inner.number, inner.kind) == (1, BYTES):
                    return data[inner.start : inner.end].decode("utf-8", "replace")
    return ""


def _number(data: bytes, tensor: Field) -> float | None:
    """The number of a tensor that holds one; None for any other."""
    kind, content, value = 0, None, None
    for one in fields(data, tensor.start, tensor.end):
        if one.number == 1 and one.kind == VARINT:
            kind = one.value
        elif one.number == 2 and one.kind == BYTES and not _single(data, one):
            return None
        elif one.number == 4 and one.kind == BYTES and one.end > one.start:
            content = one
        elif one.number in _VALUES and value is None:
            value = _first(data, one)
    if content is not None and kind in _LAYOUTS:
        found = unpack(f"<{_LAYOUTS[kind]}", data, content.start, content.end)
        return _bfloat(int(found)) if kind == _BFLOAT16 else found
    if value is not None and kind == _BFLOAT16:
        return _bfloat(int(value) & 0xFFFF)
    if value is not None and kind == _HALF:
        return float(struct.unpack("<e", struct.pack("<H", int(value) & 0xFFFF))[0])
    return value if kind in _LAYOUTS else None


def _first(data: bytes, one: Field) -> float:
    """The first number of a field of numbers, whether they stand packed or not."""
    if one.number == _FLOATS:
        return unpack("<f", data, one.start, one.end)
    if one.number == _DOUBLES:
        return unpack("<d", data, one.start, one.end)
    return float(signed(one.value if one.kind == VARINT else varint(data, one.start, one.end)[0]))


def _single(data: bytes, shape: Field) -> bool:
    for dimension in fields(data, shape.start, shape.end):
        if (dimension.number, dimension.kind) == (2, BYTES):
            inner = fields(data, dimension.start, dimension.end)
            if [one.value for one in inner if (one.number, one.kind) == (1, VARINT)] != [1]:
                return False
    return True


def _bfloat(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits << 16))[0])
