"""One process: the training script runs as if it had been started alone, and how it ended is on record."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from entry.repository import NEWEST, OLDEST, PARSER, SETTINGS, Repository, python
from infra.need import need
from infra.run import Outcome, run
from infra.terminal import Terminal

CONFIG = "--config=configs/c.py"

STRANGE = (
    PARSER
    + """\
import multiprocessing, os, threading
import beside                       # lies next to this script
from tools import other             # a package of the repository's root
import helper.deep                  # through PYTHONPATH

def twice(number):
    return number * 2, __name__

if __name__ == "__main__":
    assert sys.modules["__main__"].twice is twice
    assert sys.argv[0] == os.path.abspath(__file__) == __file__
    print(json.dumps({"args": vars(args), "cwd": os.getcwd(), "path": sys.path[0]}))
    os.chdir("/")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(twice, [1, 2]))
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(pool.map(twice, [3]))
    thread = threading.Thread(target=lambda: sys.exit(5))
    thread.start()
    thread.join()
    late = threading.Thread(target=lambda: (__import__("time").sleep(0.3), print("late")))
    late.start()
"""
)


@pytest.mark.parametrize("version", [OLDEST, "3.8", NEWEST])
def test_strange_habits_are_undisturbed(tmp_path: Path, version: str) -> None:
    repository = Repository(tmp_path, STRANGE, python=python(version))
    for name in ("demo/tools/beside.py", "demo/tools/other.py", "demo/helper/deep.py", "demo/tools/__init__.py"):
        repository.write(name, "")
    outcome = repository.train(CONFIG, "--how=ä", env={"PYTHONIOENCODING": "utf-8"})
    assert outcome.code == 0, outcome
    first, *others = outcome.stdout.splitlines()
    said = json.loads(first)
    assert said["args"] == {
        "config": "configs/c.py",
        "work_dir": "demo/work_dirs/c",
        "resume_from": None,
        "how": "ä",
        "cfg_options": None,
        "amp": False,
    }
    assert said["cwd"] == str(tmp_path)
    assert said["path"] == str(tmp_path / "demo/tools")
    assert others == ["[(2, '__mp_main__'), (4, '__mp_main__')]", "[(6, '__main__')]", "late"]
    assert outcome.stderr == ""
    assert repository.trace["status"] == "done"
    assert repository.log.splitlines()[-1] == "late"


ENDINGS = (
    PARSER
    + """\
import signal, time
how = args.how
if how == "raise": raise ValueError("boom\\nmore")
if how == "cause":
    try: 1 / 0
    except ZeroDivisionError as error: raise RuntimeError("second") from error
if how == "exit": sys.exit()
if how == "exit0": sys.exit(0)
if how == "exit3": sys.exit(3)
if how == "text": sys.exit("no way")
if how == "_exit": print("here", flush=True); os._exit(4)
if how == "hook":
    sys.excepthook = lambda *a: print("hooked", a[0].__name__, file=sys.stderr)
    raise KeyError("k")
if how == "replaced":
    class Log:
        def __init__(self, under): self.under = under
        def write(self, text): self.under.write(text.upper())
        def flush(self): self.under.flush()
    sys.stdout = Log(sys.stdout)
    print("loud")
