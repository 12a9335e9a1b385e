"""Console lines in the form that their programs give them, and lines that are of no program at all."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.train.metrics import Console, Facts, Point
from kobako.train.metrics.console import LONGEST, clock
from kobako.train.metrics.patterns import PATTERNS
from kobako.train.progress import Progress

MMDET = "2022-05-01 12:00:00,123 - mmdet - INFO - "
MMENGINE = "05/01 12:00:00 - mmengine - \x1b[4m\x1b[97mINFO\x1b[0m - "
TQDM = "45%|████▌     | 45/100 [00:10<00:12,  4.00it/s"


def told(facts: Facts | None) -> dict[str, Any]:
    """What is known of it, values by name."""
    if facts is None:
        return {}
    known = {name: value for name, value in facts._asdict().items() if value is not None and name != "values"}
    return {**known, **dict(facts.values)}


LINES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "mmcv 1.x",
        MMDET + "Epoch [1][50/7330]\tlr: 2.000e-03, eta: 1 day, 2:03:04, time: 0.500, data_time: 0.010, memory: 3000, loss_rpn_cls: 0.1000, acc: 98.5, loss: 1.2500, grad_norm: 2.5",
        {
            "phase": "train", "epoch": 1, "iteration": 50, "iterations": 7330, "eta": 93784, "seconds": 0.5,
            "lr": 0.002, "memory": 3000, "train/loss_rpn_cls": 0.1, "train/acc": 98.5, "train/loss": 1.25, "train/grad_norm": 2.5,
        },
    ),
    (
        "mmcv 1.x, by iteration",
        MMDET + "Iter [50/90000]\tlr: 2.000e-03, eta: 2:03:04, time: 0.500, data_time: 0.01, loss: 1.25",
        {"phase": "train", "iteration": 50, "iterations": 90000, "eta": 7384, "seconds": 0.5, "lr": 0.002, "train/loss": 1.25},
    ),
    ("mmcv 1.x, at its start", MMDET + "workflow: [('train', 1)], max: 12 epochs", {"phase": "train", "epochs": 12}),
    ("mmengine's configuration", "train_cfg = dict(max_epochs=12, type='EpochBasedTrainLoop', val_interval=1)", {"phase": "train", "epochs": 12}),
    (
        "OpenMMLab",
        MMDET + "Epoch(val) [1][2504]\tbbox_mAP: 0.1250, bbox_mAP_50: 0.2, bbox_mAP_copypaste: 0.125 0.2",
        {"phase": "val", "epoch": 1, "val/bbox_mAP": 0.125, "val/bbox_mAP_50": 0.2},
    ),
    (
        "OpenMMLab",
        MMENGINE + "Epoch(train)  [1][  50/7330]  base_lr: 2.0000e-02 lr: 2.0000e-03  eta: 0:10:00  time: 0.5000  data_time: 0.0100  memory: 3000  loss: 1.2500  loss_cls: 0.5000",
        {
            "phase": "train", "epoch": 1, "iteration": 50, "iterations": 7330, "eta": 600, "seconds": 0.5,
            "train/base_lr": 0.02, "lr": 0.002, "memory": 3000, "train/loss": 1.25, "train/loss_cls": 0.5,
        },
    ),
    (
        "OpenMMLab",
        MMENGINE + "Epoch(val) [1][2504/2504]    coco/bbox_mAP: 0.3750  coco/bbox_mAP_50: 0.5000  data_time: 0.01  time: 0.03",
        {"phase": "val", "epoch": 1, "iteration": 2504, "iterations": 2504, "seconds": 0.03, "coco/bbox_mAP": 0.375, "coco/bbox_mAP_50": 0.5},
    ),
    (
        "mmengine, by iteration",
        MMENGINE + "Iter(train) [   50/90000]  lr: 2.0000e-03  eta: 2 days, 0:10:00  time: 0.5000  loss: 1.2500",
        {"phase": "train", "iteration": 50, "iterations": 90000, "eta": 173400, "seconds": 0.5, "lr": 0.002, "train/loss": 1.25},
    ),
    (
        "YOLOX",
        "2022-05-01 12:00:00 | INFO     | yolox.core.trainer:261 - epoch: 1/300, iter: 10/1000, mem: 3000Mb, iter_time: 0.500s, data_time: 0.010s, total_loss: 10.5, iou_loss: 3.5, l1_loss: 0.0, lr: 1.000e-03, size: 640, ETA: 1 day, 1:02:03",
        {
            "phase": "train", "epoch": 1, "epochs": 300, "iteration": 10, "iterations": 1000, "eta": 90123, "seconds": 0.5,
            "train/total_loss": 10.5, "train/iou_loss": 3.5, "train/l1_loss": 0.0, "lr": 0.001,
        },
    ),
    (
        "detectron2",
        "[05/01 12:00:00 d2.utils.events]:  eta: 0:10:00  iter: 19  total_loss: 1.25  loss_cls: 0.5  time: 0.5  last_time: 0.49  data_time: 0.01  last_data_time: 0.01  lr: 0.001  max_mem: 3000M",
        {"phase": "train", "iteration": 19, "eta": 600, "seconds": 0.5, "train/total_loss": 1.25, "train/loss_cls": 0.5, "lr": 0.001, "memory": 3000},
    ),
    (
        "MetricLogger",
        "Epoch: [0]  [  10/5000]  eta: 1:02:03  lr: 0.010000  loss: 1.2500 (1.5000)  time: 0.5000  data: 0.0100  max mem: 3000",
        {"phase": "train", "epoch": 1, "iteration": 10, "iterations": 5000, "seconds": 0.5, "lr": 0.01, "train/loss": 1.25, "memory": 3000},
    ),
    (
        "PaddleDetection",
        "[07/01 12:00:00] ppdet.engine INFO: Epoch: [0] [  0/100] learning_rate: 0.000000 loss: 1.250000 eta: 1:00:00 batch_cost: 0.5000 data_cost: 0.0100 ips: 2.0000 images/s",
        {"phase": "train", "epoch": 1, "iteration": 0, "iterations": 100, "eta": 3600, "seconds": 0.5, "samples": 2.0, "lr": 0.0, "train/loss": 1.25},
    ),
    (
        "PyTorch's ImageNet example",
        "Epoch: [0][  10/5005]\tTime  0.500 (  0.600)\tData  0.010 (  0.020)\tLoss 6.9000e+00 (6.9100e+00)\tAcc@1   0.50 (  0.20)",
        {"phase": "train", "epoch": 1, "iteration": 10, "iterations": 5005, "seconds": 0.5, "train/loss": 6.9, "train/Acc@1": 0.5},
    ),
    (
        "PyTorch's MNIST example",
        "Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.250000",
        {"phase": "train", "epoch": 1, "iteration": 640, "iterations": 60000, "train/loss": 2.25},
    ),
    (
        "timm",
        "Train: 0 [  50/1251 (  4%)]  Loss: 6.90 (6.95)  Time: 0.500s,  500.12/s  (0.520s,  490.00/s)  LR: 1.000e-04  Data: 0.010 (0.020)",
        {"phase": "train", "epoch": 1, "iteration": 50, "iterations": 1251, "seconds": 0.5, "samples": 500.12, "train/loss": 6.9, "lr": 0.0001},
    ),
    (
        "Megatron-LM",
        " [2024-01-01 12:00:00] iteration       10/    1000 | consumed samples:           80 | elapsed time per iteration (ms): 512.3 | learning rate: 1.000E-04 | global batch size:     8 | lm loss: 1.250000E+00 |",
        {"phase": "train", "iteration": 10, "iterations": 1000, "lr": 0.0001, "train/lm_loss": 1.25},
    ),
    ("nanoGPT", "iter 100: loss 3.2500, time 50.00ms, mfu 1.23%", {"phase": "train", "iteration": 100, "seconds": 0.05, "train/loss": 3.25}),
    ("nanoGPT, evaluation", "step 250: train loss 2.2500, val loss 2.5000", {"phase": "train", "iteration": 250, "train/loss": 2.25, "val/loss": 2.5}),
    (
        "darknet",
        " 100: 2.345678, 2.250000 avg loss, 0.001000 rate, 3.500000 seconds, 6400 images, 10.500000 hours left",
        {"phase": "train", "iteration": 100, "seconds": 3.5, "train/loss": 2.25, "lr": 0.001},
    ),
    (
        "Hugging Face",
        "{'loss': 1.25, 'grad_norm': 0.5, 'learning_rate': 5e-05, 'epoch': 1.1}",
        {"phase": "train", "epoch": 2, "at": 1, "train/loss": 1.25, "train/grad_norm": 0.5, "lr": 5e-05},
    ),
    (
        "Hugging Face",
        "{'loss': '1.25', 'learning_rate': '5e-05', 'epoch': '0.1'}",
        {"phase": "train", "epoch": 1, "at": 1, "train/loss": 1.25, "lr": 5e-05},
    ),
    (
        "Kobako's demo",
        "epoch  4/20  [####....]  loss 0.0375  acc  98.9 %  ETA 0:05",
        {"phase": "train", "epoch": 4, "epochs": 20, "eta": 5, "train/loss": 0.0375, "train/acc": 98.9},
    ),
    ("Kobako's demo", "epoch 4/20  loss 0.0375  acc  --.- %  ETA 0:05", {"phase": "train", "epoch": 4, "epochs": 20, "eta": 5, "train/loss": 0.0375}),
    (
        "tqdm",
        f"Epoch 3:  {TQDM}, v_num=0, train_loss=0.500]",
        {"phase": "train", "epoch": 4, "iteration": 45, "iterations": 100, "seconds": 0.25, "train/loss": 0.5},
    ),
    ("tqdm", f"Epoch 3/10: {TQDM}, loss=0.5]", {"phase": "train", "epoch": 3, "epochs": 10, "iteration": 45, "iterations": 100, "seconds": 0.25, "train/loss": 0.5}),
    ("tqdm", " 10%|█         | 100/1000 [00:10<01:30,  2.00s/it]", {"phase": "train", "iteration": 100, "iterations": 1000, "eta": 90, "seconds": 2.0}),
    ("tqdm", f"Validation DataLoader 0:  {TQDM}]", {"phase": "val", "iteration": 45, "iterations": 100, "seconds": 0.25}),
    (
        "Lightning's rich bar",
        "Epoch 3/9 ━━━━━━━━━╸━━━━━━ 45/100 0:00:10 • 0:00:12 4.00it/s v_num: 0.000 train_loss: 0.500",
        {"phase": "train", "epoch": 4, "epochs": 10, "iteration": 45, "iterations": 100, "seconds": 0.25, "train/loss": 0.5},
    ),
    ("a tutorial's line", "Epoch [3/10], Step [100/600], Loss: 0.1250", {"phase": "train", "epoch": 3, "epochs": 10, "iteration": 100, "iterations": 600, "train/loss": 0.125}),
    ("an epoch's line", "Epoch 3/10, train loss: 0.125, val loss: 0.25", {"phase": "train", "epoch": 3, "epochs": 10, "train/loss": 0.125, "val/loss": 0.25}),
    ("an epoch's line", "2024-01-01 INFO Epoch: 3, Train Loss: 0.125, Val Loss: 0.25", {"phase": "train", "epoch": 3, "train/loss": 0.125, "val/loss": 0.25}),
    ("an epoch's head", "Epoch 2/10", {"phase": "train", "epoch": 2, "epochs": 10}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "line", "expected"), LINES)
def test_a_line_of(name: str, line: str, expected: dict[str, Any]) -> None:
    assert told(Console().feed(line)) == expected
    assert told(Console().feed(line + "\n")) == expected


def test_each_form_is_tested() -> None:
    assert {one.name for one in PATTERNS} - {name for name, _, _ in LINES} == {"ultralytics", "Keras"}  # below
    assert all(one.known_from for one in PATTERNS)


def test_keras() -> None:
    console = Console()
    console.feed("Epoch 2/10")
    place = {"phase": "train", "epoch": 2, "epochs": 10, "iterations": 100}
    assert told(console.feed(" 45/100 [===>..........] - ETA: 3s - loss: 0.5000 - accuracy: 0.9000")) == {
        **place, "iteration": 45, "train/loss": 0.5, "train/accuracy": 0.9,
    }  # fmt: skip
    line = "\x1b[1m100/100\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m6s\x1b[0m 60ms/step - accuracy: 0.9000 - loss: 0.5000 - val_loss: 0.7500"
    assert told(console.feed(line)) == {
        **place, "iteration": 100, "seconds": 0.06, "train/loss": 0.5, "train/accuracy": 0.9, "val/loss": 0.75,
    }  # fmt: skip


@pytest.mark.parametrize(
    "bar",
    [
        "45%|████▌     | 45/100 [00:10<00:12,  4.00it/s]",
        "45% ━━━━━─────── 45/100 4.0it/s 10.2s<12.8s",
        "45%|####5     | 45/100 [00:10<00:12,  4.00it/s]",
    ],
)
def test_ultralytics(bar: str) -> None:
    console = Console()
    assert console.feed("      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size") is None
    assert told(
        console.feed(f"      2/100      2.1G      1.250      2.500      1.125         12        640: {bar}")
    ) == {
        "phase": "train",
        "epoch": 2,
        "epochs": 100,
        "iteration": 45,
        "iterations": 100,
        "seconds": 0.25,
        "train/box_loss": 1.25,
        "train/cls_loss": 2.5,
        "train/dfl_loss": 1.125,
    }
    console.feed(
        "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 4/4 [00:01<00:00,  3.00it/s]"
    )
    assert told(
        console.feed("                   all        128        929      0.625      0.500      0.750      0.250")
    ) == {
        "phase": "val",
        "epoch": 2,
        "metrics/precision(B)": 0.625,
        "metrics/recall(B)": 0.5,
        "metrics/mAP50(B)": 0.75,
        "metrics/mAP50-95(B)": 0.25,
    }


def test_yolov5_counts_from_zero() -> None:
    console = Console()
    console.feed("     Epoch   gpu_mem       box       obj       cls    labels  img_size")
    facts = console.feed(
        "     0/299     3.62G   0.05000    0.0250    0.0125        50       640:  45%|####5     | 45/100 [00:10<00:12,  4.00it/s]"
    )
    assert facts is not None
    assert (facts.epoch, facts.epochs) == (1, 300)
    assert dict(facts.values) == {"train/box_loss": 0.05, "train/obj_loss": 0.025, "train/cls_loss": 0.0125}


def test_the_trainers_bar_is_that_of_the_whole_training() -> None:
    console = Console()
    output = "  0%|          | 0/300 [00:00<?, ?it/s]\r 33%|###3      | 100/300 [00:10<00:20, 10.00it/s]\r{'loss': 1.25, 'epoch': 1.0}\n"
    output += "\r 50%|#####     | 150/300 [00:15<00:15, 10.00it/s]\n"
    output += "\r100%|##########| 20/20 [00:01<00:00, 10.00it/s]\n"
    bars = console.write(output)
    assert [(one.phase, one.epoch, one.iteration, one.at, one.eta) for one in bars] == [
        ("train", None, 0, None, None),
        ("train", None, 100, None, 20),
        ("train", 1, None, 100, None),
        ("train", None, 150, None, 15),
        ("val", None, 20, None, None),
    ]
    assert bars[2].points(5.0) == [Point("train/loss", 100, 1.25, 5.0)]


def test_a_nameless_bar_for_each_epoch() -> None:
    console = Console()
    bar = "{}%|###       | {}/100 [00:10<00:20, 10.00it/s]\n"
    found = console.write("".join(bar.format(n, n) for n in (50, 100, 50, 100, 20)))
    assert [(one.epoch, one.iteration) for one in found] == [(None, 50), (None, 100), (2, 50), (2, 100), (3, 20)]


def test_bars_of_other_things_are_none() -> None:
    assert Console().feed("model.safetensors:  45%|####      | 45/100 [00:10<00:12,  4.30it/s]") is None
    assert Console().feed("model.safetensors:  45%|####      | 45.1M/100M [00:10<00:12,  4.30MB/s]") is None
    assert Console().feed("Map: 100%|##########| 1000/1000 [00:01<00:00, 900.00 examples/s]") is None


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-inf", "1e400"])
def test_a_loss_that_is_no_number(word: str) -> None:
    facts = Console().feed(f"Epoch [1][50/7330]\tlr: 2.000e-03, time: 0.5, loss: {word}")
    assert facts is not None
    assert not math.isfinite(dict(facts.values)["train/loss"])


@pytest.mark.parametrize(
    "line",
    [
        "", " ", "\x1b[0m", "loss", "Epoch", "epoch 5", "100%", "[1][2/3]", "Epoch [x][1/2]", "INFO: reading 100/200 files", "1/2 tests passed",
        "{'a': 1}", "Downloading torch-1.11.0.whl (750.6 MB)", "step 3 of the installation", "iter through all files: done",
    ],
)  # fmt: skip
def test_a_line_that_tells_nothing(line: str) -> None:
    assert Console().feed(line) is None


def test_pieces_of_output() -> None:
    console = Console()
    line = "Epoch [1][50/7330]\ttime: 0.5, loss: 1.25\n"
    assert [fact for one in line for fact in console.write(one)] == [console.feed(line)]


def test_where_numbers_stand() -> None:
    assert Facts(epoch=2, iteration=10, iterations=100).step() == 110
    assert Facts(iteration=10, iterations=100).step() == 10
    assert Facts("val", epoch=2, iteration=10, iterations=100).step() == 2
    assert Facts(epoch=2, iteration=10).step() is None
    assert Facts(values=(("train/loss", 1.0),)).points(1.0) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:05", 5),
        ("1:02:03", 3723),
        ("1 day, 2:03:04", 93784),
        ("12 days, 0:00:01", 1036801),
        ("3s", 3),
        ("?", None),
        ("a:b", None),
        ("once a day, 2:03", None),
        ("\u00b2s", None),
        ("\u0661:\u0662\u0663", None),
        ("123456 days, 2:03", None),
        ("5:", None),
    ],
)
def test_clock(text: str, seconds: float | None) -> None:
    assert clock(text) == seconds


@given(st.text(max_size=300))
def test_any_line(line: str) -> None:
    console = Console()
    for _ in range(2):
        facts = console.feed(line)
        assert facts is None or facts.points(0.0) is not None
    console.write(line)


ODD = st.sampled_from(
    [
        *(
            "\u00b2",
            "\u0661",
            "\u096b",
            "\U0001d7db",
            "\u0131nf",
            "\u017f",
            "\u212a",
            "9" * 12,
            "9" * 40,
            "1e999",
            "nan",
            "inf",
        ),
        *("0", "0.0", "-1", "1e-320", ".", "1.2.3", "", " ", "once a day, 2:03", "99999 days, 1:00:00", "eta: 2:03"),
    ]
)


@given(st.data())
def test_lines_with_what_nobody_writes_in_them(data: st.DataObject) -> None:
    """Digits of other scripts, numbers without end: no line breaks what reads it, or the bar."""
    line = data.draw(st.sampled_from([line for _, line, _ in LINES]))
    for _ in range(data.draw(st.integers(1, 4))):
        spots = [found.span() for found in re.finditer(r"\d+|[A-Za-z]+|\W", line)]
        begin, end = data.draw(st.sampled_from(spots)) if spots else (0, 0)
        line = line[:begin] + data.draw(ODD) + line[end:]
    console, progress = Console(), Progress("x")
    for time in (1.0, 2.0):
        facts = console.feed(line)
        if facts is not None:
            progress.facts(facts, time)
            assert facts.points(time) is not None
    assert len(progress.bar(60, 3.0)) <= 60
    assert progress.line(3.0) is not None


@pytest.mark.parametrize(
    "line",
    [
        "iteration 5/ 5 | consumed samples: 5 | once a day, 2:03",
        "Epoch(train) [1][1/3]\u00b2s",
        "Epoch [1][1/\u0663] loss: 1",
    ],
)
def test_lines_that_once_broke_it(line: str) -> None:
    Console().feed(line)


PARTS = st.sampled_from(
    [
        "Epoch",
        " [",
        "]",
        "1",
        "/",
        "12",
        ": ",
        "loss",
        "=",
        " ",
        "%|",
        "|",
        "it/s",
        "eta",
        ".",
        "e",
        "{'",
        "'",
        "nan",
        "iter ",
        "\r",
        "all",
        "G ",
        "-",
    ]
)


@given(st.lists(PARTS, max_size=60).map("".join))
def test_any_line_of_such_parts(line: str) -> None:
    Console().feed(line)


@pytest.mark.parametrize(
    "part",
    [
        "Epoch [1][",
        "loss: ",
        "1",
        "a ",
        "a: 1, ",
        "Epoch: [",
        "100%|",
        "|",
        "iter: 1 loss",
        "epoch 1/2 ",
        "{'loss': ",
        "1/2 ",
        "a b c d ",
        " ",
        "G 1",
        ". ",
        "[1/2] ",
        "=1",
        "\x1b[",
        "\r",
    ],
)
def test_a_line_of_a_megabyte_is_cut(part: str) -> None:
    """Not timed: a form that took more than its length would hold the suite up for minutes."""
    for begin in (
        "",
        "Epoch [1][50/100]",
        "Epoch: [0] [1/2]",
        "epoch 1 ",
        "iter: 1 ",
        "{'loss': 1",
        "Train: 0 [1/2 (1%)]",
        "iter 1: loss ",
        "1/2 [=] ",
    ):
        console = Console()
        console.feed(begin + part * (1_000_000 // len(part)))
        console.write(begin + part * (1_000_000 // len(part)))
        console.feed((begin + part * LONGEST)[:LONGEST])
