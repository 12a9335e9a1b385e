"""What a person sees, on which stream, and what is kept in the log."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import select
import struct
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kobako import console
from kobako.console import Console, LiveScreen, render, wants_colour
from kobako.errors import UsageError, Where
from kobako.model.result import Problem

PROBLEM = Problem(
    "bad-requirement",
    "cannot install `flash-attn`",
    "it compiles CUDA code\nand there is no compiler",
    "choose another base",
    Where("requirements.txt", 14),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def plain(_: str, text: str) -> str:
    return text


def test_an_error_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    Console({}).error(PROBLEM)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error: cannot install `flash-attn` (requirements.txt:14)\n"
        "  why: it compiles CUDA code\n"
        "       and there is no compiler\n"
        "  fix: choose another base\n"
    )


def test_what_is_not_known_is_not_said() -> None:
    assert render(Problem("usage", "no command was given"), "error", plain) == ["error: no command was given"]
    assert render(PROBLEM._replace(where=Where("a.yaml", 3, 7), why="", fix=""), "warning", plain) == [
        "warning: cannot install `flash-attn` (a.yaml:3:7)"
    ]


def test_an_error_names_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = Console({})
    told.log_to(lambda: tmp_path, "build")
    told.child("Step 1/2")
    told.error(PROBLEM)
    assert f"  log: {told.log_path}\n" in capsys.readouterr().err
    kept = Path(told.log_path).read_text(encoding="utf-8")
    assert "Step 1/2" in kept
    assert "cannot install `flash-attn`" in kept
    told.error(Problem("training-failed", "it ended"))  # it has a log of its own, and that is named
    assert capsys.readouterr().err == "error: it ended\n"
    close(told)


@pytest.mark.parametrize(
    ("verbosity", "said", "warned", "child"),
    [(1, True, True, True), (0, True, True, False), (-1, False, True, False), (-2, False, False, False)],
)
def test_how_much_is_told(
    verbosity: int, said: bool, warned: bool, child: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Console({}, verbosity=verbosity)
    told.say("saying")
    told.warn(Problem("no-gpu", "warning of it"))
    told.child("from the child")
    out, err = capsys.readouterr()
    assert out == ""
    assert ("saying" in err, "warning of it" in err, "from the child" in err) == (said, warned, child)
    told.error(Problem("bug", "an error is told always"))
    assert "an error is told always" in capsys.readouterr().err


def test_a_step_says_how_long_it_took(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([10.0, 12.34])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    with Console({}).step("building mmdetection"):
        pass
    assert capsys.readouterr().err == "building mmdetection ...\nbuilding mmdetection: 2.3 s\n"


def test_a_step_that_fails_does_not_claim_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), Console({}).step("building"):
        raise ValueError("x")
    assert capsys.readouterr().err == "building ...\n"


def test_answers_go_to_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    told = Console({}, verbosity=-5)
    told.answer("a table")
    told.answer("")
    told.answer("ends\n")
    assert capsys.readouterr() == ("a table\nends\n", "")


@pytest.mark.parametrize(
    ("env", "terminal", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
    ],
)
def test_colour(env: dict[str, str], terminal: bool, colour: bool) -> None:
    assert wants_colour(env, Terminal() if terminal else io.StringIO()) is colour


def test_colour_never_carries_the_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    Console({}).error(PROBLEM)
    assert "\x1b[31merror:\x1b[0m cannot install" in stream.getvalue()
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    Console({}, colour=False).error(PROBLEM)
    assert stream.getvalue().startswith("error: cannot install")


@pytest.mark.parametrize(
    "secret",
    ["https://me:hunter2@example.com/x.git", "CLEARML_API_SECRET_KEY=hunter2", "password: hunter2", "TOKEN=hunter2"],
)
def test_no_secret_reaches_the_terminal_or_the_log(
    secret: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Console({}, verbosity=1)
    told.log_to(lambda: tmp_path, "add")
    told.say(f"fetching {secret}")
    told.child(secret)
    told.warn(Problem("bad-source", secret, secret, secret))
    told.error(Problem("bad-source", secret, secret, secret))
    shown = capsys.readouterr().err + Path(told.log_path).read_text(encoding="utf-8")
    assert "hunter2" not in shown
    assert shown.count("***") >= 8
    close(told)


def test_old_logs_go(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"20200101-0000{number:02}-build-1.log").touch()
    told = Console({}, verbosity=-1)
    told.log_to(lambda: tmp_path, "build")
    told.say("x")
    assert len(list(tmp_path.glob("*.log"))) == console._KEPT_LOGS
    assert not (tmp_path / "20200101-000000-build-1.log").exists()
    close(told)


def test_no_log_without_a_place_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (None, tmp_path / "missing"):
        told = Console({})
        told.log_to(lambda found=folder: found, "build")  # type: ignore[misc]
        told.say("x")
        assert told.log_path == ""
    assert capsys.readouterr().err == "x\nx\n"


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_a_question_on_a_terminal(answer: str, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    assert Console({}, colour=False).confirm("remove it?") is agreed
    assert stream.getvalue() == "remove it? [y/N] "


def test_nobody_is_asked_without_a_terminal_or_with_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert Console({}).confirm("remove it?")
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert Console({}, yes=True).confirm("remove it?")
    assert stream.getvalue() == ""


def test_what_only_a_person_can_agree_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError) as caught:
        Console({}).confirm("delete it?", person=True)
    assert "--yes" in caught.value.fix
    assert Console({}, yes=True).confirm("delete it?", person=True)
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert Console({}).confirm("delete it?", person=True)


def test_a_terminal_that_does_not_know_every_character(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    Console({}).answer("機械 \udcff")
    assert raw.getvalue() == b"\\u6a5f\\u68b0 \\udcff\n"


def test_a_reader_that_went_away_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Gone())
    Console({}).answer("x")


def close(told: Console) -> None:
    if told._log is not None and told._log._file is not None:
        told._log._file.close()


class Stands:
    """How a training stands."""

    def __init__(self, text: str = "epoch 1") -> None:
        self.text = text

    def bar(self, width: int) -> str:
        return self.text[:width]

    def line(self) -> str:
        return self.text


Live = tuple[LiveScreen, Callable[[], bytes]]


@contextlib.contextmanager
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A screen whose standard streams are one terminal, and what has arrived there.

    No fixture: pytest's own capture takes the streams anew before each test.
    """
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    kept = [os.dup(fd) for fd in (1, 2)]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(console, "_REDRAW", 0.0)
    monkeypatch.setattr(console, "_AGAIN", 0.0)
    for fd in (1, 2):
        os.dup2(theirs, fd)

    def arrived() -> bytes:
        """A terminal hands on what is written in pieces."""
        found = b""
        while select.select([ours], [], [], 0.05)[0]:
            found += os.read(ours, 65536)
        return found

    try:
        yield LiveScreen(quiet=False, dim=lambda text: text), arrived
    finally:
        for fd, before in zip((1, 2), kept, strict=True):
            os.dup2(before, fd)
            os.close(before)
        os.close(ours)
        os.close(theirs)