if how == "usage": parser.error("not so")
if how == "full": raise OSError(28, "No space left on device")
"""
)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize(
    ("how", "code", "status", "head"),
    [
        ("raise", 1, "failed", "error: ValueError: boom"),
        ("cause", 1, "failed", "error: RuntimeError: second"),
        ("exit", 0, "done", ""),
        ("exit0", 0, "done", ""),
        ("exit3", 3, "failed", ""),
        ("text", 1, "failed", "no way"),
        ("_exit", 4, "failed", ""),
        ("hook", 1, "failed", "error: KeyError: 'k'"),
        ("replaced", 0, "done", ""),
        ("usage", 2, "failed", "usage: train.py "),
        ("full", 1, "failed", "error: OSError: [Errno 28] No space left on device"),
    ],
)
def test_endings(tmp_path: Path, version: str, how: str, code: int, status: str, head: str) -> None:
    repository = Repository(tmp_path, ENDINGS, python=python(version))
    outcome = repository.train(CONFIG, f"--how={how}")
    assert outcome.code == code, outcome
    assert outcome.stderr.startswith(head), outcome
    trace = repository.trace
    assert (trace["status"], trace["exit_code"], trace["signal"]) == (status, code, None)
    assert bool(trace["error"]) == (status == "failed" and how != "_exit")
    if how == "raise":
        # the report: what, the script's own lines alone, where the log is
        assert outcome.stderr.splitlines()[1] == "Traceback (most recent call last):"
        assert "clearml_train.py" not in outcome.stderr
        assert outcome.stderr.splitlines()[-1] == f"  log: demo/work_dirs/.runs/{trace['id']}/log.txt"
        assert trace["error"]["type"] == "ValueError"
        assert (repository.trace_folder / "error-rank0.txt").read_text().endswith("ValueError: boom\nmore\n")
    if how == "cause":
        assert "ZeroDivisionError" in outcome.stderr
    if how == "hook":
        assert "hooked KeyError" in outcome.stderr
    if how == "full":
        assert outcome.stderr.splitlines()[1:3] == [
            "  why: the disk is full",
            "  fix: make room and go on with --resume",
        ]


WAITS = (
    PARSER
    + """\
import signal, time
try:
    if args.how == "deaf":
        while True:
            try: print("ready", flush=True); time.sleep(60)
            except BaseException: print("no", flush=True)
    print("ready", flush=True)
    for _ in range(600): time.sleep(0.1)  # a signal right before a long sleep would wait for its end
except KeyboardInterrupt:
    if args.how != "handles": raise
    print("saved", flush=True)
finally:
    print("finally", flush=True)
