"""Logs of JSON lines, tables and state files, in the form that their programs give them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobako.train.metrics.lines import LONGEST, JsonLines
from kobako.train.metrics.point import Point, Reader
from kobako.train.metrics.states import State
from kobako.train.metrics.tables import Table

Told = list[tuple[str, int, float]]


def told(points: list[Point]) -> Told:
    return [one[:3] for one in points]


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


def of_lines(folder: Path, *records: dict[str, Any]) -> Told:
    path = folder / "log.json"
    path.write_bytes(lines(*records))
    return told(JsonLines(str(path)).read())


def mmcv(epoch: int, iteration: int, loss: float) -> dict[str, Any]:
    return {
        "mode": "train",
        "epoch": epoch,
        "iter": iteration,
        "lr": 0.002,
        "memory": 3,
        "data_time": 0.01,
        "loss": loss,
        "time": 0.5,
    }


def test_mmcv(tmp_path: Path) -> None:
    found = of_lines(
        tmp_path,
        {"env_info": "sys.platform: linux", "config": "x = 1", "seed": 0, "exp_name": "x.py"},
        mmcv(1, 50, 1.5),
        mmcv(1, 100, 1.25),
        {"mode": "val", "epoch": 1, "iter": 20, "lr": 0.002, "bbox_mAP": 0.25, "bbox_mAP_copypaste": "0.250 0.4"},
        mmcv(2, 50, 1.0),
        mmcv(3, 100, 0.5),
    )
    assert found[:6] == [
        ("epoch", 50, 1),
        ("lr", 50, 0.002),
        ("memory", 50, 3),
        ("time/data", 50, 0.01),
        ("train/loss", 50, 1.5),
        ("time/iteration", 50, 0.5),
    ]
    assert [one for one in found if one[0].startswith(("train", "val"))] == [
        ("train/loss", 50, 1.5),
        ("train/loss", 100, 1.25),
        ("val/bbox_mAP", 1, 0.25),
        ("train/loss", 150, 1.0),
        ("train/loss", 200, 0.5),
    ]


def test_mmcv_by_iteration(tmp_path: Path) -> None:
    found = of_lines(tmp_path, mmcv(1, 50, 2.0), mmcv(2, 100, 1.0))
    assert [one[1] for one in found if one[0] == "train/loss"] == [50, 100]


def test_mmengine(tmp_path: Path) -> None:
    found = of_lines(
        tmp_path,
        {
            "lr": 0.02,
            "data_time": 0.1,
            "loss": 1.5,
            "loss_cls": 0.5,
            "time": 0.4,
            "epoch": 1,
            "iter": 50,
            "memory": 9,
            "step": 50,
        },
        {"coco/bbox_mAP": 0.25, "data_time": 0.1, "time": 0.3, "step": 1},
    )
    assert ("train/loss", 50, 1.5) in found
    assert ("train/loss_cls", 50, 0.5) in found
    assert ("time/iteration", 50, 0.4) in found
    assert found[-1] == ("coco/bbox_mAP", 1, 0.25)


def test_detectron2(tmp_path: Path) -> None:
    record = {
        "data_time": 0.01,
        "eta_seconds": 60.0,
        "iteration": 19,
        "loss_cls": 0.5,
        "lr": 0.001,
        "time": 0.2,
        "total_loss": 1.5,
    }
    assert of_lines(tmp_path, record) == [
        ("time/data", 19, 0.01),
        ("time/eta", 19, 60.0),
        ("train/loss_cls", 19, 0.5),
        ("lr", 19, 0.001),
        ("time/iteration", 19, 0.2),
        ("train/total_loss", 19, 1.5),
    ]


def test_detr(tmp_path: Path) -> None:
    record = {
        "train_lr": 0.1,
        "train_loss": 1.5,
        "test_loss": 2.5,
        "test_coco_eval_bbox": [0.1, 0.2],
        "epoch": 3,
        "n_parameters": 9,
    }
    assert of_lines(tmp_path, record)[:3] == [("lr", 3, 0.1), ("train/loss", 3, 1.5), ("test/loss", 3, 2.5)]


def test_a_record_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines({"_step": 3, "loss": 0.5, "_timestamp": 1.7e9, "_runtime": 5, "flag": True}))
    assert JsonLines(str(path)).read() == [Point("train/loss", 3, 0.5, 1.7e9)]


def test_nan_is_a_number(tmp_path: Path) -> None:
    (one,) = of_lines(tmp_path, {"step": 3, "loss": math.nan})
    assert math.isnan(one[2])


@pytest.mark.parametrize(
    "line",
    [
        b"Traceback (most recent call last):",
        b"[" * 100_000,
        b'{"step": 1, "loss": ' + b"9" * 10_000 + b"}",
        b'{"step": 1e999, "loss": 1}',
        b'{"step": null, "loss": "1"}',
        b"\xff\xfe\x00",
        b'"text"',
        b"{" + b" " * LONGEST + b"}",
    ],
)
def test_a_line_that_tells_nothing(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(line + b"\n" + lines({"step": 9, "loss": 0.5}))
    assert told(JsonLines(str(path)).read())[-1:] == [("train/loss", 9, 0.5)]


def test_a_log_that_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"Epoch 1\n" + lines({"epoch": 1, "train_loss": 1.0}))
    reader = JsonLines(str(path), sure=False)
    assert reader.read() == []
    assert reader.trouble == ""


def test_lightning(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,step,train_loss\n0,49,1.5\n0,99,1.25\n")
    reader = Table(str(path))
    assert [one for one in told(reader.read()) if one[0] != "epoch"] == [
        ("train/loss", 49, 1.5),
        ("train/loss", 99, 1.25),
    ]
    # a new column: Lightning writes all of it anew
    path.write_text("epoch,step,train_loss,val_loss\n0,49,1.5,\n0,99,1.25,\n0,99,,1.75\n")
    assert [one for one in told(reader.read()) if one[0] != "epoch"] == [("val/loss", 99, 1.75)]
    with path.open("a") as file:
        file.write("1,149,0.5,\n1,199,")
    assert ("train/loss", 149, 0.5) in told(reader.read())


def test_another_training_in_the_same_table(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,train_loss\n1,1.5\n2,1.25\n")
    reader = Table(str(path))
    reader.read()
    path.write_text("step,val_loss\n5,1.0\n")
    assert told(reader.read()) == [("val/loss", 5, 1.0)]


def test_ultralytics(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(
        "                  epoch,                   time,         train/box_loss,   metrics/mAP50(B),           val/box_loss,                 lr/pg0\n"
        "                      1,                   10.5,                    1.5,               0.25,                    1.0,                  0.001\n"
    )
    assert told(Table(str(path)).read()) == [
        ("epoch", 1, 1.0),
        ("train/box_loss", 1, 1.5),
        ("metrics/mAP50(B)", 1, 0.25),
        ("val/box_loss", 1, 1.0),
        ("lr/pg0", 1, 0.001),
    ]


def test_timm(tmp_path: Path) -> None:
    path = tmp_path / "summary.csv"
    path.write_bytes(b"epoch,train_loss,eval_loss,eval_top1\r\n0,6.5,6.25,0.5\r\n")
    assert told(Table(str(path)).read())[1:] == [("train/loss", 0, 6.5), ("val/loss", 0, 6.25), ("val/top1", 0, 0.5)]


def test_only_new_rows_of_an_old_table(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,train_loss\n1,1.5\n")
    reader = Table(str(path), path.stat().st_size)
    assert reader.read() == []
    with path.open("a") as file:
        file.write("2,1.25\n")
    assert told(reader.read()) == [("train/loss", 2, 1.25)]


HISTORY = [
    {"epoch": 0.5, "grad_norm": 2.0, "learning_rate": 5e-05, "loss": 1.5, "step": 50},
    {"epoch": 1.0, "eval_loss": 1.25, "eval_runtime": 3.0, "step": 100},
    {"epoch": 1.0, "step": 100, "total_flos": 1e12, "train_loss": 1.4, "train_runtime": 60.0},
]


def test_hugging_face(tmp_path: Path) -> None:
    """Each checkpoint has the whole history up to it."""
    given: dict[str, int] = {}
    for number in (1, 3):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text(
            json.dumps({"epoch": 1.0, "log_history": HISTORY[:number]}, indent=2)
        )
    first = State(str(tmp_path / "checkpoint-1" / "trainer_state.json"), 0, given)
    second = State(str(tmp_path / "checkpoint-3" / "trainer_state.json"), 0, given)
    assert [one for one in told(first.read()) if one[0] != "epoch"] == [
        ("train/grad_norm", 50, 2.0),
        ("lr", 50, 5e-05),
        ("train/loss", 50, 1.5),
    ]
    assert [one for one in told(second.read()) if one[0] != "epoch"] == [
        ("val/loss", 100, 1.25),
        ("val/runtime", 100, 3.0),
    ]
    assert second.read() == []


@pytest.mark.parametrize(
    "text", ["", "{", '{"log_history": 3}', '{"log_history": [3, {"loss": 1}, null]}', "[]", "\0\0"]
)
def test_a_state_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(text)
    assert [one for one in State(str(path)).read() if one.tag != "train/loss"] == []


TEXT = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"epoch,step,loss\n",
                b"1,2,3\n",
                b'"a\n',
                b"\r\n",
                b"\0",
                b",,,\n",
                b'{"step":1,"loss":2}\n',
                b"{}\n",
                b"[\n",
            ]
        ),
        st.binary(max_size=20),
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=100, deadline=None)
@given(data=TEXT, cuts=st.lists(st.integers(0, 100), max_size=6))
@pytest.mark.parametrize("kind", [JsonLines, Table])
def test_any_bytes_in_any_pieces(
    tmp_path_factory: pytest.TempPathFactory, kind: type[Reader], data: bytes, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    whole, path = folder / "whole", folder / "growing"
    whole.write_bytes(data)
    path.touch()
    at_once, reader = kind(str(whole)), kind(str(path))  # type: ignore[call-arg]
    found: list[Point] = []
    with path.open("ab", buffering=0) as file:
        for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
            file.write(data[begin:end])
            found += reader.read()
    assert repr(found) == repr(at_once.read())
