"""Records of runs, on the local engine and on Docker: from outside, from inside, killed, failing, at a terminal."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.localbox import Box, begun, gone
from engines.runbox import CONF, RECIPE, TRAINING, fill
from infra.client import clean_environment
from infra.need import need
from infra.run import kobako_argv, kobako_environment, run
from infra.terminal import Terminal, Tmux
from kobako.train import records as records_of

pytestmark = [pytest.mark.network, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    need("bubblewrap", shutil.which("bwrap"), "apt-get install bubblewrap")
    folder = tmp_path_factory.mktemp("runs")
    (folder / "home").mkdir()
    env = kobako_environment(clean_environment()) | {"KOBAKO_ENGINE": "local", "HOME": str(folder / "home")}
    fill(folder / "ws")
    made = Box(folder / "ws", env)
    made.ok("up", "box")
    made.ok("up", "foreign")
    yield made
    made("rm", "box")
    made("rm", "foreign")


@pytest.fixture(autouse=True)
def _clean(box: Box) -> Iterator[None]:
    yield
    shutil.rmtree(box.folder / ".kobako" / "runs", ignore_errors=True)
    shutil.rmtree(box.folder / "Box" / "work_dirs", ignore_errors=True)


def records(box: Box) -> list[dict[str, Any]]:
    """All of them, the oldest first, as they stand on the disk."""
    found = (box.folder / ".kobako" / "runs").glob("*/record.json")
    made = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    return sorted(made, key=lambda one: str(one["started"]))


def record(box: Box) -> dict[str, Any]:
    (found,) = records(box)
    return found


def test_from_outside_and_from_inside_the_same(box: Box) -> None:
    """All that differs is when it was, and who began it."""
    run(["git", "init", "-q", str(box.folder / "Box")])
    git = ["git", "-C", str(box.folder / "Box"), "-c", "user.name=a", "-c", "user.email=a@b"]
    run([*git, "add", "tools"])
    run([*git, "commit", "-qm", "x"])
    (box.folder / "Box" / "new.py").write_text("x = 1\n", encoding="utf-8")
    try:
        assert box.ok("train", "box", "--config=configs/a.py").stdout.startswith("step 1 of 4\n")
        time.sleep(2)
        box.ok("shell", "box", stdin=f"{' '.join(TRAINING)}\n")
        time.sleep(2)
        box.ok("exec", "box", *TRAINING)
    finally:
        shutil.rmtree(box.folder / "Box" / ".git")
        (box.folder / "Box" / "new.py").unlink()
    made = records(box)
    assert [one["started_by"] for one in made] == ["train", "shell", "exec"]
    changing = {"id", "started", "ended", "observed", "started_by", "log", "trace", "artifacts", "recorder"}
    same = [{name: value for name, value in one.items() if name not in changing} for one in made]
    assert same[0] == same[1] == same[2]
    assert made[0].keys() == made[1].keys() == made[2].keys()
    first = made[0]
    assert (first["status"], first["exit_code"], first["engine"], first["config"]["snapshot"]) == (
        "done",
        0,
        "local",
        "config/a.py",
    )
    assert first["command"] == list(TRAINING)
    assert re.fullmatch("[0-9a-f]{40}", first["source"]["commit"])
    assert (first["source"]["dirty"], first["source"]["patch"]) == (True, "source.patch")
    assert [(one["tag"], one["last"], one["points"]) for one in first["metrics"] if "loss" in one["tag"]] == [
        ("train/loss", 1.25, 4)
    ]
    assert first["data"]["files"] == 1
    for one in made:
        folder = box.folder / ".kobako" / "runs" / one["id"]
        assert "step 4 of 4\n" in (folder / "log.txt").read_text(encoding="utf-8")
        assert "+x = 1" in (folder / "source.patch").read_text(encoding="utf-8")
        assert (folder / "config" / "a.py").read_text(encoding="utf-8") == "lr = 0.1\n"
        assert (folder / "Dockerfile").read_text(encoding="utf-8") == RECIPE
    assert len(box.ok("runs", "--json").json["data"]["runs"]) == 3


def test_started_without_kobako_is_found(box: Box) -> None:
    """What a run left is enough: here its record is gone, as with `docker compose exec`."""
    box.ok("exec", "box", "env", "-u", "KOBAKO_SESSION", *TRAINING)
    shutil.rmtree(box.folder / ".kobako" / "runs", ignore_errors=True)
    listed = box.ok("runs", "--json").json["data"]["runs"]
    assert [(one["started_by"], one["status"], one["engine"]) for one in listed] == [("outside", "done", "local")]
    box.ok("runs", "rm", "last")
    assert box.ok("runs", "--json").json["data"]["runs"] == [], "it is not found again"


def test_compared_and_shown(box: Box) -> None:
    box.ok("train", "box", "--config=configs/a.py")
    box.ok("train", "box", "--config=configs/b.py", "--n=3")
    text = box.ok("runs", "compare", "last-1", "last", "--curves").stdout
    assert "-lr = 0.1\n" in text
    assert "+lr = 0.2\n" in text
    assert re.search(r"--n +- +3", text)
    assert re.search(r"train/loss +1\.25 +1\.667", text)
    shown = box.ok("runs", "show", "last").stdout
    assert "configs/b.py" in shown
    assert "checkpoint" in shown
    listing = box.ok("runs", "box").stdout.splitlines()
    assert [line.split()[2] for line in listing] == ["STATUS", "done", "done"]


@pytest.mark.parametrize(
    ("fail", "code", "what"), [("error", 1, "ValueError: sample 7 is broken"), ("code", 7, "exit code 7")]
)
def test_a_failure_keeps_its_code_and_says_why(box: Box, fail: str, code: int, what: str) -> None:
    done = box("train", "box", "--config=configs/a.py", f"--fail={fail}")
    assert done.code == code
    error = next(line for line in done.stderr.splitlines() if line.startswith("error: the training"))
    assert what in error
    assert (record(box)["status"], record(box)["exit_code"]) == ("failed", code)


def test_a_configuration_that_does_not_exist(box: Box) -> None:
    done = box("train", "box", "--config=configs/none.py")
    assert done.code == 2
    assert "configs/none.py" in done.stderr
    assert (record(box)["status"], record(box)["exit_code"], record(box)["config"]["path"]) == (
        "failed",
        2,
        "configs/none.py",
    )


def test_a_loss_that_is_no_number_is_told(box: Box) -> None:
    done = box.ok("train", "box", "--config=configs/a.py", "--fail=nan", "--pause=1")
    assert re.search(r"(?i)warning: .*\bnan\b", done.stdout + done.stderr), str(done)
    assert any("nan" in one["what"].lower() for one in record(box)["problems"])
    assert next(one for one in record(box)["metrics"] if one["tag"] == "train/loss")["last"] == 1.25


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(box: Box, signum: int, code: int) -> None:
    running = box.start("train", "box", "--config=configs/a.py", "--sleep=74101")
    assert begun(74101)
    assert [one["status"] for one in box.ok("runs", "--json").json["data"]["runs"]] == ["running"]
    refused = box("runs", "rm", "last")
    assert (refused.code, "is not over" in refused.stderr) == (1, True)
    running.send_signal(signum)
    out, err = running.communicate(timeout=30)
    assert running.returncode == code, err
    assert gone(74101)
    made = record(box)
    assert (made["status"], made["exit_code"], made["recorder"]) == ("interrupted", code, None)
    assert made["ended"]
    assert out.startswith(b"ready\n")
    assert f"kobako runs show {made['id']}".encode() in err


def test_kobako_killed(box: Box) -> None:
    """The training goes on; what becomes of it is told by what it leaves."""
    running = box.start("train", "box", "--config=configs/a.py", "--sleep=3")
    assert begun(3)
    running.kill()
    running.communicate()
    assert record(box)["status"] == "running"
    deadline = time.monotonic() + 30
    while box.ok("runs", "--json").json["data"]["runs"][0]["status"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    made = record(box)
    assert made["started_by"] == "train"
    # its output has nowhere to go to: it may well end at that
    assert made["status"] in {"done", "failed", "interrupted"}


def test_kobako_killed_with_a_foreign_entry(box: Box) -> None:
    running = box.start("train", "foreign", "slow")
    assert running.stdout is not None
    assert running.stdout.readline().startswith(b"Epoch")
    running.kill()
    running.communicate()
    assert [one["status"] for one in box.ok("runs", "--json").json["data"]["runs"]] == ["lost"]
    box.ok("stop", "foreign")
    box.ok("up", "foreign")


def test_a_foreign_entry(box: Box) -> None:
    """It leaves no trace: what is seen from outside is recorded. Its bytes arrive as they are."""
    done = box.ok("train", "foreign", "x")
    assert done.out.endswith(bytes(range(256)))
    made = record(box)
    assert (made["status"], made["trace"]) == ("done", None)
    assert [one["path"] for one in made["artifacts"]] == ["Foreign/out/best.pt"]
    assert [(one["tag"], one["last"]) for one in made["metrics"] if one["tag"] == "train/loss"] == [("train/loss", 1.0)]


def test_credentials_reach_the_command_alone(box: Box) -> None:
    conf = box.folder.parent / "home" / "clearml.conf"
    conf.write_text(CONF, encoding="utf-8")
    try:
        done = box("train", "foreign", "x", env={"KEY_OF_TEST": "an-access-key"})
        assert b"key a-long-secret" in done.out
        off = box("train", "foreign", "--clearml=off", env={"KEY_OF_TEST": "an-access-key"})
        assert b"key none" in off.out
    finally:
        conf.unlink()
    for path in (box.folder / ".kobako" / "runs").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"a-long-secret" not in content, path
            assert b"an-access-key" not in content, path


def test_a_record_that_cannot_be_written_stops_nothing(box: Box) -> None:
    shutil.rmtree(box.folder / ".kobako" / "runs", ignore_errors=True)
    (box.folder / ".kobako" / "runs").write_text("in the way", encoding="utf-8")
    try:
        done = box.ok("train", "foreign", "x")
    finally:
        (box.folder / ".kobako" / "runs").unlink()
    assert b"Epoch" in done.out
    assert "cannot be recorded" in done.stderr


@pytest.mark.parametrize("service", ["box", "foreign"])
def test_a_full_disk(box: Box, service: str) -> None:
    """The log ends where there is no more room; the record has its end, for it has kept room for that."""
    need("root", os.geteuid() == 0, "mounting a small file system takes it")
    slot = box.folder / ".kobako" / "runs"
    slot.mkdir(parents=True, exist_ok=True)
    mounted = run(["mount", "-t", "tmpfs", "-o", "size=1m", "kobako-test", str(slot)])
    need("a mount", mounted.code == 0, mounted.stderr)
    script = box.folder / ("Box/tools/train.py" if service == "box" else "Foreign/train.py")
    before = script.read_text(encoding="utf-8")
    script.write_text(
        "import sys\nfor i in range(60000):\n    print('step', i, '.' * 60)\nsys.exit(3)\n", encoding="utf-8"
    )
    try:
        done = box("train", service, *(["--config=configs/a.py"] if service == "box" else []))
        left = os.statvfs(slot)
        made = record(box)
        listed = box.ok("runs", "--json").json["data"]["runs"]
    finally:
        run(["umount", "-l", str(slot)])
        script.write_text(before, encoding="utf-8")
    assert done.code == 3, str(done)
    assert done.stdout.count("step") == 60000, "the training and its output know nothing of it"
    assert "the log of the run is not whole" in done.stderr
    assert (made["status"], made["exit_code"], made["recorder"]) == ("failed", 3, None)
    assert made["ended"]
    assert made["source"]["digest"]
    assert any("No space left" in one["why"] for one in made["problems"])
    assert [one["status"] for one in listed] == ["failed"]
    assert left.f_bavail * left.f_frsize <= records_of.ROOM, "it was full"


def test_a_pipe_that_is_closed(box: Box) -> None:
    running = box.start("train", "foreign", "slow")
    assert running.stdout is not None
    running.stdout.readline()
    running.stdout.close()
    running.stdout = None
    running.communicate(timeout=20)
    assert running.returncode != 0
    assert record(box)["status"] == "failed"


def test_what_is_left_in_the_background_is_not_waited_for(box: Box) -> None:
    script = box.folder / "Foreign" / "train.py"
    before = script.read_text(encoding="utf-8")
    script.write_text("import subprocess\nsubprocess.Popen(['sleep', '74110'])\nprint('end')\n", encoding="utf-8")
    began = time.monotonic()
    try:
        assert box.ok("train", "foreign").stdout == "end\n"
        assert time.monotonic() - began < 8
    finally:
        script.write_text(before, encoding="utf-8")
        box.ok("stop", "foreign")
        box.ok("up", "foreign")


def test_a_bar_at_a_terminal(box: Box, terminal: Callable[..., Terminal]) -> None:
    """The program's own bar is left alone; ours stands below whole lines, and is gone at the end."""
    screen = terminal([*kobako_argv(), "train", "foreign", "tqdm"], cwd=box.folder, env=box.env)
    assert screen.wait(30) == 0, screen.text
    output = screen.output.replace(b"\r\n", b"\n")
    assert output.count(b"it/s, loss=") == 11
    own = output.index(b"\r  0%|")
    assert b"\x1b[K" not in output[own : output.index(b"all done")], "nothing of ours between its states"
    log = (box.folder / ".kobako" / "runs" / record(box)["id"] / "log.txt").read_bytes()
    assert log.count(b"it/s, loss=") == 1


