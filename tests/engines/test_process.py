"""Programs are started, listened to and ended. These tests start real ones, and need no engine."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from kobako import process
from kobako.errors import Stopped, WorkError
from kobako.process import Outcome


@contextmanager
def stopped_after(seconds: float, signum: int = signal.SIGTERM) -> Iterator[None]:
    """Raises ``Stopped`` in the block, as the command line's handlers do."""

    def handler(number: int, _: FrameType | None) -> None:
        raise Stopped(number)

    before = signal.signal(signum, handler)
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signum))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signum, before)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_what_a_program_prints_is_kept() -> None:
    outcome = process.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (outcome.code, outcome.stdout, outcome.stderr, outcome.ok) == (3, "out\n", "err\n", False)
    assert outcome.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")
    assert outcome.shown == "sh -c 'echo out; echo err >&2; exit 3'"
    assert 0 <= outcome.seconds < 60


def test_a_program_that_was_never_started_is_told_from_one_that_failed(tmp_path: Path) -> None:
    outcome = process.run(["kobako-no-such-program"])
    assert (outcome.code, outcome.ok) == (None, False)
    assert "No such file or directory" in outcome.stderr
    (tmp_path / "x").write_text("", encoding="utf-8")
    assert process.run([str(tmp_path / "x")]).code is None
    with pytest.raises(WorkError) as caught:
        outcome.check("cannot do it", fix="install it")
    assert caught.value.why == "`kobako-no-such-program`: it could not be started"
    assert (caught.value.code, caught.value.fix) == ("command-failed", "install it")


def test_a_failure_is_quoted_and_masked() -> None:
    outcome = process.run(["sh", "-c", "echo https://me:hunter2@example.com >&2; exit 2"])
    with pytest.raises(WorkError) as caught:
        outcome.check("cannot fetch")
    assert caught.value.what == "cannot fetch"
    assert caught.value.why.endswith(": exit code 2: https://***@example.com")
    assert "hunter2" not in outcome.shown
    assert process.run(["true"]).check("x").ok


def test_a_signal_is_told_from_an_exit_code() -> None:
    assert process.run(["sh", "-c", "kill -9 $$"]).code == -9


def test_lines_come_as_they_are_printed() -> None:
    lines: list[str] = []
    process.run(["sh", "-c", r"printf 'a\nb\rc\n\377\nlast'"], on_line=lines.append)
    assert lines == ["a", "b", "c", "\ufffd", "last"]


def test_the_environment_is_added_to(tmp_path: Path) -> None:
    outcome = process.run(["sh", "-c", 'echo $GREETING; pwd; test -n "$PATH"'], env={"GREETING": "hi"}, cwd=tmp_path)
    assert outcome.stdout == f"hi\n{tmp_path}\n"
    assert outcome.ok


def test_standard_input() -> None:
    setting = process.Setting(os.environ, stdin=b"x" * 1_000_000)
    assert process.run_in(setting, ["wc", "-c"]).stdout.strip() == "1000000"
    assert process.run(["cat"]).stdout == ""
    assert process.run_in(setting, ["true"]).ok  # it does not read what it is given


def test_what_does_not_end_in_time_is_ended() -> None:
    """Also where it does not listen to a polite word."""
    outcome = process.run(["sh", "-c", "trap '' TERM; echo begun; exec sleep 74120"], seconds=0.5)
    assert (outcome.code, outcome.stderr) == (None, "no answer within 0 s")
    assert outcome.seconds < 5
    assert process.run(["pgrep", "-f", "sleep 7412[0]"]).stdout == ""
    assert process.run(["echo", "x"], seconds=30).stdout == "x\n"


def test_much_output_on_both_streams_does_not_block() -> None:
    script = (
        "import sys; [(sys.stdout.write('o' * 9999 + '\\n'), sys.stderr.write('e' * 9999 + '\\n')) for _ in range(99)]"
    )
    outcome = process.run([sys.executable, "-c", script])
    assert (len(outcome.stdout), len(outcome.stderr)) == (990_000, 990_000)


def test_the_last_lines_are_of_the_error_output() -> None:
    assert Outcome(("x",), 1, "out", "1\n2\n3\n", 0).last_lines(2) == "2\n3"
    assert Outcome(("x",), 1, "1\n2\n", " \n", 0).last_lines() == "1\n2"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_being_stopped_ends_the_program(tmp_path: Path, signum: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0.1)
    pid = tmp_path / "pid"
    with pytest.raises(Stopped) as caught, stopped_after(0.3, signum):
        process.run(["sh", "-c", f"echo $$ >{pid}; exec sleep 60"])
    assert caught.value.signum == signum
    assert not alive(int(pid.read_text(encoding="utf-8")))


def test_a_program_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    pid = tmp_path / "pid"
    begin = time.monotonic()
    with pytest.raises(Stopped), stopped_after(0.3):
        process.run(["sh", "-c", f"trap '' TERM; echo $$ >{pid}; while :; do sleep 0.1; done"])
    assert time.monotonic() - begin < 10
    assert not alive(int(pid.read_text(encoding="utf-8")))


def test_a_program_may_tidy_up(tmp_path: Path) -> None:
    done = tmp_path / "done"
    with pytest.raises(Stopped), stopped_after(0.3):
        process.run(["sh", "-c", f"trap 'sleep 0.2; touch {done}; exit' TERM; while :; do sleep 0.1; done"])
    assert done.exists()


def test_attached_to_file_descriptors(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        argv = ["sh", "-c", "cat; echo err >&2; exit 7"]
        assert process.attach(argv, stdin=None, stdout=out.fileno(), stderr=err.fileno()) == 7
        assert process.attach(["sh", "-c", "kill -9 $$"], stdin=None, stdout=out.fileno(), stderr=err.fileno()) == 137
    assert (tmp_path / "out").read_bytes() == b""
    assert (tmp_path / "err").read_bytes() == b"err\n"


def test_a_helper_is_ended_by_its_owner() -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as out:
        helper = process.spawn(["sh", "-c", "echo ready; exec sleep 60"], stdin=0, stdout=write)
        os.close(write)
        assert out.readline() == b"ready\n"
        process.end(helper)
    assert helper.returncode == -signal.SIGTERM


def test_which() -> None:
    assert process.which("sh") is not None
    assert process.which("kobako-no-such-program") is None
