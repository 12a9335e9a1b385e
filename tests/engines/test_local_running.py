"""Commands on the local engine, seen from outside: codes, streams, terminals, signals, what is kept and what goes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engines.localbox import Box, begun, gone, sleeping
from infra.client import clean_environment, path_without
from infra.need import need
from infra.run import kobako_argv, kobako_environment
from infra.terminal import Terminal, Tmux
from infra.workspaces import write_files
from kobako.engines.local.engine import LocalEngine
from kobako.protocols import Command, Streams

pytestmark = [pytest.mark.network, pytest.mark.timeout(240)]

RECIPE = """\
FROM python:3.11-slim
WORKDIR /workspace
ENV GREETING=hello
RUN pip install iniconfig
"""
BIG = """\
RUN head -c 60000000 /dev/zero | tr '\\0' x > /opt/kobako/env/lib/python3.11/site-packages/big.bin
"""
COMPOSE = """\
services:
  box: &box
    container_name: Box
    build: {context: ., dockerfile: ./docker/Box}
    working_dir: /workspace
    volumes: ["./Box:/workspace/Box", "./data:/workspace/data"]
    env_file: [box.env]
    environment: {SAID: "${SAID:-first}"}
    command: /bin/sh -c "echo started $SAID; while sleep 1000; do :; done"
  twin:
    <<: *box
    container_name: Twin
"""
MOUNTS = """\
  mounts:
    build: {context: ., dockerfile: ./docker/Box}
    entrypoint: ["/bin/sh", "-c", "trap 'echo ended; exit 0' TERM; echo entry $0 $1; while :; do sleep 0.1; echo line; done"]
    command: [one, two]
    volumes: ["kept:/kept", "./ro:/workspace/ro:ro", {type: tmpfs, target: /scratch}]
volumes: {kept: {}}
"""
TREE = """\
import os, signal, subprocess, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
subprocess.Popen(["setsid", "sleep", "74001"])
subprocess.Popen(["env", "-i", "sleep", "74002"])
subprocess.Popen(["sh", "-c", "trap '' INT TERM HUP; (setsid sleep 74003 &) ; sleep 74004; sleep 74005"])
if "gone" in sys.argv:
    subprocess.Popen(["sh", "-c", "(env -i setsid sleep 74006 > /dev/null 2>&1 &) ; true"])
