"""What a service is to run as, how long it may take to end, and the processes of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kobako.engines.local import live, processes, shims, state
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.live import Wanted
from kobako.engines.local.place import Place
from kobako.engines.local.state import State
from kobako.errors import EngineError
from kobako.model.service import Mount, Service

PYTHON = ["/opt/p/bin/python3.8", "3.8.18", "/opt/p", "x86_64"]
IMAGE = {
    "environment": {"A": "image", "B": "image", "PATH": "/usr/bin"},
    "workdir": "/workspace",
    "entrypoint": ["entry"],
    "command": ["cmd"],
    "interpreter": PYTHON,
}


def wanted(tmp_path: Path, service: Service, *, sandboxed: bool = True, **image: Any) -> Wanted:
    place = Place(tmp_path / ".kobako")
    return live.wanted(service, {**IMAGE, **image}, place, env={"C": "caller"}, sandboxed=sandboxed)


@pytest.mark.parametrize(
    ("entrypoint", "command", "argv"),
    [
        (None, None, ("entry", "cmd")),
        (None, "sleep 'a b'", ("entry", "sleep", "a b")),
        (None, ("sleep", "1"), ("entry", "sleep", "1")),
        (None, (), ("entry",)),
        ("run me", None, ("run", "me")),  # the image's command goes with its entrypoint
        (("run",), "x", ("run", "x")),
        ((), None, ("python3",)),
        ((), "x", ("x",)),
        ("", "x", ("x",)),
    ],
)
def test_argv(
    tmp_path: Path,
    entrypoint: str | tuple[str, ...] | None,
    command: str | tuple[str, ...] | None,
    argv: tuple[str, ...],
) -> None:
    """https://docs.docker.com/reference/compose-file/services/#entrypoint and #command."""
    assert wanted(tmp_path, Service("a", entrypoint=entrypoint, command=command)).argv == argv


def test_an_image_that_says_nothing(tmp_path: Path) -> None:
    assert wanted(tmp_path, Service("a"), entrypoint=[], command=[]).argv == ("python3",)


def test_environment(tmp_path: Path) -> None:
    found = wanted(tmp_path, Service("a", environment={"B": "service", "C": None, "D": None})).environment
    assert {name: found.get(name) for name in "ABCD"} == {"A": "image", "B": "service", "C": "caller", "D": None}
    assert found["VIRTUAL_ENV"] == "/opt/kobako/env"
    assert found["PATH"].endswith(":/usr/bin")


def test_folder_and_interpreter(tmp_path: Path) -> None:
    made = wanted(tmp_path, Service("a"))
    assert (made.workdir, made.interpreter) == (
        "/workspace",
        Interpreter("/opt/p/bin/python3.8", "3.8.18", "/opt/p", "x86_64"),
    )
    assert wanted(tmp_path, Service("a", working_dir="/x")).workdir == "/x"


def test_without_bubblewrap(tmp_path: Path) -> None:
    own = Service("a", entrypoint=(), command="x")
    made = wanted(tmp_path, own._replace(environment={"B": "/workspace/x"}), sandboxed=False)
    assert made.environment["B"] == f"{tmp_path}/x"
    assert made.environment["VIRTUAL_ENV"] == f"{tmp_path}/.kobako/local/live/a/env"
    with pytest.raises(EngineError):
        wanted(tmp_path, own._replace(mounts=(Mount("bind", "/srv", "/srv"),)), sandboxed=False)
    for of_the_image in (own._replace(entrypoint=None), Service("a")):
        with pytest.raises(EngineError) as caught:
            wanted(tmp_path, of_the_image, sandboxed=False)
        assert caught.value.code == "needs-sandbox"


def test_the_configuration_in_short(tmp_path: Path) -> None:
    base = Service("a", entrypoint=(), command="x")
    same = wanted(tmp_path, base).config
    assert wanted(tmp_path, base._replace(stop_grace_period="9s", user="1", container_name="z")).config == same
    mount = Mount("bind", "/srv", "/srv")
    changed = [
        wanted(tmp_path, base._replace(command="y")),
        wanted(tmp_path, base._replace(environment={"A": "1"})),
        wanted(tmp_path, base._replace(working_dir="/x")),
        wanted(tmp_path, base._replace(mounts=(mount,))),
        wanted(tmp_path, base._replace(mounts=(mount._replace(read_only=True),))),
        wanted(tmp_path, base._replace(mounts=(mount._replace(target="/other"),))),
        wanted(tmp_path, base, environment={"A": "other"}),
        wanted(tmp_path, base, sandboxed=False),
    ]
    assert len({same, *(one.config for one in changed)}) == len(changed) + 1


@pytest.mark.parametrize(
    ("period", "command", "seconds"),
    [
        ("10s", None, 10),
        ("1m30s", None, 90),
        ("1h", None, 3600),
        ("500ms", None, 0.5),
        ("1.5s", None, 1.5),
        ("1m0.5s", None, 60.5),
        ("100us", None, 0.0001),
        ("0s", None, 0),
        ("3s", "sleep 1000", 3),
        (None, "python3 a.py", 10),
        (None, None, 10),
        (None, '/bin/sh -c "while sleep 1000; do :; done"', 1),
        (None, ("tail", "-f", "/dev/null"), 1),
    ],
)
def test_grace(period: str | None, command: str | tuple[str, ...] | None, seconds: float) -> None:
    found = live._grace(Service("a", stop_grace_period=period, command=command))
    assert found == pytest.approx(seconds)


