"""All or nothing: after a failure and after Ctrl-C (what a kill leaves is in tests/host)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako import transaction
from kobako.errors import UsageError
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


def test_everything_is_there(workspace: Workspace) -> None:
    with begin(workspace) as one:
        work(one, workspace.root)
    assert files(workspace) == DONE
    assert (workspace.root / "compose.yaml").read_text() == "new\n"
    assert list(workspace.state.glob("tmp-*")) == []


@pytest.mark.parametrize("error", [UsageError("usage", "no"), KeyboardInterrupt(), OSError(28, "No space left")])
def test_a_failure_takes_everything_back(error: BaseException, workspace: Workspace) -> None:
    undone: list[str] = []
    (workspace.root / "data").mkdir()
    expected = UsageError if isinstance(error, OSError) else type(error)

    def failing() -> None:
        with begin(workspace) as one:
            one.on_failure(lambda: undone.append("undone"))
            (one.stage / "Repo").mkdir()
            one.move(one.stage / "Repo", workspace.root / "Repo")
            one.write(workspace.root / "docker/Repo", "FROM x\n")
            raise error

    with pytest.raises(expected):
        failing()
    assert files(workspace) == ["compose.yaml", "data"]
    assert undone == ["undone"]
    assert list(workspace.state.glob("tmp-*")) == []


def test_somebody_else_s_work_is_left_alone(workspace: Workspace) -> None:
    with begin(workspace) as one:
        one.write(workspace.root / "docker/Repo", "FROM x\n")
        recover(workspace, lambda _line: None)
        assert (workspace.root / "docker/Repo").is_file()
        one.commit(workspace.root / "compose.yaml", "new\n")
    assert (workspace.root / "docker/Repo").is_file()


def test_nothing_to_recover_costs_nothing(tmp_path: Path) -> None:
    transaction.recover(Workspace(tmp_path), lambda _line: None)
    assert list(tmp_path.iterdir()) == []