print("ready", flush=True)
time.sleep(74007)
"""


@contextlib.contextmanager
def workspace(*, bare: bool = False) -> Iterator[Box]:
    place = Path(tempfile.mkdtemp(prefix="kobako-local-", dir="/tmp"))
    env = kobako_environment(clean_environment()) | {"KOBAKO_ENGINE": "local"}
    if bare:
        env["PATH"] = path_without(["bwrap"], env["PATH"], place / "path")
    folder = place / "ws"
    folder.mkdir()
    mine = (COMPOSE, RECIPE) if bare else (COMPOSE + MOUNTS, RECIPE + BIG)
    files = dict(zip(("docker-compose.yaml", "docker/Box"), mine, strict=True))
    files |= {"box.env": "FROM_FILE=a b\n", "data/.keep": "", "ro/kept": "kept\n"}
    write_files(folder, {**files, "Box/tools/clearml_train.py": TREE})
    box = Box(folder, env)
    try:
        box.ok("up", "box")
        yield box
    finally:
        for name in ("box", "twin", "mounts"):
            box("rm", name)
        shutil.rmtree(place)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    need("bubblewrap", shutil.which("bwrap"), "apt-get install bubblewrap")
    with workspace() as made:
        yield made


@pytest.fixture(scope="module", params=["sandbox", "bare"])
def either(request: pytest.FixtureRequest) -> Iterator[Box]:
    """With bubblewrap, and without it."""
    if request.param == "sandbox":
        yield request.getfixturevalue("box")
        return
    with workspace(bare=True) as made:
        yield made


# what is run, what it prints, its exit code: the same with and without a sandbox
ALIKE: dict[str, tuple[tuple[str, ...], str, int]] = {
    "folder": (("sh", "-c", 'cd Box && basename "$PWD"; cat ../data/.keep'), "Box\n", 0),
    "code": (("sh", "-c", "exit 7"), "", 7),
    "signal": (("sh", "-c", "kill -TERM $$"), "", 143),
    "no program": (("no-such-program",), "", 127),
    "no file": (("./no/such",), "", 127),
    "a folder": (("/etc",), "", 126),
    "not executable": (("/etc/passwd",), "", 126),
    "python": (("python", "-c", "import iniconfig, sys; print(sys.version_info[:2])"), "(3, 11)\n", 0),
    "variables": (("sh", "-c", "echo $GREETING, $FROM_FILE, $SAID"), "hello, a b, first\n", 0),
    "a file": (("sh", "-c", "echo made > data/made; cat data/made"), "made\n", 0),
    "input": (("cat",), "", 0),
}


@pytest.mark.parametrize("name", list(ALIKE))
def test_the_same_with_and_without_a_sandbox(either: Box, name: str) -> None:
    words, out, code = ALIKE[name]
    done = either("exec", "box", "--", *words, stdin=b"")
    assert (done.stdout, done.code) == (out, code), str(done)
    ours = any(line.startswith("error: ") for line in done.stderr.splitlines())
    assert ours == (name in {"no program", "no file", "a folder", "not executable"}), str(done)
    if name == "a file":
        made = either.folder / "data" / "made"
        assert (made.read_text(encoding="utf-8"), made.stat().st_uid) == ("made\n", os.getuid())


def test_streams(either: Box) -> None:
    data = os.urandom(3_000_000)
    done = either("exec", "box", "sh", "-c", "cat; echo end >&2", stdin=data)
    assert (done.code, done.out, done.err) == (0, data, b"end\n")
    assert either("exec", "box", "true", stdin=data).code == 0
    assert either("shell", "box", stdin="echo $((6 * 7)); exit 9\n").stdout == "42\n"
    assert either("exec", "-e", "A=b c", "box", "sh", "-c", 'echo "$A"').stdout == "b c\n"
    assert either("exec", "-w", "/workspace/data", "box", "sh", "-c", 'basename "$PWD"').stdout == "data\n"


def test_user_and_folder(box: Box) -> None:
    assert (
        box.ok("exec", "--user", "1234", "box", "sh", "-c", "id -u; id -g; touch data/theirs").stdout == "1234\n1234\n"
    )
    assert (box.folder / "data/theirs").stat().st_uid == os.getuid()
    assert box.ok("exec", "--user", "0", "box", "id", "-u").stdout == "0\n"
    assert box.ok("exec", "-w", "/new/folder", "box", "pwd").stdout == "/new/folder\n"
    refused = box("exec", "-w", "/etc/passwd", "box", "true")
    assert (refused.code, refused.stderr.startswith("error: ")) == (126, True), str(refused)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("verb", ["exec", "train"])
def test_a_signal_leaves_nothing(box: Box, verb: str, signum: int, code: int) -> None:
    words = ["exec", "box", "python", "Box/tools/clearml_train.py"] if verb == "exec" else ["train", "box"]
    running = box.start(*words)
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    time.sleep(0.3)
    assert sleeping(74001, 74002, 74003, 74004) == [74001, 74002, 74003, 74004]
    begin = time.monotonic()
    running.send_signal(signum)
    running.communicate(timeout=30)
    assert (running.returncode, time.monotonic() - begin < 10) == (code, True)
    assert gone(*range(74001, 74008), within=0.5)
    assert box.ok("ps", "--json").json["data"]["services"][0]["state"] == "running"


def test_a_signal_finds_what_hid_itself(box: Box) -> None:
    """Started twice removed, in a session of its own, without a single variable."""
    running = box.start("exec", "box", "python", "Box/tools/clearml_train.py", "gone")
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    time.sleep(0.3)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    try:
        assert gone(*range(74001, 74008), within=0.5)
    finally:
        box.ok("stop", "box")
        box.ok("up", "box")


def test_background_processes_outlive_an_exec_and_end_with_stop(box: Box) -> None:
    began = time.monotonic()
    box.ok("exec", "box", "sh", "-c", "sleep 74010 > /dev/null 2>&1 & setsid sleep 74011 > /dev/null 2>&1 &")
    box.ok("exec", "box", "sh", "-c", "for i in $(seq 40); do (env -i setsid sleep 74012 > /dev/null 2>&1 &) ; done")
    assert time.monotonic() - began < 5
    assert sleeping(74010, 74011, 74012) == [74010, 74011, 74012]
    box.ok("stop", "box")
    assert gone(74010, 74011, 74012)
    assert box.ok("ps").stdout.splitlines()[1].split() == ["box", "Box", "local", "exited"]
    box.ok("up", "box")


def test_ctrl_c_at_a_terminal(box: Box, terminal: Callable[..., Terminal]) -> None:
    screen = terminal([*kobako_argv(), "exec", "box", "sleep", "74020"], cwd=box.folder, env=box.env)
    deadline = time.monotonic() + 10
    while not sleeping(74020) and time.monotonic() < deadline:
        time.sleep(0.05)
    screen.send("\x03")
    assert screen.wait(10) == 130, screen.text
    assert gone(74020)
    background = terminal(
        [*kobako_argv(), "exec", "box", "sh", "-c", "sleep 3 & echo done"], cwd=box.folder, env=box.env
    )
    assert background.wait(10) == 0
    assert "done" in background.text


def test_a_shell_at_a_terminal(box: Box, terminal: Callable[..., Terminal]) -> None:
    screen = terminal([*kobako_argv(), "shell", "box"], cwd=box.folder, env=box.env)
    screen.send("echo typed $((40 + 2)) ahead\r")
    screen.expect("typed 42 ahead")
    screen.expect(r"root@\S+:/workspace# ")
    screen.resize(20, 77)
    time.sleep(0.3)
    screen.send("stty size\r")
    screen.expect("20 77")
    screen.send("sleep 74030\r")
    assert begun(74030)
    screen.send("\x1a")
    screen.expect("Stopped")
    screen.send("jobs; kill %1; fg; echo $?\r")
    screen.expect("sleep 74030")
    screen.send("sleep 74031\r")
    assert begun(74031)
    screen.send("\x03")
    screen.expect(r"\^C")  # the prompt before it may be what is read last
    screen.expect(r"# $")
    screen.send("(echo bye$((1)); exit 9)\r")
    screen.expect("bye1")
    screen.expect(r"# $")
    screen.send("\x04")
    assert screen.wait(10) == 9, screen.text
    assert gone(74030, 74031)


def test_a_shell_in_tmux(box: Box, tmux: Callable[..., Tmux]) -> None:
    screen = tmux([*kobako_argv(), "shell", "box"], cwd=box.folder, env=box.env)
    screen.wait_for(r"root@\S+:/workspace#")
    screen.keys("echo ", "$((6*7))", "Enter")
    screen.wait_for("(?m)^42$")
    screen.keys("Up", "Enter")
    screen.wait_for(lambda text: text.count("\n42\n") == 2)


def test_what_was_installed_by_hand(box: Box) -> None:
    """It stays over a stop and over a change of variables, is nobody else's, and goes with a rebuild or rm."""
    box.ok("up", "twin")
    edited = "import iniconfig; f = iniconfig.__file__; open(f, 'a').write('# by hand\\n')"
    box.ok("exec", "box", "pip", "install", "six")
    box.ok("exec", "box", "python", "-c", edited)
    box.ok("stop", "box")
    assert "starting it" in box.ok("exec", "box", "python", "-c", "import six").stderr
    assert box.ok("up", "box", env={"SAID": "second"}).code == 0
    assert box.inside("echo $SAID") == "second\n"
    box.ok("exec", "box", "python", "-c", "import six")
    box.ok("up", "box")
    marked = "grep -c 'by hand' /opt/kobako/env/lib/python3.11/site-packages/iniconfig/__init__.py || true"
    assert (box.inside(marked), box.inside(marked, service="twin")) == ("1\n", "0\n")
    assert box("exec", "twin", "python", "-c", "import six").code == 1
    texts = [
        path.read_text(encoding="utf-8")
        for path in box.local.glob("images/*/env/lib/*/site-packages/iniconfig/__init__.py")
    ]
    assert texts
    assert not any("by hand" in text for text in texts)
    cached = box.ok("build", "--json", "box").json["data"]["steps"]
    assert all(step["cached"] for step in cached), cached
    recipe = box.folder / "docker" / "Box"
    recipe.write_text(RECIPE + BIG + "RUN touch /anew\n", encoding="utf-8")
    box.ok("build", "box")
    assert "installed by hand is gone" in box.ok("up", "box").stderr
    box.ok("exec", "box", "test", "-e", "/anew")
    assert box("exec", "box", "python", "-c", "import six").code == 1
    box.ok("exec", "box", "touch", "/mine")
    recipe.write_text(RECIPE + BIG, encoding="utf-8")
    box.ok("build", "box")
    box.ok("rm", "box")
    assert not (box.local / "live" / "box").exists()
    box.ok("up", "box")
    assert box("exec", "box", "test", "-e", "/mine").code == 1


