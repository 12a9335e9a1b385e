"""Several processes, started by a real torchrun on the CPU: ranks, restarts, who failed first, signals."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from entry.repository import SETTINGS, Repository, option, python
from entry.torchvenv import torch_python
from infra import processes

TORCHRUN = SETTINGS._replace(
    options=(option("how", "--how"), option("work_dir", "--work-dir"), option("resume", "--resume")),
    config="",
    resume=("--resume", "{}"),
    distributed=("--launcher", "pytorch"),
    local_rank="--local_rank",
)

# Without torch in the workers: what the entry does with ranks does not hang on it, and its import costs seconds.
RANKS = """\
import argparse, os, signal, sys, time
parser = argparse.ArgumentParser()
for name in ("--how", "--work-dir", "--resume", "--launcher", "--local_rank"):
    parser.add_argument(name)
args = parser.parse_args()
rank = int(os.environ["RANK"])
assert args.local_rank == os.environ["LOCAL_RANK"] and args.launcher == "pytorch"
print("rank", rank, "of", os.environ["WORLD_SIZE"], __name__, flush=True)
if rank == 0:
    open("rank0", "w").close()
    while args.how != "wait" and not os.path.exists("rank1"): time.sleep(0.05)
    if args.how != "wait":
        time.sleep(0.5)
        raise ConnectionError("the other side has gone")
    for _ in range(600): time.sleep(0.1)
if rank == 1:
    while not os.path.exists("rank0"): time.sleep(0.05)
    open("rank1", "w").close()
    if args.how == "raise": raise ValueError("rank one is ill")
    if args.how == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if args.how == "wait": print("ready", flush=True)
    for _ in range(600): time.sleep(0.1)
"""


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        (
            "raise",
            1,
            (
                "error: rank 1 failed: ValueError: rank one is ill\nTraceback (most recent call last):\n"
                '  File "FOLDER/demo/tools/train.py", line 19, in <module>\n'
            ),
        ),
        ("kill", 137, "error: rank 1 was ended by signal 9 (SIGKILL): out of memory?\n"),
    ],
)
def test_ranks(tmp_path: Path, how: str, code: int, said: str) -> None:
    repository = Repository(tmp_path, RANKS, TORCHRUN, torch_python())
    outcome = repository.train("--nproc_per_node=2", f"--how={how}", env={"KOBAKO_RUN": "r"})
    assert outcome.code == code, outcome
    trace = repository.trace
    assert trace["launcher"] == "torch.distributed.run"
    assert (trace["status"], trace["exit_code"], trace["nproc_per_node"]) == ("failed" if code else "done", code, 2)
    assert "rank 0 of 2 __main__" in repository.log
    assert "rank 1 of 2 __main__" in (repository.trace_folder / "log-rank1.txt").read_text()
    assert not (repository.trace_folder / "ranks").exists()
    if code:
        report = outcome.stderr.replace(str(tmp_path), "FOLDER").partition("error: rank ")
        assert "".join(report[1:]).startswith(said), outcome
        assert outcome.stderr.endswith("  log: demo/work_dirs/.runs/r/log-rank1.txt\n")
        assert said.partition("\n")[0] in repository.log
        assert trace["error"]["rank"] == 1
    if how == "raise":
        assert "rank one is ill" in (repository.trace_folder / "error-rank1.txt").read_text()
        assert trace["error"]["message"] == "rank one is ill"


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_reach_every_rank(tmp_path: Path, sign: signal.Signals, code: int) -> None:
    repository = Repository(tmp_path, RANKS, TORCHRUN, torch_python())
    process = repository.start("--nproc_per_node=2", "--how=wait")
    assert process.stdout is not None
    while process.stdout.readline() != b"ready\n":
        assert process.poll() is None
    process.send_signal(sign)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    trace = repository.trace
    assert (trace["status"], trace["signal"], trace["exit_code"]) == ("interrupted", sign, code)
    assert processes.of_folder(tmp_path) == set()


def test_ranks_end_with_the_one_who_started_them(tmp_path: Path) -> None:
    repository = Repository(tmp_path, RANKS, TORCHRUN, torch_python())
    process = repository.start("--nproc_per_node=2", "--how=wait")
    assert process.stdout is not None
    while process.stdout.readline() != b"ready\n":
        assert process.poll() is None
    left = processes.of_folder(tmp_path)
    process.kill()
    process.communicate(timeout=60)
    try:
        for _ in range(100):
            if not processes.alive(left):
                break
            time.sleep(0.2)
        assert processes.alive(left) == set()
    finally:
        processes.end(left)


DDP = """\
import argparse, os, signal
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
parser = argparse.ArgumentParser()
for name in ("--how", "--work-dir", "--resume", "--launcher", "--local_rank"):
    parser.add_argument(name)
