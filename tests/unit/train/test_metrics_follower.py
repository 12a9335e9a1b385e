"""Finding the files, and giving each number once."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tensorboardX import SummaryWriter

from kobako.train.metrics import Follower, Point, folders
from kobako.train.metrics import follower as following
from kobako.train.metrics.folders import Folders
from kobako.train.metrics.lines import JsonLines
from kobako.train.metrics.states import State

LONG_AGO = time.time() - 86_400


def add(path: Path, *records: Mapping[str, float | str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(json.dumps(one) + "\n" for one in records)


def told(points: list[Point]) -> list[tuple[str, int, float]]:
    return [one[:3] for one in points]


def test_files_are_found_as_they_come(tmp_path: Path) -> None:
    follower = Follower([tmp_path / "work_dirs"], time.time())
    assert follower.poll() == []
    add(tmp_path / "work_dirs" / "a" / "metrics.json", {"iteration": 1, "total_loss": 1.5})
    add(tmp_path / "work_dirs" / "unrelated.json", {"iteration": 1, "total_loss": 9.0})
    assert told(follower.drain()) == [("train/total_loss", 1, 1.5)]
    assert follower.poll() == []
    add(tmp_path / "work_dirs" / "a" / "metrics.json", {"iteration": 2, "total_loss": 1.25})
    add(
        tmp_path / "work_dirs" / "b" / "deep" / "er" / "20240101_000000.log.json",
        {"mode": "train", "iter": 3, "loss": 2.0},
    )
    assert sorted(told(follower.drain())) == [("train/loss", 3, 2.0), ("train/total_loss", 2, 1.25)]
    assert follower.troubles() == []


def test_a_point_without_a_time_gets_that_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    add(path, {"iteration": 1, "total_loss": 1.5})
    assert Follower([tmp_path], 0).poll()[0].time == path.stat().st_mtime


def test_what_is_older_is_followed_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    add(path, {"iteration": 1, "total_loss": 1.5})
    os.utime(path, (LONG_AGO, LONG_AGO))
    follower = Follower([tmp_path], time.time())
    assert follower.drain() == []
    add(path, {"iteration": 2, "total_loss": 1.25})
    assert told(follower.poll()) == [("train/total_loss", 2, 1.25)]


def test_the_same_numbers_come_once(tmp_path: Path) -> None:
    """mmcv writes them to TensorBoard and to its log; mmengine twice to logs."""
    with SummaryWriter(str(tmp_path / "tf_logs")) as writer:
        writer.add_scalar("train/loss", 1.5, 50)
    add(tmp_path / "20240101_000000.log.json", {"mode": "train", "epoch": 1, "iter": 50, "loss": 1.5, "time": 0.5})
    add(tmp_path / "vis_data" / "scalars.json", {"step": 50, "iter": 50, "loss_cls": 0.5})
    add(tmp_path / "vis_data" / "20240101_000000.json", {"step": 50, "iter": 50, "loss_cls": 0.5})
    found = told(Follower([tmp_path], 0).drain())
    assert sorted(one for one in found if one[0].startswith("train")) == [
        ("train/loss", 50, 1.5),
        ("train/loss_cls", 50, 0.5),
    ]
    assert ("time/iteration", 50, 0.5) in found


def test_mmengines_second_copy_alone(tmp_path: Path) -> None:
    add(tmp_path / "vis_data" / "20240101_000000.json", {"step": 50, "iter": 50, "loss": 0.5})
    assert told(Follower([tmp_path], 0).drain()) == [("train/loss", 50, 0.5)]


def test_a_training_that_starts_again_writes_a_second_file(tmp_path: Path) -> None:
    for step in (1, 2):
        with SummaryWriter(str(tmp_path), filename_suffix=f".{step}") as writer:
            writer.add_scalar("train/loss", 1.5, step)
    assert sorted(told(Follower([tmp_path], 0).drain())) == [("train/loss", 1, 1.5), ("train/loss", 2, 1.5)]


def test_what_is_passed_by(tmp_path: Path) -> None:
    record = {"iteration": 1, "total_loss": 1.5}
    for name in (".git", "node_modules", "__pycache__", ".runs"):
        add(tmp_path / name / "metrics.json", record)
    add(tmp_path.joinpath(*"abcdefghij") / "metrics.json", record)  # too deep
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "elsewhere.log.json").symlink_to(tmp_path / ".git" / "metrics.json")
    (tmp_path / "metrics.json").mkdir()
    os.mkfifo(tmp_path / "results.csv")
    assert Follower([tmp_path, tmp_path / "absent"], 0).drain() == []


def test_a_log_that_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    add(path, {"iteration": 1, "total_loss": 1.5})
    follower = Follower([tmp_path], 0)
    follower.poll()
    path.rename(tmp_path / "metrics.json.1")
    assert follower.poll() == []
    add(path, {"iteration": 2, "total_loss": 1.25})
    assert told(follower.drain()) == [("train/total_loss", 2, 1.25)]


def test_troubles_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(b"this is no event file")
    (tmp_path / "metrics.json").write_bytes(b"nor is this\n")
    follower = Follower([tmp_path], 0)
    assert follower.drain() == []
    assert sorted(os.path.basename(one.partition(":")[0]) for one in follower.troubles()) == [
        "events.out.tfevents.1",
        "metrics.json",
    ]
    follower.drain()
    assert follower.troubles() == []


def test_a_lot_comes_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "POINTS", 10)
    for number in range(5):
        add(tmp_path / str(number) / "metrics.json", *({"iteration": n, f"loss_{number}": 1.0} for n in range(8)))
    follower = Follower([tmp_path], 0)
    parts: list[int] = []
    while not parts or follower.behind:
        parts.append(len(follower.poll()))
    assert parts == [16, 16, 8]


def test_a_large_tree_is_walked_over_many_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LOOKS", 3)
    for number in range(20):
        add(tmp_path / str(number) / "metrics.json", {"iteration": 1, f"loss_{number}": 1.0})
    follower = Follower([tmp_path], 0)
    first = follower.poll()
    assert len(first) < 20
    assert len(first + follower.drain()) == 20


def test_a_folder_of_data_is_listed_ever_more_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LARGE", 10)
    for number in range(20):
        (tmp_path / f"{number}.jpg").touch()
    walk = Folders((str(tmp_path),), following._WANTED)
    listed = []
    start = time.time() + 100
    for second in range(64):
        (tmp_path / f"more{second}.jpg").touch()
        os.utime(tmp_path, (start + second - 10, start + second - 10))
        assert list(walk.look(start + second)) == []
        listed.append(walk._listed > 0)
    assert [number for number, one in enumerate(listed) if one] == [0, 1, 3, 7, 15, 31, 63]


def test_no_more_folders_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_FOLDERS", 5)
    for number in range(20):
        (tmp_path / str(number)).mkdir()
    walk = Folders((str(tmp_path),), following._WANTED)
    list(walk.look(time.time()))
    list(walk.look(time.time()))
    assert len(walk._waiting) == 5


def write_events(folder: Path, step: int, value: float) -> None:
    with SummaryWriter(str(folder), filename_suffix=f".{step}") as writer:
        writer.add_scalar("train/total_loss", value, step)


def write_state(path: Path, *steps: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"log_history": [{"step": step, "loss_hf": 1.0} for step in steps]}))


def test_a_run_right_after_another(tmp_path: Path) -> None:
    """Of each kind of file there is one, written a moment ago by the run before; the next adds to them, or makes new."""
    write_events(tmp_path / "tensorboard", 100, 8.4)
    add(tmp_path / "metrics.json", {"iteration": 100, "loss_d2": 9.0})
    (tmp_path / "results.csv").write_text("epoch,loss_csv\n1,3.0\n")
    write_state(tmp_path / "checkpoint-100" / "trainer_state.json", 50, 100)
    follower = Follower([tmp_path], time.time())
    follower.settle()
    assert follower.drain() == []
    write_events(tmp_path / "tensorboard", 110, 7.5)
    add(tmp_path / "metrics.json", {"iteration": 110, "loss_d2": 8.5})
    with (tmp_path / "results.csv").open("a") as file:
        file.write("2,2.5\n")
    write_state(tmp_path / "checkpoint-150" / "trainer_state.json", 50, 100, 150)
    assert sorted(told(follower.drain())) == [
        ("epoch", 2, 2.0),
        ("train/loss_csv", 2, 2.5),
        ("train/loss_d2", 110, 8.5),
        ("train/loss_hf", 150, 1.0),
        ("train/total_loss", 110, 7.5),
    ]


def test_what_was_written_anew_before_the_first_look(tmp_path: Path) -> None:
    """By another file of the same name, that is larger already; and in place, after its run had been looked at."""
    add(tmp_path / "metrics.json", {"iteration": 1, "loss_d2": 9.0})
    write_state(tmp_path / "trainer_state.json", 50)
    follower = Follower([tmp_path], time.time())
    follower.settle()
    add(tmp_path / "new", *({"iteration": n, "loss_d2": 1.0} for n in (1, 2, 3)))
    (tmp_path / "new").replace(tmp_path / "metrics.json")
    write_state(tmp_path / "trainer_state.json", 50, 100)
    found = sorted(told(follower.drain()))
    assert found == [*(("train/loss_d2", n, 1.0) for n in (1, 2, 3)), ("train/loss_hf", 100, 1.0)]


def test_a_point_older_than_the_run_is_not_its_own(tmp_path: Path) -> None:
    """Also where nobody settled: the run before wrote its last event a moment before this one started."""
    write_events(tmp_path, 100, 8.5)
    start = time.time() + 0.5
    path = next(tmp_path.iterdir())
    os.utime(path, (start + 1, start + 1))  # closed late
    assert Follower([tmp_path], start).drain() == []
    assert told(Follower([tmp_path], start - 1).drain()) == [("train/total_loss", 100, 8.5)]


def test_a_run_that_is_over_ends_where_the_next_begins(tmp_path: Path) -> None:
    write_events(tmp_path, 1, 8.0)  # of today: after its end
    began, ended = LONG_AGO, LONG_AGO + 100
    for name, at in (("early", began - 10), ("own", began + 50), ("late", ended + 50)):
        add(tmp_path / name / "metrics.json", {"iteration": 1, f"loss_{name}": 1.0})
        os.utime(tmp_path / name / "metrics.json", (at, at))
    stamped = [{"step": 1, "loss_t": 1.0, "_timestamp": at} for at in (began - 5, began + 5, ended + 5)]
    add(tmp_path / "log.jsonl", *stamped)
    found = Follower([tmp_path], began, ended).drain()
    assert sorted((one.tag, one.time) for one in found) == [
        ("train/loss_own", pytest.approx(began + 50)),
        ("train/loss_t", began + 5),
    ]


def test_where_the_run_writes_is_learned_later(tmp_path: Path) -> None:
    add(tmp_path / "a" / "metrics.json", {"iteration": 1, "loss_a": 1.0})
    add(tmp_path / "b" / "metrics.json", {"iteration": 1, "loss_b": 1.0})
    follower = Follower([tmp_path], time.time())
    follower.settle()
    for name in "ab":
        add(tmp_path / name / "metrics.json", {"iteration": 2, f"loss_{name}": 0.5})
        add(tmp_path / name / "new" / "metrics.json", {"iteration": 2, f"loss_new_{name}": 0.5})
    add(tmp_path / ".hidden" / "metrics.json", {"iteration": 2, "loss_h": 0.5})
    follower.only([tmp_path / "b", tmp_path / ".hidden"])
    assert sorted(told(follower.drain())) == [
        ("train/loss_b", 2, 0.5),
        ("train/loss_h", 2, 0.5),
        ("train/loss_new_b", 2, 0.5),
    ]


def test_thousands_of_old_files_leave_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_FILES", 6)
    for number in range(20):
        add(tmp_path / f"old{number}" / "metrics.json", {"iteration": 1, "loss_old": 1.0})
    follower = Follower([tmp_path], time.time())
    follower.settle()
    add(tmp_path / "new" / "metrics.json", {"iteration": 1, "loss_new": 1.0})
    assert told(follower.drain()) == [("train/loss_new", 1, 1.0)]


def written(path: Path, text: str) -> None:
    """Written anew in place, at once, as by a script that opens its log with "w"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(time.time_ns(), time.time_ns()))  # whatever the file system's clock


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_second_training_that_writes_the_same_log(tmp_path: Path, rows: int) -> None:
    """With the same seed its beginning is that of the one before, or all of it."""
    lines = [f'{{"step": {n}, "loss": {1 / n}, "learning_rate": 0.{"0" * 70}1}}\n' for n in (1, 2, 3)]
    table = ["epoch,loss\n", *(f"{n},{1 / n}\n" for n in (1, 2, 3))]
    (tmp_path / "metrics.jsonl").write_text("".join(lines))
    (tmp_path / "results.csv").write_text("".join(table))
    os.utime(tmp_path / "metrics.jsonl", (LONG_AGO, LONG_AGO))
    os.utime(tmp_path / "results.csv", (LONG_AGO, LONG_AGO))
    follower = Follower([tmp_path], time.time())
    follower.settle()
    assert follower.drain() == []
    written(tmp_path / "metrics.jsonl", "".join(lines[:rows]))
    points = [("lr", n, float(f"0.{'0' * 70}1")) for n in range(1, rows + 1)]
    points += [("train/loss", n, 1 / n) for n in range(1, rows + 1)]
    assert sorted(told(follower.drain())) == points
    (tmp_path / "metrics.jsonl").unlink()
    follower = Follower([tmp_path], time.time())
    follower.settle()
    written(tmp_path / "results.csv", "".join(table[: rows + 1]))
    assert [one for one in told(follower.drain()) if one[0] != "epoch"] == points[rows:]


