"""One table of Dockerfiles on both engines, and on the local one without bubblewrap: see ``engines.recipes``."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from engines.recipes import BASE, FILES, INSTALLS, SETTINGS, UNKNOWN, Row
from engines.recipes_commands import COMMANDS, REFUSED
from infra import leaks
from infra.client import clean_environment, path_without
from infra.engine import Engine
from infra.fixtures import StandIn
from infra.need import need
from infra.run import Outcome, kobako_argv, kobako_environment, run
from infra.workspaces import write_files, write_override
from kobako.engines.local import sandbox

# an environment's pip comes from the package index
pytestmark = pytest.mark.network

RECIPE = "docker/Box"
ROWS = (*INSTALLS, *SETTINGS, *FILES, *COMMANDS, *REFUSED)


class Bench:
    """A workspace of one service on one engine: every row is built there in its turn."""

    def __init__(self, folder: Path, engine: str, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.engine = engine
        self._env = kobako_environment(env)
        self._started = False

    def __call__(self, *args: str) -> Outcome:
        return run([*kobako_argv(), f"--engine={self.engine}", *args], cwd=self.folder, env=self._env)

    def lay(self, row: Row) -> None:
        """The row's files; nothing is left of the row before but what the engine has built."""
        for path in self.folder.iterdir():
            if path.name != ".kobako":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        write_files(self.folder, {"docker-compose.yaml": _compose(row), RECIPE: row.text})
        write_files(self.folder / "context", row.files or {".keep": ""})
        if self.engine == "docker":
            write_override(self.folder)

    def build(self) -> Any:
        """What ``kobako build`` answers: its envelope, whose exit code is the command's."""
        done = self("build", "--json", "box")
        assert done.out, str(done)
        assert done.json["exit_code"] == done.code, str(done)
        return done.json

    def try_out(self, row: Row, image: str) -> None:
        """What the row expects of what was built."""
        if self.engine == "docker" and row.command and "ENTRYPOINT" not in row.recipe:
            # what was built is what is asked about: a container of the service's own takes four seconds more
            argv = ["docker", "run", "--rm", "--network=host", "--entrypoint=sh", image, "-c", row.probe]
            done = run(argv, cwd=self.folder, env=self._env)
        else:
            done = self("exec", "-T", "box", "sh", "-c", row.probe)
            self._started = True
        assert (done.code, done.stdout.rstrip("\n")) == (0, row.out.rstrip("\n")), str(done)

    def clear(self) -> None:
        if self._started:
            self("rm", "-f", "box")
        self._started = False


def _compose(row: Row) -> str:
    service: dict[str, Any] = {
        "container_name": "Box",
        "stop_grace_period": "200ms",
        "build": {"context": "./context", "dockerfile": f"../{RECIPE}", "args": dict(row.args)},
    }
    if row.command:
        service["command"] = json.loads(row.command) if row.command.startswith("[") else row.command
    if row.hints:
        service["x-kobako"] = {"base": dict(row.hints)}
    # JSON is YAML that every parser reads alike
    return json.dumps({"services": {"box": service}}, indent=1) + "\n"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kobako-recipes-", dir="/tmp") as name:
        (Path(name) / "recipes").mkdir()
        yield Path(name) / "recipes"


@pytest.fixture(scope="module")
def local(folder: Path) -> Bench:
    tools, why = sandbox.find()
    need("bubblewrap that works", tools, f"apt-get install bubblewrap util-linux ({why})")
    return Bench(folder, "local", clean_environment())


@pytest.fixture(scope="module")
def bare(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    path = path_without(["bwrap"], os.environ["PATH"], tmp_path_factory.mktemp("programs"))
    return Bench(folder, "local", {**clean_environment(), "PATH": path})


@pytest.fixture(scope="module")
def docker(folder: Path, docker_engine: Engine, stand_in: StandIn) -> Iterator[Bench]:
    stand_in(BASE)
    stand_in(UNKNOWN)
    yield Bench(folder, "docker", docker_engine.environment("v2"))
    leaks.remove_projects(docker_engine, folder)
    docker_engine.docker("volume", "prune", "--force")  # what VOLUME made has no name


ENGINES = ("local", "bare", "docker")
# what Docker cannot do here (it would need a mirror or a registry) is no test of it
CASES = [
    pytest.param(way, row, id=f"{way}-{row.name}", marks=[pytest.mark.docker] if way == "docker" else [])
    for way in ENGINES
    for row in ROWS
    if way != "docker" or row.docker
]


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest) -> Bench:
    return cast("Bench", request.getfixturevalue(request.param))


@pytest.fixture
def laid(bench: Bench, row: Row) -> Iterator[Bench]:
    bench.lay(row)
    yield bench
    bench.clear()


def problems(answer: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """The codes and places of what is wrong; each says why and what to do about it."""
    for problem in answer["problems"]:
        assert problem["what"], answer
        assert problem["why"] or problem["fix"], answer
    places = [(one["code"], one["where"] or {"file": "", "line": 0}) for one in answer["problems"]]
    return [(code, where["file"], where["line"]) for code, where in places]


@pytest.mark.parametrize(("bench", "row"), CASES, indirect=["bench"])
def test_recipe(laid: Bench, row: Row, request: pytest.FixtureRequest) -> None:
    way = request.node.callspec.params["bench"]
    answer = laid.build()
    failure = _failure(row, way)
    if failure is not None:
        assert (answer["exit_code"], answer["status"]) == (5, "failed"), answer
        code, line = failure
        assert problems(answer) == [(code, RECIPE, line)], answer
        return
    assert answer["exit_code"] == 0, answer
    told = [(row.warns.code, RECIPE, row.warns.line)] if row.warns and way != "docker" else []
    assert problems(answer) == told
    assert answer["status"] == ("partial" if told else "ok")
    # without a sandbox the image's files are not where the recipe put them
    if way != "bare" or row in INSTALLS:
        laid.try_out(row, answer["data"]["image"])


def _failure(row: Row, way: str) -> tuple[str, int] | None:
    """The code and line with which a build must fail."""
    if way == "docker":
        return row.fails
    if row.refused:
        return row.refused
    if way == "bare" and row.shell:
        return ("needs-sandbox", row.shell)
    return row.fails