args = parser.parse_args()
distributed.init_process_group("gloo")
rank, start = distributed.get_rank(), 0
model = torch.nn.Linear(2, 1)
if args.resume:
    state = torch.load(args.resume)
    model.load_state_dict(state["model"])
    start = state["step"]
wrapped = DistributedDataParallel(model)
optimizer = torch.optim.SGD(wrapped.parameters(), 0.1)
os.makedirs(args.work_dir, exist_ok=True)
for step in range(start, 6):
    optimizer.zero_grad()
    loss = (wrapped(torch.ones(4, 2)) ** 2).mean()
    loss.backward()
    optimizer.step()
    if rank == 0:
        print("step", step, flush=True)
        torch.save({"model": model.state_dict(), "step": step + 1}, args.work_dir + "/last.pth")
    distributed.barrier()
    if step == 3 and rank == 1 and not args.resume:
        os.kill(os.getpid(), signal.SIGKILL)
if rank == 0:
    print("loss", loss.item())
"""


def test_a_rank_that_is_killed_is_started_again_from_the_checkpoint(tmp_path: Path) -> None:
    repository = Repository(tmp_path, DDP, TORCHRUN, torch_python())
    outcome = repository.train("--nproc_per_node=2", "--max_restarts=1")
    assert outcome.code == 0, outcome
    steps = [line for line in outcome.stdout.splitlines() if line.startswith("step")]
    assert steps == [f"step {number}" for number in range(6)]
    trace = repository.trace
    assert (trace["status"], trace["restarts"], trace["error"]) == ("done", 1, None)
    assert [one["path"] for one in trace["artifacts"] if one["last"]] == ["demo/work_dirs/default/last.pth"]


def test_the_command_that_is_built(tmp_path: Path) -> None:
    repository = Repository(tmp_path, RANKS, TORCHRUN, torch_python())
    rest = "demo/tools/train.py --launcher pytorch --work-dir demo/work_dirs/default"
    run = "python -m torch.distributed.run"
    assert repository.dry("--nproc_per_node=2") == f"{run} --nproc_per_node=2 --standalone {rest}"
    words: tuple[str, ...] = ("--nnodes=2", "--node_rank=1", "--master-addr=h", "--master_port=1")
    assert repository.dry(*words) == f"{run} --nnodes=2 --node_rank=1 --master_addr=h --master_port=1 {rest}"
    words = ("--rdzv_backend=c10d", "--rdzv_endpoint=h:1", "--max_restarts=3")
    assert repository.dry(*words) == f"{run} --rdzv_backend=c10d --rdzv_endpoint=h:1 --max_restarts=3 {rest}"
    assert repository.dry("--nproc_per_node=1", "--standalone").startswith("python demo/tools/train.py")


def test_the_launcher_before_torchrun(tmp_path: Path) -> None:
    """A stand-in of the folder alone: the real torch 1.8 is a download of 800 MB, and was tried by hand."""
    repository = Repository(tmp_path, RANKS, TORCHRUN, python("3.8"))
    repository.write("demo/torch/version.py", "__version__ = '1.8.1'\n")
    assert repository.dry("--nproc_per_node=2", "--standalone") == (
        "python -m torch.distributed.launch --nproc_per_node=2 --use_env"
        " demo/tools/train.py --launcher pytorch --work-dir demo/work_dirs/default"
    )
    outcome = repository.train("--nproc_per_node=2", "--max_restarts=1")
    assert (outcome.code, outcome.stderr.splitlines()[0]) == (2, "error: --max_restarts needs torch 1.9")
    assert json.loads((repository.trace_folder / "run.json").read_text())["host"]["torch"] == "1.8.1"
