"""What every engine promises. A test module subclasses ``EngineContract`` and gives it an engine and a workspace."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from kobako.errors import BuildError, CannotStartError, EngineError, Stopped, WorkError
from kobako.model.service import Service
from kobako.protocols import Command, Engine, LogOptions, Streams


class Outcome:
    """What a command inside left."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code, self.out, self.err = code, out, err


def drain(fd: int, into: list[bytes]) -> threading.Thread:
    def read() -> None:
        with os.fdopen(fd, "rb") as file:
            into.append(file.read())

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def run(engine: Engine, service: Service, command: Command, stdin: bytes | None = None) -> Outcome:
    """Run a command with pipes on all sides."""
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    in_read, in_write = os.pipe()
    out: list[bytes] = []
    err: list[bytes] = []
    readers = [drain(out_read, out), drain(err_read, err)]
    feeder = threading.Thread(target=_feed, args=(in_write, stdin or b""))
    feeder.start()
    try:
        code = engine.run(service, command, Streams(None if stdin is None else in_read, out_write, err_write))
    finally:
        for fd in (out_write, err_write, in_read):
            os.close(fd)
        feeder.join()
        for reader in readers:
            reader.join()
    return Outcome(code, out[0], err[0])


def _feed(fd: int, data: bytes) -> None:
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
    except BrokenPipeError:
        pass


@contextmanager
def signal_after(seconds: float, signum: int) -> Iterator[None]:
    """Send ourselves a signal that arrives as ``Stopped``, as the command line has it."""

    def arrived(number: int, _: FrameType | None) -> None:
        raise Stopped(number)

    previous = signal.signal(signum, arrived)
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signum))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        signal.signal(signum, previous)


class EngineContract:
    """Subclasses provide the fixtures ``engine``, ``service`` (stays up), ``ending`` (does not), ``recipe``."""

    def test_is_available(self, engine: Engine) -> None:
        assert engine.available().usable
        assert engine.available().problem is None

    def test_life_of_a_service(self, engine: Engine, service: Service) -> None:
        def state() -> str:
            return engine.states([service])[service.name]

        assert state() == "absent"
        assert engine.build(service).image
        assert state() == "built"
        assert engine.up(service) is True
        assert state() == "running"
        assert engine.up(service) is False
        assert engine.stop(service) is True
        assert state() == "exited"
        assert engine.stop(service) is False
        assert engine.up(service) is True
        assert engine.remove(service) is True
        assert state() == "built"
        assert engine.remove(service) is False

    def test_a_second_build_is_cached_and_a_fresh_one_is_not(self, engine: Engine, service: Service) -> None:
        engine.build(service)
        ran = [step for step in engine.build(service).steps if "RUN" in step.name]
        assert ran
        assert all(step.cached for step in ran)
        ran = [step for step in engine.build(service, fresh=True).steps if "RUN" in step.name]
        assert ran
        assert not any(step.cached for step in ran)

    def test_a_failing_build_says_where_and_keeps_what_was_there(
        self, engine: Engine, service: Service, recipe: Path
    ) -> None:
        engine.build(service)
        recipe.write_text(recipe.read_text(encoding="utf-8") + "RUN false\n", encoding="utf-8")
        with pytest.raises(BuildError) as caught:
            engine.build(service)
        assert caught.value.code == "build-failed"
        assert "RUN false" in caught.value.what
        assert engine.states([service])[service.name] == "built"

    def test_a_service_that_ends_by_itself_is_told(self, engine: Engine, ending: Service) -> None:
        with pytest.raises(WorkError) as caught:
            engine.up(ending)
        assert caught.value.code == "exited"
        assert engine.states([ending])[ending.name] == "exited"

    @pytest.mark.parametrize(
        ("argv", "code"), [(("true",), 0), (("sh", "-c", "exit 7"), 7), (("sh", "-c", "kill -9 $$"), 137)]
    )
    def test_exit_codes(self, engine: Engine, running: Service, argv: tuple[str, ...], code: int) -> None:
        assert run(engine, running, Command(argv)).code == code

    def test_streams_stay_apart(self, engine: Engine, running: Service) -> None:
        outcome = run(engine, running, Command(("sh", "-c", "echo to out; echo to err >&2")))
        assert (outcome.out, outcome.err) == (b"to out\n", b"to err\n")

    @pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
    def test_input_and_output_byte_for_byte(self, engine: Engine, running: Service, size: int) -> None:
        data = os.urandom(size)
        assert run(engine, running, Command(("cat",)), stdin=data).out == data

    def test_without_input_a_program_sees_the_end_at_once(self, engine: Engine, running: Service) -> None:
        assert run(engine, running, Command(("cat",), stdin=False)).out == b""

    def test_environment_folder_and_user(self, engine: Engine, running: Service) -> None:
        greeting = "こんにちは $HOME 'x'"
        script = 'echo "$GREETING"'
        assert (
            run(engine, running, Command(("sh", "-c", script), {"GREETING": greeting})).out.decode() == f"{greeting}\n"
        )
        assert run(engine, running, Command(("pwd",), workdir="/tmp")).out == b"/tmp\n"
        assert run(engine, running, Command(("id", "-u"), user="1234:1234")).out == b"1234\n"
        assert run(engine, running, Command(("id", "-u"))).out == b"0\n"

    def test_a_command_that_is_not_there(self, engine: Engine, running: Service) -> None:
        with pytest.raises(CannotStartError) as caught:
            run(engine, running, Command(("no-such-program",)))
        assert caught.value.exit_code == 127

    def test_a_service_that_does_not_run_runs_nothing(self, engine: Engine, service: Service) -> None:
        with pytest.raises(EngineError) as caught:
            run(engine, service, Command(("true",)))
        assert caught.value.code == "not-running"

    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_ends_every_process_of_the_command(self, engine: Engine, running: Service, signum: int) -> None:
        begin = time.monotonic()
        with signal_after(1.0, signum), pytest.raises(Stopped) as caught:
            run(engine, running, Command(("sh", "-c", "setsid sleep 60 & sleep 60")))
        assert caught.value.exit_code == 128 + signum
        assert time.monotonic() - begin < 11
        assert self.leftovers(engine, running) == 0

    def test_logs_are_what_the_service_printed(self, engine: Engine, running: Service) -> None:
        out_read, out_write = os.pipe()
        out: list[bytes] = []
        reader = drain(out_read, out)
        engine.logs(running, Streams(None, out_write, out_write), LogOptions(tail=1))
        os.close(out_write)
        reader.join()
        assert out[0] == b"started\n"

    def leftovers(self, engine: Engine, service: Service) -> int:
        """How many processes of commands there still are inside."""
        raise NotImplementedError
