"""TensorBoard's event files, read as they grow.

TensorBoard's own reader takes a second to import and does not stop in the middle of a record that is still being
written, so this is one of our own: the framing of TFRecord here, the few fields that matter in ``summary``.
"""

from __future__ import annotations

import struct

from kobako.train.metrics.point import Point
from kobako.train.metrics.summary import Summaries
from kobako.train.metrics.tags import normal
from kobako.train.metrics.tail import Tail

BOUND = 1 << 20
"""Bytes of one reading."""
LARGEST = 1 << 20
"""A record beyond this is an image, a graph or a histogram, and passed over without reading it."""
_HEADER, _FOOTER = 12, 4
_CACHED = 4096


class Events:
    """A record is its length (8 bytes), the masked CRC-32C of that, the data, and the data's CRC.

    The length's CRC is checked: past a wrong length nothing can be found. The data's is not, it would double the time.
    ``phase`` is what the place of the file says.
    """

    def __init__(self, path: str, start: int = 0, phase: str = "") -> None:
        self.trouble = ""
        self._phase = phase
        self._tail = Tail(path, start)
        self._begin()

    @property
    def behind(self) -> bool:
        return self._tail.behind

    def read(self) -> list[Point]:
        data = self._tail.read(0 if self._broken else BOUND)
        if self._tail.restarted:
            self._begin()
            data = data or self._tail.read(BOUND)
        return self._records(data)

    def _begin(self) -> None:
        self._rest = b""
        self._broken = False
        self._summaries = Summaries()

    def _records(self, added: bytes) -> list[Point]:
        data = self._rest + added if self._rest else added
        place, size = 0, len(data)
        found: list[Point] = []
        while size - place >= _HEADER:
            (length,) = struct.unpack_from("<Q", data, place)
            if _crc_of_length(data[place : place + 8]) != data[place + 8 : place + _HEADER]:
                self._give_up()
                return found
            end = place + _HEADER + length + _FOOTER
            if length > LARGEST:
                self._tail.over = max(0, end - size)
                place = min(end, size)
                break
            if end > size:
                break
            self._record(data, place + _HEADER, end - _FOOTER, found)
            place = end
        self._rest = data[place:]
        return found

    def _record(self, data: bytes, start: int, end: int, found: list[Point]) -> None:
        try:
            scalars = self._summaries.event(data, start, end)
            found += [Point(normal(tag, self._phase), step, value, time) for tag, step, value, time in scalars]
        except ValueError:
            self.trouble = self.trouble or "a record is damaged; it is left out"

    def _give_up(self) -> None:
        self.trouble = "a record is damaged; what follows it is not read"
        self._broken = True
        self._rest = b""


def _table() -> list[int]:
    """CRC-32C (Castagnoli), a byte at a time."""
    table = []
    for number in range(256):
        crc = number
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE: list[int] = []
_LENGTHS: dict[bytes, bytes] = {}
"""The same few lengths come again and again."""


def masked_crc(data: bytes) -> int:
    """CRC-32C as TFRecord writes it."""
    if not _TABLE:
        _TABLE.extend(_table())
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _crc_of_length(length: bytes) -> bytes:
    known = _LENGTHS.get(length)
    if known is None:
        known = struct.pack("<I", masked_crc(length))
        if len(_LENGTHS) < _CACHED:
            _LENGTHS[length] = known
    return known