def test_a_second_service_of_the_same_recipe_takes_little_room(box: Box) -> None:
    box.ok("up", "twin")

    def room(*left_out: str) -> int:
        found = {}
        for place, folders, names in os.walk(box.local):
            folders[:] = [name for name in folders if os.path.join(place, name) not in left_out]
            for name in names:
                at = os.lstat(os.path.join(place, name))
                found[at.st_ino] = at.st_blocks * 512
        return sum(found.values())

    with_it, without = room(), room(str(box.local / "live" / "twin"))
    assert 0 < with_it - without < without / 6


def test_volumes_logs_and_entrypoint(box: Box) -> None:
    box.ok("up", "mounts")
    script = "echo kept > /kept/file; touch /scratch/x; touch /workspace/ro/x; cat /workspace/ro/kept; stat -f -c %T /scratch"
    done = box.ok("exec", "mounts", "sh", "-c", script)
    assert done.stdout == "kept\ntmpfs\n"
    assert "Read-only file system" in done.stderr
    assert box.ok("logs", "mounts").stdout.startswith("entry one two\nline\n")
    following = box.start("logs", "-f", "--tail", "1", "mounts")
    assert following.stdout is not None
    assert [following.stdout.readline() for _ in range(3)] == [b"line\n"] * 3
    box.ok("stop", "mounts")
    out, _ = following.communicate(timeout=10)
    assert following.returncode == 0
    assert out.endswith(b"ended\n"), "asked to end, it could say a last word"
    box.ok("rm", "mounts")
    box.ok("up", "mounts")
    assert box.inside("cat /kept/file; ls /scratch", service="mounts") == "kept\n"
    box.ok("rm", "mounts")


