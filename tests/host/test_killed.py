"""A process that dies in the middle of a transaction, and what the next command makes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kobako.transaction import Transaction, begin, recover
from kobako.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "compose.yaml").write_text("old\n")
    return Workspace(tmp_path)


def files(workspace: Workspace) -> list[str]:
    root = workspace.root
    return sorted(
        path.relative_to(root).as_posix() for path in root.rglob("*") if ".kobako" not in path.relative_to(root).parts
    )


def work(one: Transaction, root: Path) -> None:
    (one.stage / "Repo").mkdir()
    (one.stage / "Repo/train.py").write_text("")
    one.move(one.stage / "Repo", root / "Repo")
    one.write(root / "docker/Repo", "FROM x\n")
    one.folder(root / "configs/Repo")
    one.folder(root / "data")
    one.commit(root / "compose.yaml", "new\n")


DONE = ["Repo", "Repo/train.py", "compose.yaml", "configs", "configs/Repo", "data", "docker", "docker/Repo"]


def killed_at(moment: int, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Do the work in a child that dies at its n-th step on the disk; whether it died."""
    child = os.fork()
    if child == 0:
        steps = iter(range(1000))

        def dying(real: Callable[..., object]) -> Callable[..., object]:
            def step(*arguments: object, **options: object) -> object:
                if next(steps) == moment:
                    os._exit(137)
                return real(*arguments, **options)

            return step

        for owner, name in ((os, "replace"), (Path, "rename"), (Path, "mkdir"), (Path, "unlink"), (os, "fsync")):
            monkeypatch.setattr(owner, name, dying(getattr(owner, name)))
        with begin(workspace) as one:
            work(one, workspace.root)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 137


def test_killed_at_any_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = set()
    for moment in range(200):
        workspace = Workspace(tmp_path / str(moment))
        workspace.root.mkdir()
        (workspace.root / "compose.yaml").write_text("old\n")
        died = killed_at(moment, workspace, monkeypatch)
        recover(workspace, lambda _line: None)
        committed = (workspace.root / "compose.yaml").read_text() == "new\n"
        assert files(workspace) == (DONE if committed else ["compose.yaml"])
        assert list(workspace.state.glob("tmp-*")) == []
        outcomes.add(committed)
        if not died:
            break
    else:
        pytest.fail("it always died")
    assert outcomes == {True, False}
    assert moment > 10


def test_what_a_person_wrote_meanwhile_is_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(Transaction, "commit", lambda *_: os._exit(137))
        with begin(workspace) as one:
            work(one, workspace.root)
    os.waitpid(child, 0)
    (workspace.root / "docker/Repo").write_text("FROM mine\n")
    (workspace.root / "Repo/mine.py").write_text("mine")
    told: list[str] = []
    recover(workspace, told.append)
    assert files(workspace) == ["compose.yaml", "docker", "docker/Repo"]
    assert [path.read_text() for path in workspace.state.glob("left-over-*/Repo/mine.py")] == ["mine"]
    assert any("was left over from an interrupted command" in line for line in told)
