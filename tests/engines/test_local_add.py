"""A stranger's repository becomes a service that builds at the first try, without any container engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.localbox import Box
from infra.client import clean_environment
from infra.need import need
from infra.run import kobako_environment
from infra.workspaces import write_files

pytestmark = pytest.mark.network

BASE = "python:3.11-slim"
REPOSITORY = {
    "setup.py": """\
from setuptools import setup

def wanted(path):
    with open(path) as lines:
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

setup(name="tracker", python_requires=">=3.8", install_requires=wanted("requirements/main.txt"))
""",
    "requirements/main.txt": "# tables\nattrs>=21\npackaging\n",
    "tracker/__init__.py": "import attr\nimport packaging\n",
    "train.py": (
        "import argparse\nimport attr\n\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float)\n"
        "if __name__ == '__main__':\n    print('attrs', attr.__version__, parser.parse_args().lr)\n"
    ),
}


@pytest.fixture
def box() -> Iterator[Box]:
    need("bubblewrap", shutil.which("bwrap"), "apt-get install bubblewrap")
    place = Path(tempfile.mkdtemp(prefix="kobako-add-", dir="/tmp"))
    env = kobako_environment(clean_environment()) | {"KOBAKO_ENGINE": "local"}
    made = Box(place / "ws", env)
    made.folder.mkdir()
    made.ok("init")
    try:
        yield made
    finally:
        made("rm", "tracker")
        shutil.rmtree(place)


def repository(box: Box, files: dict[str, str], day: str) -> str:
    """A git repository beside the workspace whose newest commit is of that day; its URL."""
    folder = box.folder.parent / "Tracker"
    write_files(folder, files)
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
    env = {**os.environ, "GIT_COMMITTER_DATE": f"{day}T12:00:00+00:00", "GIT_AUTHOR_DATE": f"{day}T12:00:00+00:00"}
    for words in (("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-qm", "one")):
        subprocess.run(["git", *words], cwd=folder, env=env, check=True)
    return folder.as_uri()


def test_an_old_repository_builds_with_the_versions_of_its_time(box: Box) -> None:
    url = repository(box, REPOSITORY, "2023-01-31")
    added = box.ok("add", url, "--base", BASE, "--json").json["data"]
    assert added["as_of"] == "2023-01-31"
    assert added["requirements"] == ["attrs>=21", "packaging"]
    box.ok("build", "tracker")
    # attrs 23.1.0 is of 2023-04-16 and packaging 23.1 of 2023-04-12
    versions = "from importlib.metadata import version as v; print(v('attrs'), v('packaging'))"
    assert box.ok("exec", "tracker", "python", "-c", versions).stdout.split() == ["22.2.0", "23.0"]
    assert box.ok("exec", "tracker", "python", "Tracker/train.py", "--lr=0.1").stdout == "attrs 22.2.0 0.1\n"


def test_what_cannot_be_had_leaves_nothing(box: Box) -> None:
    before = {path.name for path in box.folder.iterdir()}
    lacking = {"requirements/main.txt": "attrs>=21\nno-such-package-of-anybody-7f3a\nattrs[none]>999\n"}
    url = repository(box, {**REPOSITORY, **lacking}, "2023-01-31")
    refused = box("add", url, "--base", BASE, "--json")
    assert refused.code == 2
    (problem,) = refused.json["problems"]
    assert problem["code"] == "unknown-requirement"
    assert problem["where"] == {"file": "Tracker/requirements/main.txt", "line": 1}
    assert "no-such-package-of-anybody-7f3a: no index has a package of that name" in problem["why"]
    assert "attrs: no version fits" in problem["why"]
    assert {path.name for path in box.folder.iterdir()} - {".kobako"} == before
    assert list((box.folder / ".kobako").glob("tmp-*")) == []


def test_a_repository_behind_a_requirement_that_does_not_answer(box: Box) -> None:
    gone = (box.folder.parent / "gone").as_uri().replace("file:///", "http://127.0.0.1:9/")
    url = repository(box, {**REPOSITORY, "requirements/main.txt": f"attrs\nother @ git+{gone}@v1\n"}, "2026-01-31")
    refused = box("add", url, "--base", BASE)
    assert refused.code == 2
    assert "error: `other @ git+http://127.0.0.1:9/" in refused.stderr
    assert "cannot be had (Tracker/requirements/main.txt:2)" in refused.stderr
    assert "its repository does not answer" in refused.stderr
    assert "--without other" in refused.stderr
    added = box.ok("add", url, "--base", BASE, "--without", "other")
    assert "added Tracker" in added.stdout