def test_written_anew_with_another_end_before_the_place_that_was_read(tmp_path: Path) -> None:
    head = f'{{"config": "{"x" * 100}"}}\n'
    path = tmp_path / "metrics.jsonl"
    path.write_text(head + '{"step": 1, "loss": 9.0}\n')
    follower = Follower([tmp_path], time.time())
    follower.settle()
    written(path, head + '{"step": 1, "loss": 1.0}\n{"step": 2, "loss": 0.5}\n')
    assert told(follower.drain()) == [("train/loss", 1, 1.0), ("train/loss", 2, 0.5)]


def test_what_grows_is_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    add(path, *({"step": n, "loss": 1.0} for n in (1, 2, 3)))
    follower = Follower([tmp_path], time.time())
    follower.settle()
    for n in (4, 5):
        add(path, {"step": n, "loss": 0.5})
        assert told(follower.drain()) == [("train/loss", n, 0.5)]
        os.utime(path)
        assert follower.drain() == []


def test_states_of_a_training_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest is read before a run starts; a run that begins from nothing writes the old ones anew."""
    for step in (50, 100, 150):
        path = tmp_path / f"checkpoint-{step}" / "trainer_state.json"
        write_state(path, *range(50, step + 1, 50))
        os.utime(path, (LONG_AGO + step, LONG_AGO + step))
    read: list[str] = []
    inner = State.read

    def counted(self: State) -> list[Point]:
        read.append(self._path)
        return inner(self)

    monkeypatch.setattr(State, "read", counted)
    follower = Follower([tmp_path], time.time())
    follower.settle()
    assert [os.path.basename(os.path.dirname(path)) for path in read] == ["checkpoint-150"]
    assert follower.drain() == []
    write_state(tmp_path / "checkpoint-200" / "trainer_state.json", 50, 100, 150, 200)
    assert told(follower.drain()) == [("train/loss_hf", 200, 1.0)], "it was resumed"
    again = Follower([tmp_path], time.time())
    again.settle()
    for step in (50, 100):
        write_state(tmp_path / f"checkpoint-{step}" / "trainer_state.json", *range(50, step + 1, 50))
        assert told(again.drain()) == [("train/loss_hf", step, 1.0)], "it began anew"


def test_settling_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_SETTLES", 0.2)
    for number in range(3):
        add(tmp_path / str(number) / "metrics.json", {"iteration": 1, f"loss_{number}": 1.0})
        os.utime(tmp_path / str(number) / "metrics.json", (LONG_AGO, LONG_AGO))
    read: list[JsonLines] = []
    inner = JsonLines.read

    def counted(self: JsonLines) -> list[Point]:
        read.append(self)
        time.sleep(0.3 if len(read) == 1 else 0.0)
        return inner(self)

    monkeypatch.setattr(JsonLines, "read", counted)
    follower = Follower([tmp_path], time.time())
    follower.settle()
    assert len(read) == 1, "the rest is for the first look"
    assert follower.drain() == []
    add(tmp_path / "1" / "metrics.json", {"iteration": 2, "loss_1": 0.5})
    assert told(follower.drain()) == [("train/loss_1", 2, 0.5)]


def test_one_tag_in_the_folders_of_phases(tmp_path: Path) -> None:
    """As Keras' TensorBoard callback writes them; its evaluation of a batch count of its own, too."""
    for step in (0, 1):
        for folder, loss in (("validation", 2.0), ("train", 3.0)):
            with SummaryWriter(str(tmp_path / "tb" / folder), filename_suffix=f".{step}") as writer:
                writer.add_scalar("epoch_loss", loss - step, step)
                writer.add_scalar("epoch_accuracy", loss / 4, step)
    add(tmp_path / "csv" / "eval" / "metrics.json", {"step": 3, "loss_c": 0.5, "f1": 0.25})
    add(tmp_path / "csv" / "train" / "metrics.json", {"step": 3, "loss_c": 1.5})
    assert sorted(told(Follower([tmp_path], 0).drain())) == [
        ("train/epoch_accuracy", 0, 0.75),
        ("train/epoch_accuracy", 1, 0.75),
        ("train/epoch_loss", 0, 3.0),
        ("train/epoch_loss", 1, 2.0),
        ("train/loss_c", 3, 1.5),
        ("val/epoch_accuracy", 0, 0.5),
        ("val/epoch_accuracy", 1, 0.5),
        ("val/epoch_loss", 0, 2.0),
        ("val/epoch_loss", 1, 1.0),
        ("val/f1", 3, 0.25),
        ("val/loss_c", 3, 0.5),
    ]


