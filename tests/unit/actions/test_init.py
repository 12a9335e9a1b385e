"""A workspace is made; nothing that was there changes."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako.actions import init
from kobako.actions.context import Context
from kobako.console import Console
from kobako.errors import Stopped, UsageError
from kobako.model.result import Result
from kobako.workspace import write_text

ALL = ["docker/", "configs/", "data/", "pretrain/", ".gitignore", ".dockerignore", ".env", "docker-compose.yaml"]


def run(start: Path, directory: str = ".", *, env: Mapping[str, str] | None = None, dry_run: bool = False) -> Result:
    seen = {} if env is None else env
    return init.init(Context(start, seen, Console(seen)), directory, dry_run=dry_run)


def snapshot(root: Path) -> dict[str, bytes | str | None]:
    """Every path below ``root`` with its content: None for a folder, the target for a link."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        found[name] = str(path.readlink()) if path.is_symlink() else None if path.is_dir() else path.read_bytes()
    return found


def whats(result: Result) -> list[str]:
    return [problem.what for problem in result.problems]


def test_an_empty_folder_becomes_a_workspace(tmp_path: Path) -> None:
    root = tmp_path / "My Work"
    result = run(tmp_path, "My Work")
    assert result.data["files"] == ALL
    assert result.data["kept"] == []
    assert result.problems == ()
    assert result.data["project"] == "mywork"
    assert (root / ".env").read_text(encoding="utf-8").endswith("\nCOMPOSE_PROJECT_NAME=mywork\n")
    assert (root / "docker-compose.yaml").read_text(encoding="utf-8").endswith("\nservices: {}\n")
    assert Context(root, {}, Console({})).project.name == "mywork"
    assert result.text.splitlines()[0] == f"workspace {root} (project mywork)"
    assert result.text.splitlines()[-1] == "next: kobako add SOURCE"


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    run(tmp_path)
    before = snapshot(tmp_path)
    result = run(tmp_path)
    assert snapshot(tmp_path) == before
    assert result.data["files"] == []
    assert sorted(result.data["kept"]) == sorted(ALL)
    assert result.problems == ()


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("機械学習", "workspace-[0-9a-f]{8}"),
        ("機械学習2", "2"),
        ("mmdet", "mmdet"),
        ("-_MMDet 3.x_", "mmdet3x_"),
        ("...", "workspace-[0-9a-f]{8}"),
        ("🐟", "workspace-[0-9a-f]{8}"),
    ],
)
def test_the_project_has_a_name_that_compose_takes(tmp_path: Path, folder: str, name: str) -> None:
    given = run(tmp_path, folder).data["project"]
    assert re.fullmatch(name, given)
    assert Context(tmp_path / folder, {}, Console({})).project.name == given


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, "new/deeper", dry_run=True)
    assert result.data["files"] == ALL
    assert snapshot(tmp_path) == {}
    assert "would write  docker-compose.yaml" in result.text


@pytest.mark.parametrize("name", ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"])
def test_a_compose_file_of_any_name_is_kept(tmp_path: Path, name: str) -> None:
    text = b"# mine\r\nservices:\r\n  a: {image: x}\r\n"
    (tmp_path / name).write_bytes(text)
    result = run(tmp_path)
    assert (tmp_path / name).read_bytes() == text
    assert name in result.data["kept"]
    assert [path.name for path in tmp_path.glob("*compose*")] == [name]
    assert result.data["files"] == ["docker/", "configs/", "data/", "pretrain/", ".gitignore", ".env", ".dockerignore"]


def test_a_name_that_the_compose_file_gives_itself_is_not_overruled(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("name: theirs\nservices: {a: {image: x}}\n", encoding="utf-8")
    result = run(tmp_path, env={"COMPOSE_PROJECT_NAME": "passing"})
    assert result.data["project"] == "theirs"
    assert not (tmp_path / ".env").exists()


def test_containers_of_a_nameless_folder_stay_the_ones_of_docker_compose_v1(tmp_path: Path) -> None:
    root = tmp_path / "機械学習"
    root.mkdir()
    (root / "docker-compose.yml").write_text("services: {a: {image: x}}\n", encoding="utf-8")
    assert run(root).data["project"] == "default"


@pytest.mark.parametrize(
    "line", ["COPY . /app", "add --chown=1:1 a /b", "ONBUILD COPY a b", "RUN --mount=type=bind,target=/x true"]
)
def test_builds_that_take_files_get_no_dockerignore(tmp_path: Path, line: str) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {build: .}}\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(f"FROM x\n{line}\n", encoding="utf-8")
    result = run(tmp_path)
    assert not (tmp_path / ".dockerignore").exists()
    (problem,) = result.problems
    assert problem.what == (
        "no .dockerignore was written: the Dockerfiles here copy files, and it might hide some from them"
    )
    assert problem.fix == f"printf '%s\\n' .git .kobako data pretrain > {tmp_path}/.dockerignore"


@pytest.mark.parametrize("line", ["COPY --from=uv /uv /bin/", "RUN --mount=type=cache,target=/x true", "RUN add x"])
def test_builds_that_take_none_get_one(tmp_path: Path, line: str) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {build: .}, b: {build: missing}}\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(f"FROM x\n{line}\n", encoding="utf-8")
    assert ".dockerignore" in run(tmp_path).data["files"]


