"""Records of runs: written and read back, picked by a word, settled, bounded, and without secrets."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kobako.actions import following
from kobako.errors import UsageError, WorkError
from kobako.model.run import Artifact, Config, Failure, Metric, Run, Source, Trouble
from kobako.train import masked, records, records_compare, records_data, records_log, records_shown, records_trace
from kobako.train.progress import Alarm
from kobako.train.records import Records, pick
from kobako.train.records_metrics import Metrics, main_metric
from kobako.train.records_trace import Place

IDS = ("20260103-000000-cccccc", "20260102-000000-bbbbbb", "20260101-000000-aabbbb")
RUN = Run("20260101-000000-aaaaaa", "box", "Box", "2026-01-01T00:00:00+09:00", "2026-01-01T00:00:00+09:00", "train")


class Point(NamedTuple):
    tag: str
    step: int
    value: float
    time: float = 0.0


def whole() -> Run:
    return RUN._replace(
        status="failed",
        command=("python", "Box/tools/clearml_train.py"),
        packages={"torch": "2.0"},
        source=Source("https://x/y", "c" * 40, "main", dirty=True, patch="source.patch"),
        failure=Failure(1, "ValueError", "no", "Traceback"),
        metrics=(Metric("loss", None, 0.5, 1.5, 3, 3), Metric("lr", 1e-30, 0.0, 1.0, 3)),
        artifacts=(Artifact("a.pth", 3, "checkpoint", last=True), Artifact("b.pth", 3, "checkpoint", best=True)),
        exit_code=1,
    )


def test_written_and_read_back(tmp_path: Path) -> None:
    there = Records(tmp_path)
    run = whole()
    there.write(run)
    assert there.read(run.id) == run
    assert there.all() == records.Found((run,))
    assert [path.name for path in there.of(run.id).iterdir()] == ["record.json"]
    assert run.checkpoint == run.artifacts[0]
    assert (tmp_path / ".kobako" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    there.remove(run.id)
    assert there.ids() == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": "kobako-run/2"}, "a newer Kobako"),
        ({"schema": None}, "no record"),
        ({"status": "maybe"}, "status is 'maybe', not running or done"),
        ({"exit_code": "1"}, "exit_code is '1', not int"),
        ({"exit_code": True}, "exit_code is 'True', not int"),
        ({"source": []}, "source is not an object"),
        ({"metrics": [{"tag": 3}]}, r"metrics\[0\].tag is '3', not str"),
        ({"id": "other"}, "the record of other"),
    ],
)
def test_a_broken_record_is_named_and_hides_no_other(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    there = Records(tmp_path)
    there.write(RUN)
    other = RUN._replace(id="20260101-000000-bbbbbb")
    there.write(other)
    path = there.of(RUN.id) / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    found = there.all()
    assert found.runs == (other,)
    assert [problem.code for problem in found.problems] == ["bad-record"]
    with pytest.raises(WorkError) as caught:
        there.read(RUN.id)
    assert pytest.importorskip("re").search(why, caught.value.why)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00", "[" * 100_000])
def test_what_is_no_json(tmp_path: Path, text: str) -> None:
    there = Records(tmp_path)
    there.make(RUN.id)
    (there.of(RUN.id) / "record.json").write_text(text, encoding="utf-8")
    assert [problem.code for problem in there.all().problems] == ["bad-record"]


def test_an_unknown_key_is_left_aside(tmp_path: Path) -> None:
    there = Records(tmp_path)
    there.write(RUN)
    path = there.of(RUN.id) / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "more": 1}), encoding="utf-8")
    assert there.read(RUN.id) == RUN


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("last", IDS[0]),
        ("last-2", IDS[2]),
        (IDS[1], IDS[1]),
        ("20260102", IDS[1]),
        ("cccccc", IDS[0]),
        ("aabbbb", IDS[2]),
    ],
)
def test_a_run_by_a_word(word: str, found: str) -> None:
    assert pick(word, IDS) == found


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("last-3", "there are 3"),
        ("2026", "20260103-000000-cccccc, 20260102-000000-bbbbbb, 20260101-000000-aabbbb"),
        ("cccccd", "did you mean 20260103-000000-cccccc?"),
        ("zz", "kobako runs lists them"),
        ("", "kobako runs lists them"),
    ],
)
def test_a_word_that_means_none_or_several(word: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        pick(word, IDS)
    assert caught.value.code == "unknown-run"
    assert said in (caught.value.why, caught.value.fix)


def test_who_writes_a_record() -> None:
    mine = records.recorder()
    assert records.at_work(mine) is True
    assert records.at_work(mine._replace(start=mine.start + 1)) is False
    assert records.at_work(mine._replace(boot="another")) is False
    assert records.at_work(mine._replace(hostname="another")) is None


def test_the_log_keeps_the_last_state_of_a_line(tmp_path: Path) -> None:
    log = records_log.Log(tmp_path / "log.txt")
    assert log.feed(1, b"one\ntw") == [b"one"]
    assert log.feed(2, b"\r 10%") == [b" 10%"]
    assert log.feed(2, b"\r 20%\r 30%") == [b" 30%"]
    assert log.feed(1, b"o\r\n") == [b"two"]
    assert log.feed(2, b"\r100%\nend") == [b"100%"]
    log.close()
    assert (tmp_path / "log.txt").read_bytes() == b"one\ntwo\n100%\nend\n"


def test_the_log_is_bounded_and_blotted(tmp_path: Path) -> None:
    log = records_log.Log(tmp_path / "log.txt", masked.Blots(["secret-key"]), half=100)
    for number in range(30):
        log.feed(1, b"line %02d secret-key\n" % number)
    log.close()
    assert log.dropped
    text = (tmp_path / "log.1.txt").read_bytes() + (tmp_path / "log.txt").read_bytes()
    assert len(text) <= 200
    assert text.endswith(b"line 29 ***\n")
    assert b"secret" not in text


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    log = records_log.Log(tmp_path / "none" / "log.txt")
    assert log.feed(1, b"a\n") == [b"a"]
    log.close()
    assert log.trouble == "No such file or directory"


def test_metrics_are_summed_and_kept(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.add([Point("loss", 1, 3.0), Point("loss", 2, float("nan")), Point("acc", 2, 0.5, 7.0)])
    metrics.add([Point("loss", 3, 1.0)])
    assert metrics.sums() == (Metric("acc", 0.5, 0.5, 0.5, 2, 1), Metric("loss", 1.0, 1.0, 3.0, 3, 3))
    kept = list(records.points(tmp_path))
    assert [one[:2] for one in kept] == [("loss", 1), ("loss", 2), ("acc", 2), ("loss", 3)]
    assert kept[1][2] != kept[1][2], "NaN comes back"
    main = main_metric(metrics.sums())
    assert main is not None
    assert main.tag == "acc"


def test_secrets_of_a_command_line() -> None:
    given = (
        "python",
        "x.py",
        "--api_key",
        "abcdef",
        "--token=abcdef",
        "--lr",
        "1",
        "https://me:pw@host/x",
        "--password",
        "--flag",
    )
    assert masked.words(given) == (
        *(
            "python",
            "x.py",
            "--api_key",
            "***",
            "--token=***",
            "--lr",
            "1",
            "https://***@host/x",
            "--password",
            "--flag",
        ),
    )
    assert masked.variables({"WANDB_API_KEY": "abc", "LR": "1", "CLEARML_API_HOST": "http://x"}) == {
        "WANDB_API_KEY": "***",
        "LR": "1",
        "CLEARML_API_HOST": "***",
    }


def test_the_fingerprint_of_data(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").write_text("x", encoding="utf-8")
    (tmp_path / "a" / "2").write_text("yy", encoding="utf-8")
    (tmp_path / "b").symlink_to("a", target_is_directory=True)
    (tmp_path / "loop").symlink_to(".", target_is_directory=True)
    first = records_data.fingerprint(tmp_path, "data")
    assert (first.files, first.bytes, first.left_out) == (2, 3, "")
    assert records_data.fingerprint(tmp_path, "data") == first
    os.utime(tmp_path / "a" / "1", (5, 5))
    assert records_data.fingerprint(tmp_path, "data").fingerprint != first.fingerprint
    bounded = records_data.fingerprint(tmp_path, "data", records_data.Bounds(1, 9.0))
    assert (bounded.files, bounded.left_out) == (1, "only the first 1 files were looked at")
    assert records_data.fingerprint(tmp_path / "none", "data").left_out == "it is not there"
    os.mkfifo(tmp_path / "pipe.py")
    assert records_data.code(tmp_path)[0] is not None, "and nobody waits at a named pipe"


def test_what_names_the_data() -> None:
    text = "dataset_type = 'Coco'\ndata_root = 'data/coco/'\n# data_root = 'x'\nother: 3\n"
    assert records_data.named(("--dataset_path=data/mine", "--lr=1"), text) == ("data/mine", "data/coco/")


PLACE = Place("/ws", (("/workspace/Box", "/ws/Box"), ("/workspace", "/elsewhere")))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("Box/work_dirs/a", "Box/work_dirs/a"),
        ("/workspace/Box/x", "Box/x"),
        ("/workspace/Boxer", "/elsewhere/Boxer"),
        ("/tmp/x", "/tmp/x"),
        ("Box/../../etc", "/etc"),
        ("/ws/Box/x", "Box/x"),
        (None, None),
    ],
)
def test_paths_inside_and_outside(path: str | None, shown: str | None) -> None:
    assert PLACE.shown(path, "/workspace") == shown


def trace(folder: Path, **said: Any) -> Path:
    place = folder / "work_dirs" / ".runs" / RUN.id
    place.mkdir(parents=True, exist_ok=True)
    (place / "run.json").write_text(json.dumps({"schema": "kobako-trace/1", "id": RUN.id, **said}), encoding="utf-8")
    return place


def test_a_trace_that_is_nonsense_harms_nobody(tmp_path: Path) -> None:
    """Whatever is in it came from inside."""
    values: tuple[Any, ...] = (
        None,
        3,
        "x",
        [],
        {},
        [1, {"a": None}],
        {"path": 3, "files": {}, "snapshot": "../../x"},
        "\ud800",
        "x" * 9000,
    )
    names = (
        "command",
        "cwd",
        "host",
        "config",
        "packages",
        "dataset",
        "clearml",
        "error",
        "artifacts",
        "problems",
        "started",
        "status",
    )
    for value in values:
        trace(tmp_path, **dict.fromkeys(names, value))
        found = records_trace.read(tmp_path, RUN.id)
        assert found is not None
        run = records_trace.ended(records_trace.applied(RUN, found, PLACE), found)
        Records(tmp_path).write(run)
        assert Records(tmp_path).read(RUN.id) == run
        assert run.config.snapshot is None
        records_shown.one(run, "x")


def test_a_trace_is_alive_while_it_gives_signs(tmp_path: Path) -> None:
    place = trace(tmp_path, status="running")
    (place / "alive").touch()
    found = records_trace.read(tmp_path, RUN.id)
    assert found is not None
    assert found.status == "running"
    for name in ("alive", "run.json"):
        os.utime(place / name, (time.time() - 61,) * 2)
    found = records_trace.read(tmp_path, RUN.id)
    assert found is not None
    assert found.status == "lost"


def test_links_and_giants_are_no_traces(tmp_path: Path) -> None:
    place = trace(tmp_path)
    (place / "run.json").rename(place / "real.json")
    (place / "run.json").symlink_to("real.json")
    assert records_trace.read(tmp_path, RUN.id) is None
    (place / "run.json").unlink()
    (place / "run.json").write_bytes(b" " * 4_000_001)
    with pytest.raises(ValueError, match="larger"):
        records_trace.read(tmp_path, RUN.id)
    (tmp_path / "work_dirs" / ".runs" / "..x").mkdir()
    assert records_trace.names(tmp_path) == (RUN.id,)


def test_the_table(tmp_path: Path) -> None:
    other = whole()._replace(id="b", config=Config("configs/b.py"), ended="2026-01-01T01:00:05+09:00")
    assert records_shown.listing([other, RUN], None) == (
        "RUN                     SERVICE  STATUS      STARTED           TOOK     METRIC    CONFIGURATION\n"
        "b                       box      failed (1)  2026-01-01 00:00  1:00:05  loss nan  configs/b.py\n"
        "20260101-000000-aaaaaa  box      running     2026-01-01 00:00"
    )
    assert all(len(line) <= 40 for line in records_shown.listing([other, RUN], 40).splitlines())


def test_compared(tmp_path: Path) -> None:
    there = Records(tmp_path)
    other = whole()._replace(id="20260101-000000-bbbbbb", command=("python", "x", "--lr=2"))
    for run, text in ((RUN, "lr = 1\n"), (other, "lr = 2\n")):
        there.write(run)
        (there.of(run.id) / "config").mkdir()
        (there.of(run.id) / "config" / "a.py").write_text(text, encoding="utf-8")
    found = records_compare.compare([RUN, other], there.of)
    assert ("status", ("running", "failed (1)")) in [tuple(one) for one in found.facts]
    assert ("--lr", (None, "2")) in [tuple(one) for one in found.options]
    assert ("torch", (None, "2.0")) in [tuple(one) for one in found.packages]
    assert "-lr = 1\n+lr = 2\n" in found.config
    same = records_compare.compare([RUN, RUN], there.of)
    assert records_compare.shown([RUN, RUN], same) == "nothing that is recorded tells them apart"


def test_fingerprints_of_two_kinds_are_not_compared(tmp_path: Path) -> None:
    """What the run saw from inside and what was seen from outside are of other things."""
    (tmp_path / "x").write_text("1", encoding="utf-8")
    data = records_data.fingerprint(tmp_path, "data")
    outside, inside = RUN._replace(data=data), RUN._replace(data=data._replace(fingerprint="names-sizes:sha256:00"))
    found = records_compare.compare([outside, inside], lambda _: tmp_path).facts
    assert [one.values for one in found if one.name == "data digest"] == [
        ("names-sizes-times:sha256: cannot be compared", "names-sizes:sha256: cannot be compared")
    ]
    assert not records_compare.compare([outside, outside], lambda _: tmp_path).facts


def test_room_is_kept_while_a_run_goes_on(tmp_path: Path) -> None:
    there = Records(tmp_path)
    there.write(RUN)
    assert (there.of(RUN.id) / records.RESERVE).stat().st_size == records.ROOM
    there.write(RUN._replace(status="done"))
    assert [path.name for path in there.of(RUN.id).iterdir()] == ["record.json"]


def test_what_went_wrong_stands_at_the_top(tmp_path: Path) -> None:
    run = whole()._replace(problems=(Trouble("loss is nan"),))
    text = records_shown.one(run, ".kobako")
    assert text.index("loss is nan") < text.index("metrics:")
    done, failed = run._replace(status="done"), run._replace(status="failed")
    listed = records_shown.listing([done, failed, RUN], None).splitlines()
    assert [" * " in line for line in listed[:4]] == [False, True, False, False]
    assert listed[-1] == "* something went wrong on the way: kobako runs show RUN"


def test_one_warning_for_a_step_at_which_many_are_no_numbers() -> None:
    told: set[int] = set()
    nan = [Alarm(tag, 2, float("nan"), recovered=False) for tag in ("train/loss", "train/loss_cls", "train/loss_bbox")]
    (problem,) = following._alarms(nan, told)
    assert problem.what == "train/loss and 2 more are nan at step 2"
    assert following._alarms(nan[:1], told) == []
    assert following._alarms([Alarm("x", 3, 1.0, recovered=True)], told) == []
    assert [one.what for one in following._alarms([nan[0]._replace(step=4)], told)] == ["train/loss is nan at step 4"]
