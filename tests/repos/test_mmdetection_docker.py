"""The mission's own example for real, with Docker: its commands 1 to 5 as they stand, on what ``kobako add`` wrote.

The base is a stand-in for NGC's 22.02 with a PyTorch that works (``infra.real``). The wheels that were compiled in it
are kept in the cache mount that the Dockerfile names, and beside it, for an Engine that has been emptied.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra import leaks, mounts
from infra.cache import cache_folder, locked
from infra.engine import Engine
from infra.fixtures import StandIn
from infra.run import Outcome, kobako_argv, kobako_environment, run
from infra.workspaces import write_override
from kobako import compiled
from repos import mmdet
from repos.mmdet import COMMAND, IMAGE, NAME, Log

pytestmark = [pytest.mark.repos, pytest.mark.docker, pytest.mark.network]

BUILD = 2700
TRAIN = 300


class Place(NamedTuple):
    folder: Path
    env: dict[str, str]

    def __call__(self, *argv: str, stdin: str | None = None, timeout: float = TRAIN) -> Outcome:
        return run(argv, cwd=self.folder, env=self.env, stdin=stdin, timeout=timeout)

    def ok(self, *words: str) -> Outcome:
        done = run([*kobako_argv(), *words], cwd=self.folder, env=kobako_environment(self.env))
        assert done.code == 0, str(done)
        return done


@pytest.fixture(scope="module")
def place(nvidia_engine: Engine, stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A workspace from nothing."""
    stand_in(IMAGE, kind="real", engine=nvidia_engine)
    made = Place(tmp_path_factory.mktemp("mmdetection"), nvidia_engine.environment("v2"))
    mmdet.fill(made.folder, made.ok)
    # the Engine of the tests has no network of its own
    write_override(made.folder, [NAME], {"environment": {"OMP_NUM_THREADS": "1"}})
    yield made
    leaks.remove_projects(nvidia_engine, made.folder)


@pytest.fixture(scope="module")
def built(place: Place, nvidia_engine: Engine) -> Outcome:
    """Command 1."""
    kept = cache_folder() / "built"
    with locked(cache_folder() / "built.lock"):
        mounts.bring_in(nvidia_engine, IMAGE, compiled.FOLDER, kept)
        done = place("docker", "compose", "--progress=plain", "build", NAME, timeout=BUILD)
        mounts.bring_out(nvidia_engine, IMAGE, compiled.FOLDER, kept)
    assert done.code == 0, str(done)
    return done


@pytest.fixture(scope="module")
def running(place: Place, built: Outcome) -> None:
    """Command 2, as a terminal that is left open would."""
    done = place("docker", "compose", "up", "--detach", NAME)
    assert done.code == 0, str(done)


def test_the_base_is_as_it_was(place: Place, running: None) -> None:
    script = "cat /opt/kobako/floor.txt; python3 -m pip list --format=freeze 2>/dev/null"
    done = place("docker", "compose", "exec", "-T", NAME, "sh", "-c", script)
    assert done.stdout.splitlines().count("torch==1.11.0a0+17540c5") == 2
    assert re.search(r"^numpy==1\.22\.2$", done.stdout, re.MULTILINE), done.stdout


def test_the_missions_session(place: Place, running: None) -> None:
    """Commands 3 and 4: go in, and run the code there."""
    inside = place("docker", "compose", "exec", "-T", NAME, "/bin/bash", stdin=f"pwd\n{' '.join(COMMAND)} --seed=0\n")
    assert inside.code == 0, str(inside)
    assert inside.stdout.startswith("/workspace\n")
    mmdet.check_trained(place.folder)


def test_the_missions_command_from_outside(place: Place, running: None) -> None:
    """Command 5, to the letter."""
    before = len(mmdet.traces(place.folder))
    outside = place("docker", "compose", "exec", "-T", NAME, *COMMAND)
    assert outside.code == 0, str(outside)
    mmdet.check_trained(place.folder)
    found = mmdet.traces(place.folder)[before:]
    assert [(one["status"], one["exit_code"]) for one in found] == [("done", 0)]


def test_kobako_lists_what_was_trained_without_it(place: Place, running: None) -> None:
    if not mmdet.traces(place.folder):
        pytest.skip("nothing was trained")
    runs = place.ok("runs", "--json").json["data"]["runs"]
    assert {one["id"] for one in runs} == {one["id"] for one in mmdet.traces(place.folder)}
    assert Log(place.folder / mmdet.WORK).of("val")


def test_from_zero_nothing_is_compiled_again(place: Place, built: Outcome) -> None:
    """The mission's part 3, "from zero": everything after FROM is built anew, and the wheel is there."""
    # a word that this Engine, which outlives the tests, has not heard before
    fresh = f"KOBAKO_FRESH={uuid.uuid4().hex}"
    done = place("docker", "compose", "--progress=plain", "build", "--build-arg", fresh, NAME, timeout=BUILD)
    assert done.code == 0, str(done)
    said = done.stdout + done.stderr
    (number,) = re.findall(r"^#(\d+) \[.*keep-wheels uv pip install", said, re.MULTILINE)
    assert f"#{number} CACHED" not in said
    assert re.search(rf"^#{number} [\d.]+  \+ mmcv-full==1\.5\.0$", said, re.MULTILINE), said
    assert "Built mmcv-full" not in said