def test_a_compose_file_that_is_not_understood_is_said_and_left(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: [\n", encoding="utf-8")
    result = run(tmp_path)
    (problem,) = result.problems
    assert problem.code == "invalid-yaml"
    assert problem.where is not None
    assert problem.where.file == "compose.yaml"
    assert result.status == "ok"
    assert ".env" not in result.data["files"]


def test_existing_ignore_files_are_kept_and_what_they_lack_is_said(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("data/\n", encoding="utf-8")
    (tmp_path / ".dockerignore").write_bytes(b".git\r\n**/.kobako\r\n/data/**")
    before = snapshot(tmp_path)
    result = run(tmp_path)
    assert {name: snapshot(tmp_path)[name] for name in before} == before
    assert whats(result) == [
        ".gitignore is left as it is, and does not name pretrain",
        ".dockerignore is left as it is, and does not name pretrain",
    ]
    assert result.problems[0].fix == f"printf '%s\\n' '' pretrain >> {tmp_path}/.gitignore"


def test_an_existing_env_file_of_a_nameless_folder_lacks_the_name(tmp_path: Path) -> None:
    root = tmp_path / "機械学習"
    root.mkdir()
    (root / ".env").write_text("TOKEN='a b'\n", encoding="utf-8")
    result = run(root)
    assert whats(result) == [".env is left as it is, and has no COMPOSE_PROJECT_NAME"]
    assert (root / ".env").read_text(encoding="utf-8") == "TOKEN='a b'\n"
    (root / ".env").write_text("COMPOSE_PROJECT_NAME=mine\n", encoding="utf-8")
    again = run(root)
    assert again.problems == ()
    assert again.data["project"] == "mine"


def test_a_workspace_above_is_named(tmp_path: Path) -> None:
    run(tmp_path)
    result = run(tmp_path, "inner")
    assert whats(result) == [f"{tmp_path} is a workspace already, and inner is inside it"]
    assert "docker-compose.yaml" in result.data["files"]


def test_a_compose_file_named_by_the_environment_is_named(tmp_path: Path) -> None:
    result = run(tmp_path, env={"COMPOSE_FILE": "/elsewhere.yaml"})
    assert [problem.fix for problem in result.problems] == ["unset COMPOSE_FILE"]


def test_data_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    root = tmp_path / "work"
    root.mkdir()
    (root / "data").symlink_to(tmp_path / "disk")
    (root / "pretrain").symlink_to("../unplugged")
    result = run(root)
    assert whats(result) == ["pretrain is a link to ../unplugged, which does not exist"]
    assert (root / "data").is_symlink()
    assert (root / "pretrain").is_symlink()


@pytest.mark.parametrize("name", ["data", "docker"])
def test_a_file_in_the_place_of_a_folder_stops_before_anything_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=f"^{name} is there already and is not a folder$") as caught:
        run(tmp_path)
    assert caught.value.code == "exists"
    assert snapshot(tmp_path) == {name: b"mine"}


def test_a_folder_in_the_place_of_the_compose_file_stops_too(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yaml").mkdir()
    with pytest.raises(UsageError, match=r"^docker-compose\.yaml is there already and is not a file$"):
        run(tmp_path)
    assert snapshot(tmp_path) == {"docker-compose.yaml": None}


def test_the_directory_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"/x is there already and is not a folder$"):
        run(tmp_path, "x")


def test_the_directory_goes_through_a_link_upwards(tmp_path: Path) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real/inner")
    run(tmp_path / "link", "..")
    assert (tmp_path / "real" / "docker-compose.yaml").is_file()


@pytest.mark.parametrize(("number", "code"), [(errno.EROFS, "unreadable"), (errno.ENOSPC, "disk-full")])
def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str) -> None:
    def fails(path: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "mkdir", fails)
    with pytest.raises(UsageError) as caught:
        run(tmp_path, "new")
    assert (caught.value.code, caught.value.why) == (code, os.strerror(number))


@pytest.mark.parametrize("at", range(4))
def test_a_second_run_completes_what_ctrl_c_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    calls = 0

    def stops(path: Path, text: str, shown: str = "") -> None:
        nonlocal calls
        if calls == at:
            raise Stopped(2)
        calls += 1
        write_text(path, text, shown)

    with monkeypatch.context() as patch:
        patch.setattr(init, "write_text", stops)
        with pytest.raises(Stopped):
            run(tmp_path)
    assert not (tmp_path / "docker-compose.yaml").exists()
    run(tmp_path)
    assert sorted(snapshot(tmp_path)) == sorted(name.rstrip("/") for name in ALL)
