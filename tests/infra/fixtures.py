"""The fixtures that ``infra`` documents."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from infra import engine as engines
from infra import images, leaks
from infra import user as users
from infra.engine import Engine
from infra.need import need
from infra.run import SOURCE, Outcome, kobako_argv, kobako_environment, run
from infra.terminal import Terminal, Tmux
from infra.user import Someone
from infra.workspaces import write_files


class StandIn(Protocol):
    def __call__(self, name: str, kind: images.Kind = "base", *, engine: Engine | None = None) -> str: ...


class MakeWorkspace(Protocol):
    def __call__(
        self, files: Mapping[str, str | bytes] | None = None, *, name: str = "workspace", owner: Someone | None = None
    ) -> Path: ...


class Kobako(Protocol):
    def __call__(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | str | None = None,
        user: Someone | None = None,
        timeout: float = 240,
    ) -> Outcome: ...


class Running:
    """The Engines of this session, so that the leak check can ask them."""

    def __init__(self) -> None:
        self.engines: list[Engine] = []


RUNNING = pytest.StashKey[Running]()


@pytest.fixture(scope="session")
def _running(request: pytest.FixtureRequest) -> Running:
    return request.config.stash.setdefault(RUNNING, Running())


def _need_engine() -> None:
    need("a machine where tests may be root", os.geteuid() == 0, "run them as root")
    missing = engines.missing_programs()
    need("what a private Docker Engine is made of", not missing, f"apt-get install {' '.join(missing)}")


def _engine(running: Running, *, nvidia: bool) -> Iterator[Engine]:
    _need_engine()
    with engines.running(nvidia=nvidia) as engine:
        leaks.clean(engine)
        running.engines.append(engine)
        yield engine
        running.engines.remove(engine)


@pytest.fixture(scope="session")
def docker_engine(_running: Running) -> Iterator[Engine]:
    """A Docker Engine that knows nothing of NVIDIA."""
    yield from _engine(_running, nvidia=False)


@pytest.fixture(scope="session")
def nvidia_engine(_running: Running) -> Iterator[Engine]:
    """A Docker Engine that honours NVIDIA reservations, without a GPU."""
    yield from _engine(_running, nvidia=True)


@pytest.fixture(scope="session")
def stand_in(docker_engine: Engine) -> StandIn:
    """Gives a stand-in image a name (see ``infra.images``), on the plain Engine unless another is given."""

    def make(name: str, kind: images.Kind = "base", *, engine: Engine | None = None) -> str:
        return images.stand_in(engine or docker_engine, name, kind)

    return make


@pytest.fixture(scope="module", autouse=True)
def _nothing_left(request: pytest.FixtureRequest, _running: Running) -> Iterator[None]:
    """After a module with tests of an Engine, each Engine is as it was."""
    yield
    tests = (item for item in request.session.items if item.getparent(pytest.Module) is request.node)
    if not any(item.get_closest_marker("docker") for item in tests):
        return
    found = []
    for engine in _running.engines:
        found += leaks.leftovers(engine)
        leaks.clean(engine)
    if found:
        pytest.fail(f"{request.node.name} left behind:\n  " + "\n  ".join(found), pytrace=False)


@pytest.fixture
def docker_workspace(_running: Running) -> Iterator[MakeWorkspace]:
    """Makes folders that everybody may enter; the Compose projects that ran in them end with the test."""
    place = Path(tempfile.mkdtemp(prefix="kobako-ws-", dir="/tmp"))
    place.chmod(0o755)
    made: list[Path] = []

    def make(
        files: Mapping[str, str | bytes] | None = None, *, name: str = "workspace", owner: Someone | None = None
    ) -> Path:
        folder = place / name
        folder.mkdir(parents=True)
        made.append(folder)
        write_files(folder, files or {})
        return owner.own(folder) if owner else folder

    yield make
    for engine in _running.engines:
        for folder in made:
            leaks.remove_projects(engine, folder)
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def someone() -> Iterator[Someone]:
    """A user who is not root and may talk to the Engines; ``.outsider()`` may not."""
    need("a machine where tests may be root", os.geteuid() == 0, "run them as root")
    with users.someone(SOURCE) as user:
        yield user


@pytest.fixture
def kobako() -> Kobako:
    """Runs the command line to its end."""

    def call(
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | str | None = None,
        user: Someone | None = None,
        timeout: float = 240,
    ) -> Outcome:
        whole = [*kobako_argv(user), *argv]
        return run(whole, cwd=cwd, env=kobako_environment(env, user), stdin=stdin, user=user, timeout=timeout)

    return call


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Starts programs on pseudo terminals; they are ended with the test. Arguments as for ``Terminal``."""
    with ExitStack() as stack:

        def start(
            argv: Sequence[str],
            *,
            cwd: Path | None = None,
            env: Mapping[str, str] | None = None,
            user: Someone | None = None,
        ) -> Terminal:
            started = Terminal(argv, cwd=cwd, env=env, user=user)
            stack.callback(started.close)
            return started

        yield start


@pytest.fixture
def tmux() -> Iterator[Callable[..., Tmux]]:
    """Starts programs in tmux; they are ended with the test. Arguments as for ``Tmux``."""
    need("tmux", shutil.which("tmux"), "apt-get install tmux")
    with ExitStack() as stack:

        def start(argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Tmux:
            started = Tmux(argv, cwd=cwd, env=env)
            stack.callback(started.close)
            return started

        yield start