"""
)


@pytest.mark.parametrize(
    ("how", "sign", "code", "status", "said"),
    [
        ("plain", signal.SIGINT, 130, "interrupted", "finally"),
        ("handles", signal.SIGINT, 0, "done", "saved"),
        ("plain", signal.SIGTERM, 143, "interrupted", "finally"),
        ("plain", signal.SIGHUP, 129, "interrupted", "finally"),
        ("deaf", signal.SIGTERM, 143, "interrupted", "no"),
    ],
)
def test_signals(tmp_path: Path, how: str, sign: signal.Signals, code: int, status: str, said: str) -> None:
    repository = Repository(tmp_path, WAITS)
    process = repository.start(CONFIG, f"--how={how}")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(sign)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert said in out.decode()
    trace = repository.trace
    assert (trace["status"], trace["exit_code"]) == (status, code)
    assert trace["signal"] == (sign if code else None)
    assert trace["ended"] is not None


def test_hangup_stays_ignored_under_nohup(tmp_path: Path) -> None:
    code = PARSER + "import signal\nprint(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)\n"
    repository = Repository(tmp_path, code)
    argv = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *repository.argv, CONFIG]
    assert run(argv, cwd=tmp_path, env=repository.environment()).stdout == "True\n"


def test_a_reader_that_leaves(tmp_path: Path) -> None:
    code = PARSER + "for number in range(200000): print(number)\n"
    repository = Repository(tmp_path, code)
    script = '("$@"; echo code $? >&2) | head -n 1'
    outcome = run(["sh", "-c", script, "sh", *repository.argv, CONFIG], cwd=tmp_path, env=repository.environment())
    assert outcome.stdout == "0\n"
    assert outcome.stderr == "code 141\n"
    assert repository.trace["status"] == "interrupted"


def test_a_terminal_stays_one_and_bars_are_thinned_in_the_log(tmp_path: Path) -> None:
    code = PARSER + (
        "print(sys.stdout.isatty(), sys.stderr.isatty(), sys.stdout.fileno(), sys.stdout.encoding.lower())\n"
        "import os; print(os.get_terminal_size(sys.stdout.fileno()).columns)\n"
        "sys.stdout.buffer.write(b'bytes\\n'); sys.stdout.flush()\n"
        "for part in range(50): sys.stderr.write('\\r%d%%' % (part * 2)); sys.stderr.flush()\n"
        "sys.stderr.write('\\r100%\\n')\n"
        "for part in range(50): print('%d/50' % part, end='\\r', flush=True)\n"
        "print('50/50')\n"
        "print('open', end='')\n"
    )
    repository = Repository(tmp_path, code)
    terminal = Terminal([*repository.argv, CONFIG], cwd=tmp_path, env=repository.environment())
    assert terminal.wait() == 0
    shown = terminal.text if hasattr(terminal, "text") else terminal.output.decode()
    assert "True True 1 utf-8" in shown
    assert shown.count("%") > 50
    assert repository.log.splitlines() == ["True True 1 utf-8", "120", "100%", "50/50", "open"]


def test_the_trace_tells_everything(tmp_path: Path) -> None:
    code = (
        PARSER
        + "os.makedirs(args.work_dir)\nopen(args.work_dir + '/best_1.pth', 'w').write('x')\n"
        + ("open(args.work_dir + '/epoch_2.pth', 'w').write('xy')\nopen(args.work_dir + '/a.log', 'w')\n")
    )
    repository = Repository(tmp_path, code)
    repository.write("configs/base/x.py", "a = 1\n")
    repository.write("configs/d.py", "_base_ = [\n    './base/x.py',  # why\n]\n")
    repository.write("data/coco/a.txt", "abc")
    latin = tmp_path / "demo/latin.py"
    latin.write_bytes(b"# gr\xf6\xdfe\n")
    git = ["git", "-C", str(tmp_path / "demo"), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    latin.write_bytes(b"# gr\xf6\xdfer\r\n")
    (tmp_path / "demo/tools/train.py").write_text(code + "# changed\nimport time; time.sleep(1)\n")
    words = ["--config=configs/d.py", "--dataset_path=data/coco", "--how=https://me:hunter22@host/x"]
    env = {"KOBAKO_RUN": "r1", "KOBAKO_SESSION": "s1", "OMP_NUM_THREADS": "2", "CLEARML_API_SECRET_KEY": "verysecret"}
    outcome = repository.train(*words, "--cfg_options=x=verysecret", env=env)
    assert outcome.code == 0, outcome
    trace = repository.trace
    assert list(trace) == [
        *("schema", "id", "status", "command", "cwd", "script", "passed", "launcher", "nproc_per_node", "nnodes"),
        *("node_rank", "started", "ended", "exit_code", "signal", "session", "host", "config", "work_dir", "packages"),
        *("source", "dataset", "clearml", "error", "restarts", "artifacts", "problems"),
    ]
    assert (trace["schema"], trace["id"], trace["session"]) == ("kobako-trace/1", "r1", "s1")
    assert trace["work_dir"] == "demo/work_dirs/d"
    assert trace["config"] == {
        "path": "configs/d.py",
        "files": ["configs/d.py", "configs/base/x.py"],
        "snapshot": "config/d.py",
    }
    assert (repository.trace_folder / "config/base/x.py").read_text() == "a = 1\n"
    assert trace["source"] == {"commit": commit, "dirty": True, "patch": "source.patch"}
    patch = repository.trace_folder / "source.patch"
    assert b"+# changed" in patch.read_bytes()
    subprocess.run([*git, "apply", "--reverse", "--check", str(patch)], check=True)
    assert trace["dataset"]["path"] == "data/coco"
    assert (trace["dataset"]["files"], trace["dataset"]["bytes"]) == (1, 3)
    assert trace["host"]["omp_num_threads"] == "2"
    assert trace["host"]["cpus"] >= 1
    assert "pytest" in trace["packages"]
    assert [(one["path"], one["kind"], one["best"], one["last"]) for one in trace["artifacts"]] == [
        ("demo/work_dirs/d/best_1.pth", "checkpoint", True, False),
        ("demo/work_dirs/d/epoch_2.pth", "checkpoint", False, True),
        ("demo/work_dirs/d/a.log", "log", False, False),
    ]
    text = (repository.trace_folder / "run.json").read_text()
    assert "hunter22" not in text
    assert "verysecret" not in text
    assert (tmp_path / "demo/work_dirs/.gitignore").read_text() == "*\n"
    assert sorted(path.name for path in repository.trace_folder.iterdir()) == [
        *("alive", "config", "log.txt", "run.json", "source.patch"),
    ]


def test_no_credential_stands_in_a_trace(tmp_path: Path) -> None:
    code = PARSER.replace("args = parser", "parser.add_argument('--api-key')\nargs = parser")
    repository = Repository(tmp_path, code + "raise ValueError('with ' + os.environ['MY_TOKEN'])\n")
    outcome = repository.train(CONFIG, '--api_key=a"b\\c', env={"MY_TOKEN": 'quo"ted-token'})
    assert outcome.code == 1
    assert outcome.stderr.startswith("error: ValueError: with ***\n")
    trace = repository.trace
    assert trace["passed"][-1] == "--api-key=***"
    assert trace["command"][-1] == "--api_key=***"
    assert trace["error"]["message"] == "with ***"
    shutil.rmtree(tmp_path / "demo/work_dirs")
    repository.train(CONFIG, "--api-key", "a-b", env={"MY_TOKEN": 'quo"ted-token'})
    assert repository.trace["passed"][-2:] == repository.trace["command"][-2:] == ["--api-key", "***"]
    assert "ted-token" not in repository.log + (repository.trace_folder / "error-rank0.txt").read_text()


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER + "print('trained', args.work_dir)\nsys.exit(3)\n")
    repository.write("demo/work_dirs", "a file, not a folder")
    before = set(Path("/tmp").glob("train-*"))
    outcome = repository.train(CONFIG, "--work_dir=out")
    assert (outcome.code, outcome.stdout) == (3, "trained out\n")
    assert outcome.stderr.count("warning: the trace of this run cannot be written") == 1
    assert set(Path("/tmp").glob("train-*")) == before


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """The script's own error leads the report, and the trace is complete all the same: a reserve was kept."""
    save = "os.makedirs(args.work_dir, exist_ok=True)\nopen(args.work_dir + '/a.pth', 'wb').write(b'x' * 4000000)\n"
    repository = Repository(tmp_path, PARSER + save)
    (tmp_path / "demo/work_dirs").mkdir()
    script = 'mount -t tmpfs -o size=1m none demo/work_dirs && { "$@"; echo "code $?"; cat demo/work_dirs/.runs/*/run.json; }'
    argv = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", *repository.argv, CONFIG]
    able = run(["unshare", "--mount", "--map-root-user", "true"]).code == 0
    need("a mount namespace", able, "unshare --mount --map-root-user")
    outcome = run(argv, cwd=tmp_path, env=repository.environment())
    assert outcome.stderr.startswith("error: OSError: [Errno 28] No space left on device\n  why: the disk is full\n"), (
        outcome
    )
    code, _, text = outcome.stdout.partition("\n")
    assert code == "code 1"
    trace = json.loads(text)
    assert (trace["status"], trace["exit_code"], trace["error"]["type"]) == ("failed", 1, "OSError")