def test_the_line_stands_below_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_terminal(monkeypatch) as (screen, arrived):
        screen.state(Stands())
        assert arrived() == b"epoch 1"
        screen.pass_on(1, b"hello\n")
        assert arrived() == b"\r\x1b[Khello\nepoch 1", "taken away first, and drawn again below"
        screen.close()
        assert arrived() == b"\r\x1b[K"
        screen.state(Stands())
        screen.pass_on(1, b"late\n")
        assert arrived() == b"late\n", "once it is closed nothing is drawn any more"


def test_a_bar_of_the_command_s_own_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_terminal(monkeypatch) as (screen, arrived):
        screen.pass_on(2, b"\r 10%")
        screen.state(Stands())
        screen.pass_on(2, b"\r 20%")
        assert arrived() == b"\r 10%\r 20%"
        screen.pass_on(2, b"\r100%\n")
        assert arrived() == b"\r100%\nepoch 1"


def test_what_kobako_says_stands_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_terminal(monkeypatch) as (screen, arrived):
        screen.pass_on(1, b"half a line")
        screen.make_room()
        assert arrived() == b"half a line\r\n"
        screen.state(Stands())
        screen.make_room()
        assert arrived() == b"epoch 1\r\x1b[K"


def test_the_line_acts_on_no_terminal_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_terminal(monkeypatch) as (screen, arrived):
        fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
        screen.state(Stands("loss \x1b[2J" + "x" * 200))
        text = arrived()
        assert b"\x1b[2J" not in text
        assert text == b"loss \\u001b[2Jxxxxx"


def test_in_a_pipe_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    screen = LiveScreen(quiet=False, dim=lambda text: text)
    for text in ("", "epoch 1, token=abcdefgh", "epoch 2"):
        screen.state(Stands(text))
    assert capfd.readouterr().err == "progress: epoch 1, token=***\n", "the next is due in half a minute"
    monkeypatch.setattr(console, "_TOLD", 0.0)
    for text in ("epoch 2", "epoch 2"):
        screen.state(Stands(text))
    screen.pass_on(1, b"out\n")
    assert capfd.readouterr() == ("out\n", "progress: epoch 2\n"), "the same is not told twice"
    quiet = LiveScreen(quiet=True, dim=lambda text: text)
    quiet.state(Stands())
    assert capfd.readouterr() == ("", "")
