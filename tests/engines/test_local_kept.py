"""What was compiled once is not compiled again: in another workspace, from zero, beside further packages."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines.localbox import SHORT, Box, environment
from infra.need import need
from infra.workspaces import write_files

pytestmark = [pytest.mark.network, pytest.mark.timeout(300)]

SETUP = """\
import os, uuid
from setuptools import setup
open("once.py", "w").write("NUMBER = %r\\nSAID = %r\\n" % (uuid.uuid4().hex, os.environ.get("FORCE_CUDA")))
setup(name="once", version="1.0", py_modules=["once"])
"""
COMPOSE = """\
services:
  box:
    build: {context: ., dockerfile: ./docker/box}
    command: /bin/sh -c "while sleep 1000; do :; done"
"""
TOOLS = "RUN pip install 'setuptools<80' wheel\n"
INSTALL = "pip install --no-build-isolation once\n"

Build = Callable[..., list[str]]


def source() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in (("setup.py", SETUP), ("PKG-INFO", "Metadata-Version: 1.0\nName: once\nVersion: 1.0\n")):
            info = tarfile.TarInfo(f"once-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def env(place: Path) -> dict[str, str]:
    need("bubblewrap", shutil.which("bwrap"), "apt-get install bubblewrap")
    write_files(place / "links", {"once-1.0.tar.gz": source()})
    return environment(place, None) | {"PIP_FIND_LINKS": str(place / "links"), "KOBAKO_CACHE": str(place / "cache")}


@pytest.fixture
def build(place: Path, env: dict[str, str], tmp_path: Path) -> Iterator[Build]:
    """Builds a Dockerfile in a workspace of its own. Gives the number of the build that made the package, and what
    its setup was told.
    """
    boxes: list[Box] = []

    def make(body: str, *options: str) -> list[str]:
        box = Box(tmp_path / f"ws-{len(boxes)}", env)
        boxes.append(box)
        recipe = f"FROM python:{SHORT}-slim\n{body}"
        write_files(box.folder, {"docker-compose.yaml": COMPOSE, "docker/box": recipe})
        box.ok("build", *options)
        return box.inside("python -c 'import once; print(once.NUMBER, once.SAID)'").split()

    yield make
    for box in boxes:
        box("rm", "box")


def test_in_another_workspace_and_from_zero(build: Build) -> None:
    first, _ = build(f"{TOOLS}RUN {INSTALL}")
    assert build(f"{TOOLS}RUN {INSTALL}")[0] == first
    assert build(f"{TOOLS}RUN {INSTALL}", "--fresh")[0] == first
    # an earlier step is another one: a system package, a variable that concerns nothing compiled, a further package
    assert (
        build(f"RUN apt-get install -y tar\nENV TZ=Asia/Tokyo\n{TOOLS}RUN pip install six\nRUN {INSTALL}")[0] == first
    )


def test_what_matters_is_compiled_again(build: Build) -> None:
    first, told = build(f"{TOOLS}RUN {INSTALL}")
    assert told == "None"
    other, told = build(f"{TOOLS}RUN FORCE_CUDA=0 {INSTALL}")
    assert (other != first, told) == (True, "0")
    assert build("RUN pip install 'setuptools<79' wheel\n" + f"RUN {INSTALL}")[0] != first


def test_code_that_ran_before_keeps_its_hands_off(build: Build) -> None:
    """After a stranger's command nothing is believed to be what it was: the package is this service's alone."""
    first, _ = build(f"{TOOLS}RUN {INSTALL}")
    assert build(f"{TOOLS}RUN true\nRUN {INSTALL}")[0] != first
    assert build(f"{TOOLS}RUN {INSTALL}")[0] == first


def test_another_user_folder_has_nothing(build: Build, env: dict[str, str], place: Path) -> None:
    first, _ = build(f"{TOOLS}RUN {INSTALL}")
    kept = env["KOBAKO_CACHE"]
    env["KOBAKO_CACHE"] = str(place / "other")
    try:
        assert build(f"{TOOLS}RUN {INSTALL}")[0] != first
    finally:
        env["KOBAKO_CACHE"] = kept
