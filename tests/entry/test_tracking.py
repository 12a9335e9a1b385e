"""ClearML: offline for real (its server cannot be had here), and what is said where it refuses or does not answer."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from entry.repository import PARSER, SETTINGS, Repository, option
from entry.torchvenv import torch_python

CONFIG = "--config=configs/c.py"

TRAINS = (
    PARSER.replace("args = parser", "parser.add_argument('--api-key')\nargs = parser")
    + """\
assert "CLEARML_VCS_DIFF" not in os.environ and __import__("subprocess").call(["true"]) == 0
print("logged in with", args.api_key, os.environ["WANDB_API_KEY"])
os.makedirs(args.work_dir, exist_ok=True)
if args.how == "tensorboard":
    from torch.utils.tensorboard import SummaryWriter
    writer = SummaryWriter(args.work_dir)
    for step in range(5):
        writer.add_scalar("train/loss", 1 / (step + 1), step)
    writer.close()
with open(args.work_dir + "/1.log.json", "w") as log:
    log.write(json.dumps({"env_info": "x", "config": "y"}) + "\\n")
    for epoch in (1, 2):
        for step in (5, 10):
            log.write(json.dumps({"mode": "train", "epoch": epoch, "iter": step, "loss": 1 / epoch}) + "\\n")
        log.write(json.dumps({"mode": "val", "epoch": epoch, "iter": 3, "bbox_mAP": 0.5 * epoch}) + "\\n")
for name in ("best_mAP.pth", "epoch_2.pth", "c.py"):
    with open(args.work_dir + "/" + name, "w") as file:
        file.write(name)
print("trained well")
if args.how == "fails":
    raise RuntimeError("no good")
"""
)


def session(repository: Repository) -> tuple[dict[str, Any], dict[str, list[tuple[int, float]]], str]:
    """The task, the numbers by title/series, and the console, out of the zip that the trace names."""
    told = repository.trace["clearml"]
    assert told["mode"] == "offline"
    with zipfile.ZipFile(repository.folder / told["session"]) as file:
        task = json.loads(file.read("task.json"))
        rows = [row for line in file.read("metrics.jsonl").splitlines() for row in json.loads(line)]
        console = "".join(row["msg"] for line in file.read("log.jsonl").splitlines() for row in json.loads(line))
        names = file.namelist()
    numbers: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if not row["metric"].startswith(":"):
            numbers.setdefault(f"{row['metric']}/{row['variant']}", []).append((row["iter"], round(row["value"], 3)))
    for key in ("environment", "model-best", "model-last"):
        assert any(f"/artifacts/{key}/" in name for name in names), names
    return task, numbers, console


def test_offline_sessions(tmp_path: Path) -> None:
    """Both at once: ClearML takes ten idle seconds to close."""
    more = SETTINGS._replace(options=(*SETTINGS.options, option("api_key", "--api-key")))
    found = {how: Repository(tmp_path / how, TRAINS, more, torch_python()) for how in ("tensorboard", "fails")}
    started = {}
    for how, repository in found.items():
        repository.write("configs/c.py", "_base_ = 'b.py'\n")
        repository.write("configs/b.py", "lr = 0.1\nlogin = dict(password='written-secret')\n")
        git = ["git", "-C", str(tmp_path / how / "demo"), "-c", "user.name=a", "-c", "user.email=a@b.example"]
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *command], check=True)
        changed = TRAINS + "# changed: API_KEY = 'coded-secret'\n"
        if how == "fails":  # more than one variable can hold
            changed += "".join(f"# {line} of a change that is long\n" for line in range(5000))
        (tmp_path / how / "demo/tools/train.py").write_text(changed)
        words = (CONFIG, "--clearml=offline", f"--how={how}", "--api_key=option-secret")
        started[how] = repository.start(*words, env={"WANDB_API_KEY": "variable-secret"})
    for how, repository in found.items():
        out, err = started[how].communicate(timeout=120)
        assert started[how].returncode == (how == "fails"), (out, err)
        session_is_whole(repository, how)
        assert err.startswith(b"error: RuntimeError: no good\n") == (how == "fails")


def session_is_whole(repository: Repository, how: str) -> None:
    task, numbers, console = session(repository)
    text = "# configs/c.py\n_base_ = 'b.py'\n\n# configs/b.py\nlr = 0.1\nlogin = dict(password='***')\n\n"
    assert task["configuration"]["config"]["value"] == text
    assert task["configuration"]["config_merged"]["value"] == "c.py"
    options = {name: one["value"] for name, one in task["hyperparams"]["Args"].items()}
    assert options == {"config": "configs/c.py", "how": how, "api_key": "***"}
    diff = "+# changed: API_KEY = '***'" if how == "tensorboard" else "# too large to be sent without its credentials"
    assert diff in task["script"]["diff"]
    assert "logged in with *** ***\n" in console
    with zipfile.ZipFile(repository.folder / repository.trace["clearml"]["session"]) as file:
        assert [name for name in file.namelist() if b"-secret" in file.read(name)] == []
    assert "\ntorch==2.13.0" in task["script"]["requirements"]["pip"]
    assert "trained well" in console
    if how == "tensorboard":
        # told once: the JSON log holds the same
        assert numbers == {"train/loss": [(step, round(1 / (step + 1), 3)) for step in range(5)]}
    else:
        train = [(5, 1.0), (10, 1.0), (15, 0.5), (20, 0.5)]
        assert numbers == {"train/loss": train, "val/bbox_mAP": [(10, 0.5), (20, 1.0)]}
    assert repository.trace["status"] == ("failed" if how == "fails" else "done")


class Answer(http.server.BaseHTTPRequestHandler):
    """ClearML's login as its server answers it: a token for the right pair, 401 for any other."""

    def do_GET(self) -> None:
        known = self.path == "/auth.login" and self.headers["Authorization"] == "Basic cmlnaHRrZXk6cmlnaHRzZWNyZXQ="
        body = json.dumps({"meta": {"result_code": 200 if known else 401}, "data": {"token": "t"} if known else {}})
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None: ...