def test_a_state_is_kept_and_read(tmp_path: Path) -> None:
    place = Place(tmp_path / ".kobako")
    assert state.state_of(place, "a") is None
    me = os.getpid()
    kept = State("image", sandboxed=True, config="config", mark="mark", workdir="/", pid=me, main=me)
    kept = kept._replace(start=processes.started(me) or 0, boot=state.boot())
    place.write(place.state_file("a"), list(kept))
    assert state.state_of(place, "a") == kept
    assert kept.running
    assert not kept._replace(boot="another").running
    assert not kept._replace(start=kept.start + 1).running
    assert not kept._replace(pid=0).running
    assert not kept._replace(main=0).running  # not started to the end: nobody can enter


def test_this_process() -> None:
    me = os.getpid()
    begun = processes.started(me)
    assert begun is not None
    assert processes.alive(me, begun)
    assert not processes.alive(me, begun + 1)
    assert processes.environment(me).items() <= {**dict(os.environ), **processes.environment(me)}.items()


def test_no_such_process() -> None:
    none = 1 << 30
    assert processes.started(none) is None
    assert not processes.alive(none, 0)
    assert processes.environment(none) == {}
    processes.send([none], signal.SIGKILL)


@pytest.fixture
def odd_name() -> Iterator[None]:
    """A program may call itself anything, also what looks like the fields that follow its name."""
    comm = Path("/proc/self/comm")
    before = comm.read_text(encoding="utf-8")
    comm.write_text(") Z 1 1 (x\n", encoding="utf-8")
    yield
    comm.write_text(before, encoding="utf-8")


@pytest.mark.usefixtures("odd_name")
def test_names_do_not_deceive() -> None:
    found = processes._stat(os.getpid())
    assert found is not None
    kind, parent, begun = found
    assert (kind in "RSD", parent) == (True, os.getppid())
    assert processes.started(os.getpid()) == begun


def test_marked_never_finds_kobako_itself() -> None:
    me = os.getpid()
    pair = next(iter(processes.environment(me).items()))
    assert me not in processes.marked("=".join(pair), {me: processes.started(me) or 0})
    assert processes.marked("KOBAKO_SESSION=no-process-has-it", {}) == {}
    parent = os.getppid()
    begun = processes.started(parent) or 0
    assert processes.marked("KOBAKO_SESSION=no-process-has-it", {parent: begun + 1}) == {}
    assert parent in processes.marked("KOBAKO_SESSION=no-process-has-it", {parent: begun}) or begun == 0


def test_ending_waits_then_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    looks = iter([{5: 1, 6: 1}, {6: 1}, {6: 1}, {}, {}])
    monkeypatch.setattr(os, "kill", lambda pid, signum: sent.append((pid, signum)))
    processes.end(lambda found: next(looks), signal.SIGTERM, patience=0.08)
    assert sent[:2] == [(5, signal.SIGTERM), (6, signal.SIGTERM)]
    assert sent[2:] == [(6, signal.SIGKILL)] * len(sent[2:])


def test_nothing_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda pid, signum: pytest.fail("nothing is there"))
    processes.end(lambda found: {}, signal.SIGTERM)


@pytest.mark.parametrize(
    ("packages", "there", "absent"),
    [
        (["git", "g++"], {"git"}, ["g++"]),
        (["libglib2.0-0"], {"libglib2.0-0t64"}, []),
        (["libglib2.0-0t64"], {"libglib2.0-0"}, ["libglib2.0-0t64"]),
        (["python3", "python3-pip", "python3-dev"], set(), []),
        (["python3-numpy"], set(), ["python3-numpy"]),
        ([], {"git"}, []),
        (["git"], None, []),
    ],
)
def test_absent(packages: list[str], there: set[str] | None, absent: list[str]) -> None:
    assert shims.absent(packages, None if there is None else frozenset(there)) == absent


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"", []),
        (b"git\ng++\ngit\n", ["git", "g++"]),
        (b"a;rm\n../x\n$(x)\n-y\n\xff\nlibc6\n", ["libc6"]),
        (b"".join(b"a%d\n" % number for number in range(200)), [f"a{number}" for number in range(100)]),
    ],
)
def test_what_the_stand_ins_noted(content: bytes, names: list[str]) -> None:
    assert shims.noted(content) == names


def test_the_stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shims, "installed", lambda: frozenset({"git", "bash"}))
    shims.write(tmp_path / "kobako/bin")
    for name in ("apt", "apt-get", "aptitude"):
        path = tmp_path / "kobako/bin" / name
        assert os.access(path, os.X_OK)
        assert path.read_text(encoding="ascii").startswith("#!/bin/sh\n")
    assert shims.listing(tmp_path).read_text(encoding="utf-8") == "bash\ngit\n"