def test_a_bar_in_tmux(box: Box, tmux: Callable[..., Tmux]) -> None:
    line = shlex.join([*kobako_argv(), "train", "foreign", "slow"])
    screen = tmux(["/bin/sh", "-c", f"trap : INT; {line}; echo code $?; sleep 60"], cwd=box.folder, env=box.env)
    text = screen.wait_for(r"line 30 ")
    last = [line for line in text.splitlines() if line.strip()][-1]
    assert re.search(r"epoch 1.*loss 1\b", last), text
    assert text.count("loss 1  ") <= 1, "one bar"
    screen.keys("C-c")
    text = screen.wait_for("code 130")
    assert f"kobako runs show {record(box)['id']}" in text
    assert "ETA" not in text.split("code 130")[0].splitlines()[-1]
    assert record(box)["status"] == "interrupted"


def test_one_after_another_in_a_shell(box: Box) -> None:
    """Each has its own numbers and checkpoints, though all write to one folder and follow each other at once."""
    lines = [f"{' '.join(TRAINING)} --n={n} --pause=0.01\n" for n in (3, 2, 1)]
    box.ok("shell", "box", stdin="".join(lines))
    made = records(box)
    assert [one["points"] for run in made for one in run["metrics"] if one["tag"] == "train/loss"] == [3, 2, 1]
    assert [one["problems"] for one in made] == [[], [], []]


