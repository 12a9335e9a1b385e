"""One spelling for one number, and what a name says of it."""

from __future__ import annotations

import pytest

from kobako.train.metrics.tags import evaluates, family, is_loss, lower_is_better, normal


@pytest.mark.parametrize(
    ("tag", "phase", "expected"),
    [
        ("train/loss", "", "train/loss"),
        ("Loss/train", "", "train/loss"),
        ("loss/val", "", "val/loss"),
        ("train_loss", "", "train/loss"),
        ("training/Accuracy", "", "train/accuracy"),
        ("validation/loss", "", "val/loss"),
        ("eval_loss", "", "val/loss"),
        ("eval/loss", "", "val/loss"),
        ("test/accuracy", "", "test/accuracy"),
        ("loss", "", "train/loss"),
        ("loss_rpn_cls", "train", "train/loss_rpn_cls"),
        ("bbox_mAP", "val", "val/bbox_mAP"),
        ("coco/bbox_mAP", "val", "coco/bbox_mAP"),
        ("learning_rate", "train", "lr"),
        ("train/learning_rate", "", "lr"),
        ("train/lr", "", "lr"),
        ("lr/pg0", "", "lr/pg0"),
        ("time", "train", "time/iteration"),
        ("memory", "", "memory"),
        ("grad_norm", "", "grad_norm"),
        ("metrics/mAP50(B)", "", "metrics/mAP50(B)"),
        ("", "", "?"),
        ("/", "", "?"),
        ("train/", "", "train"),
        (" a\nb ", "", "a b"),
    ],
)
def test_one_spelling(tag: str, phase: str, expected: str) -> None:
    assert normal(tag, phase) == expected
    assert normal(expected) == expected


def test_a_name_is_cut() -> None:
    assert len(normal("x" * 100_000)) == 200


@pytest.mark.parametrize(
    "tag", ["train/loss", "train/loss_cls", "val/box_loss", "train/nll", "train/lm_loss", "total_loss"]
)
def test_losses(tag: str) -> None:
    assert is_loss(tag)
    assert lower_is_better(tag)


@pytest.mark.parametrize("tag", ["val/acc", "val/bbox_mAP", "train/glossy", "lr", "coco/bbox_mAP_50"])
def test_no_losses(tag: str) -> None:
    assert not is_loss(tag)


@pytest.mark.parametrize(
    ("tag", "lower"),
    [("val/perplexity", True), ("val/WER", True), ("val/mae", True), ("val/mAP", False), ("val/top1", False)],
)
def test_which_way_is_better(tag: str, lower: bool) -> None:
    assert lower_is_better(tag) is lower


def test_families_and_evaluations() -> None:
    assert family("val/loss") == family("train/loss") == "loss"
    assert family("coco/bbox_mAP") == "coco/bbox_mAP"
    assert [
        one
        for one in ("val/loss", "train/loss", "coco/bbox_mAP", "metrics/recall(B)", "lr", "memory", "train/acc")
        if evaluates(one)
    ] == [
        "val/loss",
        "coco/bbox_mAP",
        "metrics/recall(B)",
    ]
