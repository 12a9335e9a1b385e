"""Folders and archives on this machine, and the facts that are kept of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako import sources
from kobako.errors import UsageError
from kobako.process import Outcome
from unit.sources.test_unpack import make_tar


def no_git(
    argv: list[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> Outcome:
    message = f"not expected: {argv} in {cwd} with {env}"
    raise AssertionError(message)


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    folder = tmp_path / "stage"
    folder.mkdir()
    return folder


def fetch(spec: str, stage: Path, name: str = "") -> sources.Fetched:
    workspace = stage.parent / "workspace"
    return sources.fetch(sources.resolve(spec), stage, workspace=workspace, name=name, run=no_git)


def test_a_folder_elsewhere_is_copied(stage: Path, tmp_path: Path) -> None:
    repository = tmp_path / "elsewhere" / "Repo"
    (repository / "__pycache__").mkdir(parents=True)
    (repository / "train.py").write_text("print()")
    (repository / "link").symlink_to("train.py")
    fetched = fetch(str(repository), stage)
    assert (fetched.path, fetched.in_place, fetched.facts) == (stage / "Repo", False, {"folder": "Repo"})
    assert sorted(one.name for one in fetched.path.iterdir()) == ["link", "train.py"]
    assert (fetched.path / "link").is_symlink()


def test_a_folder_in_the_workspace_stays_where_it_is(stage: Path, tmp_path: Path) -> None:
    repository = tmp_path / "workspace" / "Repo"
    repository.mkdir()
    (repository / "a.py").touch()
    fetched = fetch(str(repository), stage)
    assert (fetched.path, fetched.in_place, fetched.facts) == (repository, True, {"path": "./Repo"})
    assert list(stage.iterdir()) == []
    renamed = fetch(str(repository), stage, name="Other")
    assert (renamed.path, renamed.in_place, renamed.facts) == (stage / "Other", False, {"path": "./Repo"})


def test_an_empty_folder_is_no_repository(stage: Path, tmp_path: Path) -> None:
    repository = tmp_path / "Empty"
    repository.mkdir()
    with pytest.raises(UsageError) as caught:
        fetch(str(repository), stage)
    assert (caught.value.code, caught.value.what) == ("bad-source", f"{repository} is empty")


@pytest.mark.parametrize("where", ["workspace", "."])
def test_the_workspace_itself_is_no_source(where: str, stage: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        fetch(str(tmp_path / where), stage)
    assert caught.value.what.endswith("holds the workspace itself")


def test_an_sdist_tells_its_name(stage: Path, tmp_path: Path) -> None:
    info = "Metadata-Version: 2.1\nName: mmdet\nVersion: 2.24.1\n\nName: not this\n"
    archive = make_tar(tmp_path / "odd.tar.gz", [("mmdet-2.24.1/PKG-INFO", "file", info)])
    fetched = fetch(str(archive), stage)
    assert fetched.name == "mmdet"
    assert fetched.facts["archive"] == "odd.tar.gz"
    assert fetched.facts["version"] == "2.24.1"
    assert len(str(fetched.facts["sha256"])) == 64


def test_another_archive_is_named_by_its_file(stage: Path, tmp_path: Path) -> None:
    archive = make_tar(
        tmp_path / "YOLOX-main.tar.gz", [("YOLOX-main/a.py", "file", ""), ("YOLOX-main/.git/c", "file", "")]
    )
    fetched = fetch(str(archive), stage)
    assert fetched.name == "YOLOX"
    assert [one.name for one in fetched.path.iterdir()] == ["a.py"]


def test_names_that_no_container_can_have(stage: Path, tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "my repo;rm.tar.gz", [("a.py", "file", "")])
    with pytest.raises(UsageError) as caught:
        fetch(str(archive), stage)
    assert (caught.value.code, caught.value.fix) == ("bad-name", "choose another one: --name my-repo-rm")
