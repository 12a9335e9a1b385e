"""The state of a repository by git, whatever lies in it. These tests start git, and need no engine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from infra.run import run
from kobako import process
from kobako.sources import git
from kobako.sources.snapshot import snapshot

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    run(["git", "init", "-q", "-b", "main", str(tmp_path)])
    (tmp_path / "train.py").write_text("x = 1\n", encoding="utf-8")
    run([*GIT, str(tmp_path), "add", "train.py"])
    run([*GIT, str(tmp_path), "commit", "-qm", "x"])
    return tmp_path


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", ".git/info/exclude", ".git/info/attributes"])
def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(repository: Path, name: str) -> None:
    (repository / name).unlink(missing_ok=True)
    os.mkfifo(repository / name)
    began = time.monotonic()
    found = snapshot(repository, repository.parent, process.run, 1.0)
    assert time.monotonic() - began < 5
    assert found is not None
    assert (len(found.commit), found.branch) == (40, "main"), "what git could tell"
    # a git that does not read the file has seen that nothing was changed, but for the pipe itself
    assert found.dirty is None or found.left_out == "" or "no answer within 1 s" in found.left_out
    if found.dirty is None:
        assert found.left_out == "git could not tell what was changed: no answer within 1 s"


def test_a_pipe_keeps_an_add_waiting_no_longer(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "OFFLINE", 1.0)
    os.mkfifo(repository / ".gitignore")
    assert "dirty" not in git.state(repository, process.run), "nobody knows"


def test_changed_and_new_files_are_in_the_patch(repository: Path) -> None:
    (repository / "train.py").write_text("x = 2\napi_key = 'a-long-secret-one'\n", encoding="utf-8")
    (repository / "new.py").write_text("HF_TOKEN = 'another-long-secret'\n", encoding="utf-8")
    found = snapshot(repository, repository.parent, process.run)
    assert found is not None
    assert (found.dirty, found.left_out) == (True, "")
    assert "-x = 1\n+x = 2\n" in found.patch
    assert "new file mode" in found.patch
    assert "long-secret" not in found.patch


CHANGED = {"latin.py": "# größer\n".encode("latin-1"), "weights.bin": bytes(range(256)) * 20}
NEW = {
    "form.py": b"a = 1\x0c\nb = 2\rc = 3\r\nd = '\x85\xe2\x80\xa8'\n",
    "no end.txt": b"last line",
    "empty/__init__.py": b"",
    "小箱/モデル.py": "x = '箱'\n".encode(),
    "latin-too.py": "# schöner\n".encode("latin-1"),
    "run.sh": b"#!/bin/sh\n",
}


def test_the_patch_makes_the_same_files(tmp_path: Path) -> None:
    """Whatever their bytes are: ``git apply`` on the recorded commit gives what was there."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    run(["git", "init", "-q", "-b", "main", str(here)])
    for name in CHANGED:
        (here / name).write_bytes("# größe\n".encode("latin-1") if name == "latin.py" else bytes(5000))
    run([*GIT, str(here), "add", "."])
    run([*GIT, str(here), "commit", "-qm", "x"])
    for name, data in {**CHANGED, **NEW}.items():
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_bytes(data)
    (here / "run.sh").chmod(0o755)
    found = snapshot(here, tmp_path, process.run)
    assert found is not None
    assert (found.dirty, found.left_out) == (True, "")
    run(["git", "clone", "-q", str(here), str(there)])
    (tmp_path / "patch").write_bytes(found.patch.encode("utf-8", "surrogateescape"))
    applied = run([*GIT, str(there), "apply", "--whitespace=nowarn", str(tmp_path / "patch")])
    assert applied.code == 0, str(applied)
    for name, data in {**CHANGED, **NEW}.items():
        assert (there / name).read_bytes() == data, name
    assert os.access(there / "run.sh", os.X_OK)


def test_what_the_patch_lacks_is_named(repository: Path) -> None:
    (repository / "large.bin").write_bytes(bytes(100))
    run([*GIT, str(repository), "add", "large.bin"])
    run([*GIT, str(repository), "commit", "-qm", "y"])
    (repository / "large.bin").write_bytes(os.urandom(1_500_000))
    (repository / "train.py").write_text("x = 2\n", encoding="utf-8")
    (repository / 'say "x".py').write_text("x = 2\n", encoding="utf-8")
    found = snapshot(repository, repository.parent, process.run)
    assert found is not None
    assert found.left_out == 'not in the patch: large.bin, say "x".py'
    assert "+x = 2\n" in found.patch
    assert "large.bin" not in found.patch