def test_one_that_fails_right_after_another(box: Box) -> None:
    box.ok("train", "foreign", "x")
    script = box.folder / "Foreign" / "train.py"
    before = script.read_text(encoding="utf-8")
    script.write_text("raise SystemExit(3)\n", encoding="utf-8")
    try:
        assert box("train", "foreign").code == 3
    finally:
        script.write_text(before, encoding="utf-8")
    assert [[one["path"] for one in made["artifacts"]] for made in records(box)] == [["Foreign/out/best.pt"], []]


def test_two_at_once_in_one_folder(box: Box) -> None:
    first = box.start("train", "box", "--config=configs/a.py", "--pause=1.5", "--n=3")
    assert first.stdout is not None
    assert first.stdout.readline() == b"step 1 of 3\n"
    second = box.ok("train", "box", "--config=configs/a.py", "--n=2")
    first.communicate(timeout=30)
    told = [one["what"] for made in records(box) for one in made["problems"]]
    ids = [made["id"] for made in records(box)]
    assert told == [f"the run shares its folder with run {other}" for other in reversed(ids)]
    assert "warning: the run shares its folder with run" in second.stderr


def test_no_runs_yet(box: Box) -> None:
    assert box.ok("runs").stdout == "no runs yet: kobako train SERVICE\n"
    assert box("runs", "last").code == 2
    zero = box("runs", "list", "--last", "0")
    assert (zero.code, "0 is no number of runs: --last 1 shows the newest" in zero.stderr) == (2, True)


def test_runs_without_a_workspace(tmp_path: Path) -> None:
    done = run([*kobako_argv(), "runs"], cwd=tmp_path, env=kobako_environment(clean_environment()))
    assert (done.code, "no compose file" in done.stderr, done.stdout) == (2, True, "")


def test_a_pipe_in_the_repository_keeps_nobody_waiting(box: Box) -> None:
    """git would wait for it for ever; a training inside can make one at any time."""
    pipe = box.folder / "Box" / ".gitignore"
    run(["git", "init", "-q", str(box.folder / "Box")])
    git = ["git", "-C", str(box.folder / "Box"), "-c", "user.name=a", "-c", "user.email=a@b"]
    run([*git, "add", "tools"])
    run([*git, "commit", "-qm", "x"])
    os.mkfifo(pipe)
    began = time.monotonic()
    try:
        box.ok("exec", "box", "env", "-u", "KOBAKO_SESSION", *TRAINING)
        listed = box.ok("runs", "--json").json["data"]["runs"]
    finally:
        pipe.unlink()
        shutil.rmtree(box.folder / "Box" / ".git")
    assert time.monotonic() - began < 30
    assert [one["status"] for one in listed] == ["done"]
    assert record(box)["source"]["commit"]