NAN = PARSER + (
    "import time\n"
    "print('Epoch [1][10/20] lr: 0.1, loss: nan', flush=True)\n"
    "print('unexpected key in source state_dict: a, b', flush=True)\n"
    "time.sleep(4)\n"
    "print('still training', flush=True)\n"
)


def test_trouble_is_told_as_it_is_seen(tmp_path: Path) -> None:
    repository = Repository(tmp_path, NAN)
    process = repository.start(CONFIG, "--resume=configs/c.py")
    assert process.stderr is not None
    began = time.monotonic()
    assert process.stderr.readline() == b"warning: the loss is not a number (NaN)\n"
    assert process.poll() is None
    assert time.monotonic() - began < 4
    process.communicate(timeout=30)
    assert [one["what"] for one in repository.trace["problems"]] == [
        "the loss is not a number (NaN)",
        "the checkpoint does not fit the model",
    ]


def test_a_loss_in_a_json_log_that_is_not_a_number(tmp_path: Path) -> None:
    code = PARSER + (
        "os.makedirs(args.work_dir)\nlog = open(args.work_dir + '/1.log.json', 'w')\n"
        'log.write(\'{"mode": "train", "epoch": 1, "iter": 5, "loss": NaN}\\n\')\nlog.close()\n'
    )
    repository = Repository(tmp_path, code)
    assert repository.train(CONFIG).code == 0
    (problem,) = repository.trace["problems"]
    assert problem["why"] == "demo/work_dirs/c/1.log.json: loss at step 5"


