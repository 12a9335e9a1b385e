"""A repository with Kobako's entry script, and one with an entry of its own, for tests of records."""

from __future__ import annotations

from pathlib import Path

from infra.workspaces import write_files
from kobako.train.entry import render
from kobako.train.entry.settings import Option, Settings

COMPOSE = """\
services:
  box:
    container_name: Box
    build: {context: ., dockerfile: ./docker/Box}
    working_dir: /workspace
    volumes: ["./Box:/workspace/Box", "./data:/workspace/data", "./configs:/workspace/configs"]
    environment: [CLEARML_API_HOST, CLEARML_API_ACCESS_KEY, CLEARML_API_SECRET_KEY]
    command: /bin/sh -c "while sleep 1000; do :; done"
  foreign:
    container_name: Foreign
    build: {context: ., dockerfile: ./docker/Box}
    working_dir: /workspace
    volumes: ["./Foreign:/workspace/Foreign"]
    command: /bin/sh -c "while sleep 1000; do :; done"
    x-kobako: {entry: Foreign/train.py}
"""
RECIPE = "FROM python:3.11-slim\nWORKDIR /workspace\n"
TRAIN = """\
import argparse, json, os, subprocess, sys, time
p = argparse.ArgumentParser()
for name in ("--config", "--work-dir", "--n", "--fail", "--pause", "--sleep", "--kind"):
    p.add_argument(name)
a = p.parse_args()
os.makedirs(a.work_dir, exist_ok=True)
if a.sleep:
    print("ready", flush=True)
    subprocess.run(["sleep", a.sleep])
n = int(a.n or 4)
with open(os.path.join(a.work_dir, "%d.log.json" % os.getpid()), "w") as log:
    for i in range(n):
        loss = float("nan") if a.fail == "nan" and i == 2 else 5 / (i + 1)
        if a.fail == "error" and i == 2:
            raise ValueError("sample 7 is broken")
        if a.fail == "code" and i == 2:
            sys.exit(7)
        print(json.dumps({"mode": "train", "epoch": 1, "iter": i + 1, "loss": loss}), file=log, flush=True)
        print("step %d of %d" % (i + 1, n), flush=True)
        time.sleep(float(a.pause or 0.05))
with open(os.path.join(a.work_dir, "epoch_1.pth"), "wb") as file:
    file.write(b"x" * 100)
"""
FOREIGN = """\
import os, sys, time
if "tqdm" in sys.argv:
    for i in range(11):
        sys.stderr.write("\\r%3d%%|%s| %d/10 [00:0%d<00:00, 10.0it/s, loss=%.2f]" % (10 * i, "#" * i, i, i // 10, 5 / (i + 1)))
        sys.stderr.flush()
        time.sleep(0.1)
    sys.stderr.write("\\nall done\\n")
for i in range(3):
    print("Epoch [1][%d/3]\\tlr: 1.000e-02, eta: 0:00:01, time: 0.100, data_time: 0.010, loss: %.4f" % (i + 1, 3.0 / (i + 1)), flush=True)
    time.sleep(0.1)
if "slow" in sys.argv:
    for i in range(300):
        print("line", i, "." * 40, flush=True)
        time.sleep(0.05)
print("key", os.environ.get("CLEARML_API_SECRET_KEY", "none"), flush=True)
os.makedirs("Foreign/out", exist_ok=True)
with open("Foreign/out/best.pt", "wb") as file:
    file.write(b"x" * 10)
os.write(1, bytes(range(256)))
"""
OPTIONS = ("config", "work_dir", "n", "fail", "pause", "sleep", "kind")
TRAINING = ("python", "Box/tools/clearml_train.py", "--config=configs/a.py")
CONF = 'api {\n  api_server: "http://127.0.0.1:9"\n  credentials {"access_key": ${KEY_OF_TEST}, "secret_key": "a-long-secret"}\n}\n'


def entry() -> str:
    options = tuple(Option(name, f"--{name.replace('_', '-')}", "value", False, "") for name in OPTIONS)  # noqa: FBT003
    settings = Settings("Box", "tools/train.py", "argparse", options, True, (".",), "config", ("--work-dir", "{}"))  # noqa: FBT003
    return render(settings._replace(launcher="none"))


def fill(folder: Path) -> None:
    write_files(
        folder,
        {
            "docker-compose.yaml": COMPOSE,
            "docker/Box": RECIPE,
            "Box/tools/clearml_train.py": entry(),
            "Box/tools/train.py": TRAIN,
            "Foreign/train.py": FOREIGN,
            "data/sample": "1\n",
            "configs/a.py": "lr = 0.1\n",
            "configs/b.py": "lr = 0.2\n",
        },
    )
