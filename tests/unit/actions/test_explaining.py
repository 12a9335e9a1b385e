"""What is said of a training that ended."""

from __future__ import annotations

from pathlib import Path

from kobako.actions import explaining
from kobako.actions.context import Context
from kobako.model.run import Failure, Metric, Run, Trouble
from unit.test_add import COMPOSE, Quiet

REFUSED = (Trouble("no configuration a.py", "looked for it from /workspace", "did you mean b.py?"), Trouble("no x"))


def context(folder: Path) -> Context:
    (folder / "compose.yaml").write_text(COMPOSE)
    return Context(folder, {}, Quiet())


def run(code: int) -> Run:
    return Run("20260101-000000-abcdef", "box", "Box", "", "", "train")._replace(status="failed", exit_code=code)


def test_what_the_entry_script_has_said_is_not_said_again(tmp_path: Path) -> None:
    refused = run(2)._replace(problems=REFUSED)
    (one,) = explaining.of(context(tmp_path), refused, was_shown=True)
    assert (one.what, one.why, one.fix) == (
        "Box was not trained (exit code 2): its entry script says why, above",
        "",
        "",
    )
    assert [found[1:4] for found in explaining.of(context(tmp_path), refused)] == list(REFUSED)


def test_a_traceback_is_shown_once(tmp_path: Path) -> None:
    failed = run(1)._replace(failure=Failure(0, "ValueError", "boom\nmore", "Traceback ...\nValueError: boom"))
    (one,) = explaining.of(context(tmp_path), failed, was_shown=True)
    assert one.what == "the training of Box ended with exit code 1: rank 0: ValueError: boom"
    assert one.why == ""
    (told,) = explaining.of(context(tmp_path), failed)
    assert told.why == "Traceback ...\nValueError: boom"


def test_the_last_lines_tell_the_most_telling_numbers() -> None:
    """Not whatever holds ``loss``, ``acc`` or ``map`` in its name."""
    tags = ("val/bbox_mAP", "train/loss", "train/loss_rpn_cls", "train/acc", "train/mapping_time", "train/lr")
    metrics = tuple(Metric(tag, 0.5, 0.5, 0.5, 1) for tag in tags)
    assert explaining.last_lines(run(0)._replace(metrics=metrics), None)[1] == "  val/bbox_mAP 0.5, train/loss 0.5"
