"""Commands inside, seen from outside: exit codes, streams, terminals, signals, and who owns what they leave."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from engines import boxes
from engines.boxes import Box
from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace, StandIn
from infra.run import kobako_argv, kobako_environment, start
from infra.terminal import Terminal
from infra.user import Someone

pytestmark = pytest.mark.docker

TREE = """\
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["setsid", "sleep", "7001"])
subprocess.Popen(["env", "-i", "sleep", "7002"])
subprocess.Popen(["sh", "-c", "trap '' INT TERM HUP; (setsid sleep 7003 &) ; sleep 7004; sleep 7005"])
print("ready", flush=True)
time.sleep(7006)
"""


@pytest.fixture
def box(docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako) -> Box:
    stand_in(boxes.BASE)
    return boxes.make(docker_workspace, kobako, docker_engine)


@pytest.fixture
def theirs(
    docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako, someone: Someone
) -> Box:
    stand_in(boxes.BASE)
    return boxes.make(docker_workspace, kobako, docker_engine, user=someone)


def test_exec_builds_and_starts_what_is_missing_and_no_up_refuses(box: Box) -> None:
    refused = box("exec", "--no-up", "box", "true")
    assert (refused.code, refused.out) == (2, b"")
    assert "does not run (absent)" in refused.stderr
    done = box.ok("exec", "Box", "sh", "-c", "echo hello; pwd")
    assert done.stdout == "hello\n/workspace\n"
    assert "not built yet" in done.stderr
    assert box.ok("exec", "--no-up", "box", "true").stderr == ""


def test_exit_codes_and_streams(box: Box) -> None:
    box.ok("up", "box")
    for code in (0, 1, 3, 126, 255):
        assert box("exec", "box", "sh", "-c", f"exit {code}").code == code
    assert box("exec", "box", "sh", "-c", "kill -TERM $$").code == 143
    missing = box("exec", "box", "no-such-program")
    assert (missing.code, missing.out) == (127, b"")
    assert missing.stderr.startswith("error: ")
    data = os.urandom(1_000_000)
    done = box("exec", "box", "sh", "-c", "cat; echo end >&2", stdin=data)
    assert (done.code, done.out, done.err) == (0, data, b"end\n")
    assert box("exec", "box", "--", "echo", "--json", "-v").stdout == "--json -v\n"
    assert box("shell", "box", stdin="echo $((6 * 7)); exit 9\n").stdout == "42\n"
    # input that nobody reads, and a reader that goes away
    assert box("exec", "box", "true", stdin=data).code == 0
    assert (
        subprocess.run(
            f"{' '.join(kobako_argv())} exec box sh -c 'yes | head -c 5000000' | head -c 10 | wc -c",
            shell=True,
            cwd=box.folder,
            env=kobako_environment(box.env),
            capture_output=True,
            check=True,
        ).stdout.strip()
        == b"10"
    )


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("verb", ["exec", "train"])
def test_a_signal_leaves_no_process_behind(theirs: Box, verb: str, signum: int, code: int) -> None:
    (theirs.folder / "Box" / "tools" / "clearml_train.py").write_text(TREE, encoding="utf-8")
    theirs.ok("up", "box")
    words = ["exec", "box", "python", "Box/tools/clearml_train.py"] if verb == "exec" else ["train", "box"]
    env = kobako_environment(theirs.env, theirs.user)
    running = start([*kobako_argv(theirs.user), *words], cwd=theirs.folder, env=env, user=theirs.user)
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    time.sleep(0.5)
    begin = time.monotonic()
    running.send_signal(signum)
    running.communicate(timeout=30)
    assert running.returncode == code
    assert time.monotonic() - begin < 10
    listed = theirs.ok("exec", "box", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
    assert "sleep 700" not in listed
    assert "sleep 1000" in listed, "the service itself goes on"


def test_ctrl_c_in_a_terminal_is_for_the_program_inside(box: Box, terminal: Callable[..., Terminal]) -> None:
    box.ok("up", "box")
    screen = terminal([*kobako_argv(), "shell", "box"], cwd=box.folder, env=kobako_environment(box.env))
    screen.expect(r"# $")
    screen.send("stty size; tty; sleep 500\r")
    screen.expect(r"/dev/pts/\d")
    time.sleep(0.5)
    screen.send("\x03")
    screen.expect(r"# $")
    screen.send("exit 7\r")
    assert screen.wait() == 7


def test_files_belong_to_the_caller(theirs: Box) -> None:
    assert theirs.user is not None
    uid = theirs.user.uid
    script = "mkdir -m 700 -p data/a/b; echo x > data/a/b/c; ln -s /etc/passwd data/link; touch 'Box/a b' /outside"
    assert theirs.ok("exec", "box", "sh", "-c", f"id -u; {script}").stdout == "0\n"
    owners = {path.lstat().st_uid for name in ("data", "Box") for path in (theirs.folder / name).rglob("*")}
    assert owners == {uid}
    trained = theirs.ok("train", "box")
    assert trained.stdout == f"uid {uid} /tmp/kobako-{uid}\n"
    theirs.ok("exec", "box", "sh", "-c", "test $(stat -c %u /etc/passwd) = 0")


def test_a_killed_command_is_caught_up_with(theirs: Box) -> None:
    theirs.ok("up", "box")
    env = kobako_environment(theirs.env, theirs.user)
    argv = [*kobako_argv(theirs.user), "exec", "box", "sh", "-c", "touch data/left; echo ready; sleep 3"]
    running = start(argv, cwd=theirs.folder, env=env, user=theirs.user)
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    running.kill()
    running.communicate()
    assert (theirs.folder / "data" / "left").stat().st_uid == 0
    theirs.ok("exec", "box", "true")
    assert theirs.user is not None
    assert (theirs.folder / "data" / "left").stat().st_uid == theirs.user.uid


def test_a_missing_folder_is_made_as_the_caller(theirs: Box) -> None:
    (theirs.folder / "data" / ".keep").unlink()
    (theirs.folder / "data").rmdir()
    done = theirs.ok("up", "box")
    assert "made the folder data" in done.stderr
    assert theirs.user is not None
    assert (theirs.folder / "data").stat().st_uid == theirs.user.uid


def test_a_service_with_a_user_of_its_own_is_left_alone(theirs: Box) -> None:
    path = theirs.folder / "docker-compose.yaml"
    path.write_text(path.read_text(encoding="utf-8") + '    user: "4321:4321"\n', encoding="utf-8")
    assert theirs.ok("exec", "box", "id", "-u").stdout == "4321\n"
    done = theirs("train", "box")
    assert done.stdout.startswith("uid 4321")


def test_logs_and_json(box: Box) -> None:
    path = box.folder / "docker-compose.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"while', "\"printf 'a\\\\tb\\\\n'; while"), encoding="utf-8"
    )
    box.ok("up", "box")
    assert box.ok("logs", "box").out == b"a\tb\n"
    assert box.ok("ps", "--json").json["data"]["services"] == [
        {"engine": "docker", "name": "Box", "service": "box", "state": "running"}
    ]
    trained = box.ok("train", "--json", "box")
    assert trained.json["data"]["code"] == 0
    assert "uid 0" in trained.stderr
    assert box.ok("stop", "--json", "box").json["data"]["services"] == [{"service": "box", "stopped": True}]
    assert box.ok("ps").stdout.splitlines()[1].split() == ["box", "Box", "docker", "exited"]


def test_verify_says_what_failed(box: Box) -> None:
    path = box.folder / "docker-compose.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "    x-kobako:\n      verify: echo last words; exit 5\n", encoding="utf-8")
    failed = box("verify", "--json", "box")
    assert failed.code == 1
    assert failed.json["data"]["verified"] is False
    assert failed.json["problems"][0]["code"] == "not-verified"
    assert "last words" in failed.json["problems"][0]["why"]
    path.write_text(text + "    x-kobako:\n      verify: test -e /made\n", encoding="utf-8")
    assert "verified (docker engine): from zero" in box.ok("verify", "box").stdout
    recipe = box.folder / "docker" / "Box"
    recipe.write_text(recipe.read_text(encoding="utf-8") + "RUN echo broken; exit 4\n", encoding="utf-8")
    broken = box("verify", "box")
    assert broken.code == 1
    assert "broken" in broken.stderr
    assert "docker/Box:3" in broken.stderr


def test_nohup_outlives_its_terminal(box: Box) -> None:
    box.ok("up", "box")
    argv = ["nohup", *kobako_argv(), "exec", "box", "sh", "-c", "echo ready; sleep 2; echo done"]
    running = start(argv, cwd=box.folder, env=kobako_environment(box.env))
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    running.send_signal(signal.SIGHUP)
    out, _ = running.communicate(timeout=30)
    assert (running.returncode, out) == (0, b"done\n")


def test_a_signal_while_a_command_is_being_started_leaves_nothing(box: Box) -> None:
    box.ok("up", "box")
    for delay in (0.08, 0.12, 0.16, 0.2, 0.24, 0.28):
        running = start(
            [*kobako_argv(), "exec", "box", "sleep", "7010"], cwd=box.folder, env=kobako_environment(box.env)
        )
        time.sleep(delay)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    assert "sleep 7010" not in box.ok("exec", "box", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout


def test_output_that_cannot_be_written_and_closed_streams(box: Box) -> None:
    box.ok("up", "box")
    kobako = " ".join(kobako_argv())
    env = kobako_environment(box.env)

    def shell(words: str) -> subprocess.CompletedProcess[bytes]:
        argv = ["sh", "-c", f"{kobako} {words}"]
        return subprocess.run(argv, cwd=box.folder, env=env, capture_output=True, timeout=60, check=False)

    full = shell("exec box sh -c 'echo hi; exec sleep 7020' > /dev/full")
    assert full.returncode == 1
    assert b"cannot write the output" in full.stderr
    assert "sleep 7020" not in box.ok("exec", "box", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
    assert b"cannot write the answer" in shell("ps > /dev/full").stderr
    assert shell("exec box cat <&-").returncode == 0
    assert shell("ps 2>&-").returncode == 0
    assert shell("exec box yes | head -1").stderr == b""