def test_one_tag_in_several_folders(tmp_path: Path) -> None:
    """Folds, the curves of `add_scalars`, and a training that went on in a second folder."""
    for folder, tag, step, value in (
        ("fold_0/version_0", "loss", 1, 1.0),
        ("fold_1/version_0", "loss", 1, 2.0),
        ("fold_1/version_0", "loss", 2, 1.5),
        ("fold_2/version_0", "loss", 1, 3.0),
        ("b/loss_train", "Loss", 1, 4.0),
        ("b/loss_val", "Loss", 1, 5.0),
        ("c/first", "nll", 10, 6.0),
        ("c/second", "nll", 20, 7.0),
    ):
        with SummaryWriter(str(tmp_path / folder), filename_suffix=f".{step}") as writer:
            writer.add_scalar(f"{tag}/{folder[0]}", value, step)
    assert sorted(told(Follower([tmp_path], 0).drain())) == [
        ("Loss/b", 1, 4.0),
        ("fold_1/loss/f", 1, 2.0),
        ("fold_1/loss/f", 2, 1.5),
        ("fold_2/loss/f", 1, 3.0),
        ("loss/f", 1, 1.0),
        ("nll/c", 10, 6.0),
        ("nll/c", 20, 7.0),
        ("val/Loss/b", 1, 5.0),
    ]


@pytest.mark.parametrize("name", ["test", "val"])
def test_a_run_may_be_called_like_a_phase(tmp_path: Path, name: str) -> None:
    with SummaryWriter(str(tmp_path / name)) as writer:
        writer.add_scalar("loss", 1.0, 1)
    assert told(Follower([tmp_path], 0).drain()) == [("train/loss", 1, 1.0)]
    (tmp_path / "train").mkdir()
    assert told(Follower([tmp_path / name], 0).drain()) == [("train/loss", 1, 1.0)]