def cpu(outcome_of: object) -> float:
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def test_it_costs_next_to_nothing(tmp_path: Path) -> None:
    """Processor time of the entry over the bare script; the wall clock says little on a machine with other work."""
    repository = Repository(tmp_path, PARSER)

    def seconds(argv: list[str]) -> float:
        before = cpu(None)
        outcome: Outcome = run(argv, cwd=tmp_path, env=repository.environment())
        assert outcome.code == 0
        return cpu(None) - before

    bare = min(seconds([repository.python, "demo/tools/train.py", "configs/c.py"]) for _ in range(3))
    ours = min(seconds([*repository.argv, CONFIG]) for _ in range(3))
    assert ours - bare < 0.3


HALF = PARSER + (
    "import time, zipfile\nos.makedirs(args.work_dir)\n"
    "with zipfile.ZipFile(args.work_dir + '/epoch_1.pth', 'w') as file: file.writestr('a', 'x' * 999)\n"
    "whole = open(args.work_dir + '/epoch_1.pth', 'rb').read()\n"
    "time.sleep(0.05)\n"
    "for name in ('epoch_2.pth', 'best.pth'): open(args.work_dir + '/' + name, 'wb').write(whole[:-9])\n"
    "print(args.resume_from)\n"
)


def test_half_a_checkpoint_is_neither_the_last_nor_the_best(tmp_path: Path) -> None:
    repository = Repository(tmp_path, HALF)
    assert repository.train(CONFIG).code == 0
    found = {
        one["path"].rpartition("/")[2]: (one["kind"], one["best"], one["last"]) for one in repository.trace["artifacts"]
    }
    assert found == {
        "epoch_1.pth": ("checkpoint", False, True),
        "epoch_2.pth": ("checkpoint", False, False),
        "best.pth": ("checkpoint", False, False),
    }
    assert repository.dry(CONFIG, "--resume").endswith("--resume-from demo/work_dirs/c/epoch_1.pth")


def test_a_training_within_a_training_has_a_trace_of_its_own(tmp_path: Path) -> None:
    code = PARSER + (
        "import subprocess\n"
        "if args.how == 'outer':\n"
        "    words = [sys.executable, 'demo/tools/clearml_train.py', '--config=configs/c.py', '--how=inner']\n"
        "    sys.exit(subprocess.call(words))\n"
    )
    repository = Repository(tmp_path, code)
    outer = ["demo/tools/clearml_train.py", CONFIG, "--how=outer"]
    # a shell script that trains twice hands the same id to both
    script = f'"$0" {" ".join(outer)} && "$0" {" ".join(outer[:2])}'
    argv = ["sh", "-c", script, repository.python]
    assert run(argv, cwd=tmp_path, env=repository.environment({"KOBAKO_RUN": "r1"})).code == 0
    traces = {
        path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("demo/work_dirs/.runs/*/run.json")
    }
    assert sorted(one["command"][2:] for one in traces.values()) == [
        [CONFIG],
        [CONFIG, "--how=inner"],
        [CONFIG, "--how=outer"],
    ]
    assert traces["r1"]["command"][-1] == "--how=outer"
    assert all(one["id"] == name for name, one in traces.items())