@contextmanager
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{one.server_port}"
        finally:
            one.shutdown()
            thread.join()


def keys(host: str, key: str = "rightkey", secret: str = "rightsecret") -> dict[str, str]:
    return {"CLEARML_API_HOST": host, "CLEARML_API_ACCESS_KEY": key, "CLEARML_API_SECRET_KEY": secret}


NOT_INSTALLED = "demo/clearml/__init__.py"
"""Found where the real one would be; importing it fails, which a training survives."""


def test_credentials_that_are_refused(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER + "print('trained')\n")
    repository.write(NOT_INSTALLED, "raise ImportError('not the real one')\n")
    with server() as host:
        outcome = repository.train(CONFIG, env=keys(host, secret="wrongsecret"))
        assert (outcome.code, outcome.stdout) == (2, "")
        assert outcome.stderr == (
            f"error: ClearML refuses the credentials\n  why: {host} answers 401 Unauthorized\n"
            "  fix: correct the credentials, or --clearml=offline, or --clearml=off\n"
        )
        assert "wrongsecret" not in (repository.trace_folder / "run.json").read_text()
        conf = f'api {{\n  # api_server: http://old\n  api_server: {host}\n  credentials {{"access_key" = "a", "secret_key" = "b"}}\n}}\n'
        repository.write("home/clearml.conf", conf)
        assert repository.train(CONFIG).code == 2
        assert repository.train(CONFIG, "--clearml=off").stdout == "trained\n"
        # the environment wins; a ClearML that cannot be imported after that costs the tracking, not the training
        outcome = repository.train(CONFIG, env=keys(host))
        assert (outcome.code, outcome.stdout) == (0, "trained\n")
        assert outcome.stderr.startswith("warning: ClearML could not be started; this run is not tracked\n")


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write(NOT_INSTALLED, "")
    for words in (("--clearml=on",), ("--dataset_id=abc",)):  # what was asked for outright has to be had
        outcome = repository.train(CONFIG, *words, env=keys("http://127.0.0.1:9"))
        assert outcome.code == 2
        assert outcome.seconds < 12
    assert outcome.stderr.splitlines()[0] == "error: --dataset_id needs ClearML"


def test_a_server_that_is_not_there_stops_no_training(tmp_path: Path) -> None:
    """The session is kept: with the real ClearML, against a port where nobody listens."""
    repository = Repository(tmp_path, PARSER + "print('trained')\n", python=torch_python())
    outcome = repository.train(CONFIG, env=keys("http://127.0.0.1:9"))
    assert outcome.code == 0, outcome
    assert "trained\n" in outcome.stdout
    assert outcome.stderr.startswith("warning: the ClearML server cannot be reached\n  why: http://127.0.0.1:9: ")
    trace = repository.trace
    assert (trace["status"], trace["clearml"]["mode"]) == ("done", "offline")
    assert (tmp_path / trace["clearml"]["session"]).is_file()
    assert [one["what"] for one in trace["problems"]] == ["the ClearML server cannot be reached"]


HANGS = """\
import time
class Task:
    id = "t"
    @classmethod
    def init(cls, **_): return cls()
    @staticmethod
    def set_offline(_): ...
    def get_output_log_web_page(self): return ""
    def get_offline_mode_folder(self): return "x"
    def get_logger(self): return self
    def flush(self, **_): time.sleep(600)
    def __getattr__(self, name): return lambda *a, **k: None
"""


@pytest.mark.parametrize(("code", "status"), [("", "done"), ("sys.exit(3)\n", "failed")])
def test_a_server_that_takes_no_end(tmp_path: Path, code: str, status: str) -> None:
    """An upload that hangs, as a package of that name: no server can be had that does it on demand."""
    repository = Repository(tmp_path, PARSER + "print('trained')\n" + code)
    repository.write(NOT_INSTALLED, HANGS)
    path = tmp_path / "demo/tools/clearml_train.py"
    path.write_text(path.read_text().replace("\nCLOSING = 900", "\nCLOSING = 1"))
    outcome = repository.train(CONFIG, "--clearml=offline", timeout=60)
    assert (outcome.code, outcome.stdout) == (3 if code else 0, "trained\n")
    trace = repository.trace
    assert (trace["status"], trace["exit_code"]) == (status, outcome.code)
    assert trace["problems"][0]["why"] == "it was still at it after 1 seconds"
    assert repository.log == "trained\n" + outcome.stderr


def test_without_configuration_it_is_not_used(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write(NOT_INSTALLED, "raise AssertionError('imported')\n")
    assert repository.train(CONFIG).code == 0
    assert repository.trace["clearml"]["mode"] == "off"
    (tmp_path / "demo/work_dirs").rename(tmp_path / "gone")
    outcome = repository.train(CONFIG, "--clearml=on")
    assert (outcome.code, outcome.stderr.splitlines()[0]) == (2, "error: ClearML is not configured")


def test_a_data_set_that_is_there_already(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write("data/coco/.clearml_dataset", "abc\n")
    assert repository.train(CONFIG, "--dataset_id=abc").code == 0
    assert (repository.trace["dataset"]["id"], repository.trace["dataset"]["path"]) == ("abc", "data/coco")
