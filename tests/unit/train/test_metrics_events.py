"""TensorBoard's event files: written by a real writer, by hand, whole, in pieces, and broken."""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboardX import SummaryWriter

from kobako.train.metrics.events import LARGEST, Events, masked_crc
from kobako.train.metrics.point import Point


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


def event(step: int, *values: bytes, time: float = 1.7e9) -> bytes:
    summary = b"".join(field(1, value) for value in values)
    return record(b"\x09" + struct.pack("<d", time) + field(2, step) + field(5, summary))


def simple(tag: str, value: float) -> bytes:
    return field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def tensor(tag: str, kind: int, content: bytes, *, shape: bytes = b"", plugin: str = "scalars") -> bytes:
    metadata = field(9, field(1, field(1, plugin.encode()))) if plugin else b""
    return field(1, tag.encode()) + field(8, field(1, kind) + field(2, shape) + content) + metadata


def read(path: Path) -> list[Point]:
    reader = Events(str(path))
    found = reader.read()
    while reader.behind:
        found += reader.read()
    return found


def of_bytes(folder: Path, data: bytes) -> list[Point]:
    path = folder / "events.out.tfevents.1"
    path.write_bytes(data)
    return read(path)


def test_what_a_real_writer_wrote(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(300):
            writer.add_scalar("Loss/train", 1 / (step + 1), step, walltime=1.7e9 + step)
            writer.add_scalar("学習率" * 30, step, step)
        writer.add_scalar("val/acc", float("nan"), 5)
        writer.add_image("picture", np.zeros((3, 900, 900), dtype=np.uint8), 5)
        writer.add_image("noise", np.random.default_rng(0).integers(0, 255, (3, 900, 900), dtype=np.uint8), 5)
        writer.add_histogram("weights", np.arange(1000.0), 5)
        writer.add_text("notes", "hello", 5)
        writer.add_scalar("after", 2.5, -3)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size > LARGEST
    found = read(path)
    losses = [one for one in found if one.tag == "train/loss"]
    assert [one.step for one in losses] == list(range(300))
    assert losses[2].value == pytest.approx(1 / 3)
    assert losses[2].time == 1.7e9 + 2
    assert sum(one.value for one in found if one.tag.startswith("学習率")) == sum(range(300))
    assert {one.tag for one in found if "学" not in one.tag} == {"train/loss", "val/acc", "after"}
    assert math.isnan(next(one.value for one in found if one.tag == "val/acc"))
    assert found[-1][:3] == ("after", -3, 2.5)


@pytest.mark.parametrize(
    ("kind", "content", "value"),
    [
        (1, field(4, struct.pack("<f", 0.5)), 0.5),
        (1, field(5, struct.pack("<f", 0.5)), 0.5),
        (1, varint(5 << 3 | 5) + struct.pack("<f", 0.25), 0.25),
        (2, field(4, struct.pack("<d", 0.1)), 0.1),
        (2, field(6, struct.pack("<d", 0.1)), 0.1),
        (3, field(7, -7), -7),
        (3, field(4, struct.pack("<i", -7)), -7),
        (9, field(10, varint(-(1 << 40))), -(1 << 40)),
        (10, field(11, 1), 1),
        (14, field(4, b"\xc0\x3f"), 1.5),
        (14, field(13, varint(0x3FC0)), 1.5),
        (19, field(4, struct.pack("<e", 0.5)), 0.5),
        (19, field(13, varint(0x3800)), 0.5),
        (23, field(17, varint(1 << 62)), float(1 << 62)),
    ],
)
def test_a_tensor_of_one_number(tmp_path: Path, kind: int, content: bytes, value: float) -> None:
    assert of_bytes(tmp_path, event(3, tensor("x", kind, content))) == [Point("x", 3, value, 1.7e9)]
    one = field(2, field(1, 1))
    assert len(of_bytes(tmp_path, event(3, tensor("x", kind, content, shape=one + one)))) == 1


@pytest.mark.parametrize(
    "value",
    [
        tensor("x", 1, field(4, struct.pack("<3f", 1, 2, 3)), shape=field(2, field(1, 3))),
        tensor("x", 1, field(4, struct.pack("<f", 1)), plugin="images"),
        tensor("x", 7, field(8, b"text"), plugin="text"),
        tensor("x", 1, b""),
        tensor("x", 99, field(5, struct.pack("<f", 1))),
        field(1, b"x") + field(5, b"a histogram"),
        field(1, b"x"),
    ],
)
def test_what_is_no_scalar_is_left_out(tmp_path: Path, value: bytes) -> None:
    found = of_bytes(tmp_path, event(3, value) + event(4, simple("y", 1.0)))
    assert found == [Point("y", 4, 1.0, 1.7e9)]


def test_a_plugin_is_told_at_the_first_value_alone(tmp_path: Path) -> None:
    number = field(4, struct.pack("<f", 1.0))
    first = event(1, tensor("x", 1, number, plugin="images"), tensor("y", 1, number))
    later = event(2, tensor("x", 1, number, plugin=""), tensor("y", 1, number, plugin=""))
    assert [(one.tag, one.step) for one in of_bytes(tmp_path, first + later)] == [("y", 1), ("y", 2)]


def test_the_published_crc() -> None:
    """RFC 3720, B.4: 32 bytes of zeros; masked as TFRecord does."""
    crc = 0x8A9136AA
    assert masked_crc(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_half_a_record_waits(tmp_path: Path) -> None:
    path = tmp_path / "events"
    whole = event(1, simple("loss", 1.0)) + event(2, simple("loss", 2.0))
    path.write_bytes(whole[:-5])
    reader = Events(str(path))
    assert [one.step for one in reader.read()] == [1]
    assert reader.read() == []
    path.write_bytes(whole)
    assert [one.step for one in reader.read()] == [2]
    assert reader.trouble == ""


def test_a_wrong_length_ends_the_file_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "events"
    good = event(1, simple("loss", 1.0))
    path.write_bytes(good + b"garbage that is no record" + good)
    reader = Events(str(path))
    assert len(reader.read()) == 1
    assert reader.trouble
    with path.open("ab") as file:
        file.write(good)
    assert reader.read() == []
    assert not reader.behind


def test_a_damaged_record_alone_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(event(1, simple("a", 1.0)) + record(b"\x2a\xff\x01") + event(2, simple("a", 2.0)))
    reader = Events(str(path))
    assert [one.step for one in reader.read()] == [1, 2]
    assert reader.trouble


def test_a_file_that_is_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(event(1, simple("a", 1.0)) * 3)
    reader = Events(str(path))
    assert len(reader.read()) == 3
    other = tmp_path / "other"
    other.write_bytes(event(7, simple("a", 1.0)) * 5)
    os.replace(other, path)
    assert [one.step for one in reader.read()] == [7] * 5
    path.write_bytes(event(8, simple("a", 1.0)))  # truncated in place
    assert [one.step for one in reader.read()] == [8]
    path.unlink()
    assert reader.read() == []
    path.write_bytes(event(9, simple("a", 1.0)) * 2)
    assert [one.step for one in reader.read()] == [9, 9]


def test_written_anew_in_place_and_longer_already(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(event(1, simple("a", 1.0)))
    reader = Events(str(path))
    assert len(reader.read()) == 1
    path.write_bytes(event(2, simple("b", 1.0), time=1.8e9) * 4)
    assert [one.step for one in reader.read()] == [2] * 4


def test_what_is_no_file_is_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "absent"):
        assert Events(str(tmp_path / name)).read() == []


def test_a_large_record_that_is_still_being_written(tmp_path: Path) -> None:
    path = tmp_path / "events"
    large = event(1, field(1, b"picture") + field(4, bytes(3 * LARGEST)))
    after = event(2, simple("a", 1.0))
    path.write_bytes(large[: LARGEST // 2])
    reader = Events(str(path))
    assert reader.read() == []
    path.write_bytes(large[: 2 * LARGEST])
    assert reader.read() == []
    path.write_bytes(large + after)
    found = reader.read()
    while reader.behind:
        found += reader.read()
    assert [one.step for one in found] == [2]


PIECES = st.lists(
    st.one_of(
        st.builds(
            lambda tag, step, value: event(step, simple(tag, value)),
            st.text(max_size=5),
            st.integers(-5, 1 << 40),
            st.floats(width=32),
        ),
        st.builds(record, st.binary(max_size=40)),
        st.binary(max_size=30),
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(data=PIECES, cuts=st.lists(st.integers(0, 600), max_size=8), lost=st.integers(0, 40))
def test_any_bytes_in_any_pieces(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cuts: list[int], lost: int
) -> None:
    folder = tmp_path_factory.mktemp("events")
    data = data[: len(data) - lost] if lost < len(data) else data
    at_once = of_bytes(folder, data)
    path = folder / "growing"
    path.touch()
    reader = Events(str(path))
    found: list[Point] = []
    with path.open("ab", buffering=0) as file:
        for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
            file.write(data[begin:end])
            found += reader.read()
    assert repr(found) == repr(at_once)