def test_a_reboot(box: Box) -> None:
    """The process numbers of another start of the machine mean nothing, even where a process has that number."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    path = box.local / "live" / "box" / "state.json"
    text = path.read_text(encoding="utf-8")
    assert boot in text
    path.write_text(text.replace(boot, "00000000-0000-0000-0000-000000000000"), encoding="utf-8")
    assert "exited" in box.ok("ps").stdout.splitlines()[1]
    refused = box("exec", "--no-up", "box", "true")
    assert refused.code == 2
    path.write_text(text, encoding="utf-8")  # it does run: end it as what it is
    box.ok("stop", "box")
    box.ok("up", "box")


@pytest.mark.parametrize("words", [("build", "--no-cache", "box"), ("up", "twin"), ("exec", "box", "sleep", "74040")])
def test_killed_at_any_moment(box: Box, words: tuple[str, ...]) -> None:
    box("rm", "twin")
    for delay in (0.1, 0.2, 0.3, 0.45, 0.6, 0.9):
        running = box.start(*words)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(delay)
        running.kill()
        running.wait()
        for stream in (running.stdin, running.stdout, running.stderr):
            assert stream is not None
            stream.close()
        assert box.ok("exec", "box", "echo", "works").stdout == "works\n"
        assert box.ok("exec", "twin", "echo", "works").stdout == "works\n"
    box.ok("build", "box")
    assert [path.name for path in (box.local / "images").iterdir() if path.name.startswith(".")] == []
    box.ok("stop", "box")
    assert gone(74040)
    box.ok("up", "box")


def test_a_thousand_commands_leave_nothing(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from kobako.actions.context import Context  # noqa: PLC0415 - the command line's own parts, used in process

    monkeypatch.chdir(box.folder)
    silent: Any = SimpleNamespace(say=lambda _line: None, warn=lambda _problem: None, child=lambda _line: None)
    context = Context(box.folder, box.env, silent, "local")
    service = context.service("box")
    engine = context.engine(service)
    assert isinstance(engine, LocalEngine)

    def counted() -> tuple[int, int, int, int]:
        files = sum(len(names) for _, _, names in os.walk(box.folder / ".kobako"))
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").count(str(box.folder))
        inside = len(box.inside("ls -d /proc/[0-9]*").split())
        return len(os.listdir("/proc/self/fd")), mounts, files, inside

    def rss() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    with open(os.devnull, "r+b") as nothing:
        streams = Streams(None, nothing.fileno(), nothing.fileno())
        for _ in range(20):
            engine.run(service, Command(("true",)), streams)
        before, memory = counted(), rss()
        for at in range(1000):
            assert engine.run(service, Command(("sh", "-c", f"exit {at % 7}")), streams) == at % 7
    for _ in range(30):
        box.ok("exec", "box", "true")
        after = counted()
    assert (after[0] <= before[0], after[1]) == (True, before[1])
    assert after[2] <= before[2] + 64, "logs of commands may be kept"
    assert after[3] == before[3]
    assert rss() - memory < 4_000_000
