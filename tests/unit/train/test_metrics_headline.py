"""Which number stands for a run."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.train.metrics import headline


class Kept(NamedTuple):
    tag: str


def shown(*tags: str) -> list[str]:
    return [one.tag for one in headline(map(Kept, tags))]


MMDETECTION = ("lr", "memory", "train/acc", "train/loss", "train/loss_bbox", "train/loss_cls", "train/loss_rpn_cls")
YOLOX = ("lr", "train/cls_loss", "train/conf_loss", "train/iou_loss", "train/l1_loss", "train/total_loss")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (MMDETECTION, ["train/loss"]),
        (
            (*MMDETECTION, "val/bbox_mAP", "val/bbox_mAP_50", "val/bbox_mAP_75", "val/bbox_mAP_l"),
            ["val/bbox_mAP", "train/loss"],
        ),
        ((*MMDETECTION, "coco/bbox_mAP_50", "coco/bbox_mAP"), ["coco/bbox_mAP", "train/loss"]),
        (YOLOX, ["train/total_loss"]),
        ((*YOLOX, "val/COCOAP50", "val/COCOAP50_95"), ["val/COCOAP50_95", "train/total_loss"]),
        (
            ("bbox/AP50", "bbox/AP-car", "bbox/AP", "train/total_loss", "train/loss_cls"),
            ["bbox/AP", "train/total_loss"],
        ),
        (("metrics/mAP50(B)", "metrics/mAP50-95(B)", "train/box_loss"), ["metrics/mAP50-95(B)"]),
        (("train/loss", "val/loss", "val/accuracy"), ["val/accuracy", "train/loss", "val/loss"]),
        (("val/accuracy_top-5", "val/accuracy_top-1"), ["val/accuracy_top-1"]),
        (("val/wer", "val/loss", "val/time", "val/lr"), ["val/wer", "val/loss"]),
        (("acc", "loss"), ["acc", "loss"]),
        (("train/acc", "train/loss_a", "train/b_loss"), ["train/b_loss"]),
        (("lr", "grad_norm"), ["grad_norm"]),
        (("lr",), ["lr"]),
        (("epoch", "memory", "time/iteration"), []),
        ((), []),
    ],
)
def test_what_is_shown_first(tags: tuple[str, ...], expected: list[str]) -> None:
    """In whatever order they come."""
    assert shown(*tags) == expected
    assert shown(*tags[::-1]) == expected


@given(st.lists(st.text(max_size=30), max_size=10))
def test_any_tags(tags: list[str]) -> None:
    found = shown(*tags)
    assert len(found) == len(set(found)) <= 3
    assert set(found) <= set(tags)