PART = (
    "from .models import net\nfrom . import models\n"
    + PARSER
    + """\
import multiprocessing
def twice(number): return number * 2, __name__
if __name__ == "__main__":
    print(net, __package__, __spec__.name, sys.argv[0] == os.path.abspath(__file__))
    with multiprocessing.get_context("spawn").Pool(1) as pool: print(pool.map(twice, [1]))
"""
)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_script_that_is_part_of_a_package(tmp_path: Path, version: str) -> None:
    settings = SETTINGS._replace(script="pkg/train.py", module="pkg.train")
    repository = Repository(tmp_path, "", settings, python=python(version))
    repository.write("demo/pkg/train.py", PART)
    repository.write("demo/pkg/models.py", "net = 'a net'\n")
    repository.write("demo/pkg/__init__.py", "")
    outcome = repository.train(CONFIG)
    assert outcome.stdout == "a net pkg pkg.train True\n[(2, '__mp_main__')]\n", outcome
    bare = run([repository.python, "-m", "pkg.train", "c"], cwd=tmp_path / "demo", env=repository.environment())
    assert bare.stdout == outcome.stdout
    assert repository.dry(CONFIG).startswith("python -m pkg.train configs/c.py")


def test_a_launcher_of_its_own_is_told_the_number(tmp_path: Path) -> None:
    settings = SETTINGS._replace(launcher="own", devices=("--cfg-options", "devices={}"))
    repository = Repository(tmp_path, PARSER + "print(args.cfg_options)\n", settings)
    outcome = repository.train(CONFIG, "--nproc_per_node=3")
    assert outcome.stdout == "['devices=3']\n"
    assert repository.trace["launcher"] == "own"
    assert repository.trace["nproc_per_node"] == 3


def test_what_is_left_after_the_repository_is_gone(tmp_path: Path) -> None:
    """A script that removes its own output folder, the traces with it, keeps its exit code."""
    repository = Repository(tmp_path, PARSER + "import shutil\nshutil.rmtree('demo/work_dirs')\nsys.exit(6)\n")
    outcome = repository.train(CONFIG)
    assert outcome.code == 6
    assert outcome.stderr.count("warning: ") == 1
    shutil.rmtree(tmp_path / "demo")
    assert os.listdir(tmp_path)


LOGURU = """\
class logger:
    @staticmethod
    def complete(): pass
"""


@pytest.mark.parametrize(("after", "code"), [("", 1), ("print('now | INFO     | a:1 - went on')\n", 0)])
def test_an_error_that_was_only_logged(tmp_path: Path, after: str, code: int) -> None:
    """loguru's ``@logger.catch`` around a main: the program ends with 0. The text is loguru's own, of a real run."""
    said = (
        "import loguru\n"
        "print('''2026-11-24 16:00:00 | ERROR    | yolox.core.launch:98 - An error has been caught in function 'launch', "
        "process 'MainProcess' (1), thread 'MainThread' (2):\nTraceback (most recent call last):\n\n"
        "> File \"a.py\", line 1, in <module>\n    main()\n    | <f>\n\nmodule.SomeError: no data''', file=sys.stderr)\n"
    )
    repository = Repository(tmp_path, PARSER + said + after)
    repository.write("demo/loguru.py", LOGURU)
    outcome = repository.train(CONFIG)
    assert outcome.code == code, outcome
    trace = repository.trace
    assert trace["status"] == ("failed" if code else "done")
    if code:
        assert (trace["error"]["type"], trace["error"]["message"]) == ("module.SomeError", "no data")
        assert "error: module.SomeError: no data\n  why: the script caught this" in outcome.stderr
