"""Which files are a workspace's compose files, in which environment, and what the project is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kobako.compose.files import NAMES, OVERRIDES, dotenv, environment, find, project_name
from kobako.errors import UsageError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("services: {}\n", encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_found_from_below(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)
    (tmp_path / "a" / "b").mkdir(parents=True)
    found = find(tmp_path / "a" / "b", {})
    assert (found.root, found.files, found.implicit) == (tmp_path, (tmp_path / name,), True)


def test_the_first_name_and_the_first_override_win(tmp_path: Path) -> None:
    touch(tmp_path, *NAMES, *OVERRIDES)
    assert [file.name for file in find(tmp_path, {}).files] == ["compose.yaml", "compose.override.yml"]


def test_the_nearest_folder_wins(tmp_path: Path) -> None:
    touch(tmp_path, "compose.yaml", "inner/docker-compose.yml")
    assert find(tmp_path / "inner", {}).root == tmp_path / "inner"


def test_none_is_found(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find(tmp_path, {})
    assert caught.value.code == "no-compose-file"
    assert caught.value.what == f"no compose file in {tmp_path} or above it"
    assert caught.value.why == "looked for compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml"
    assert caught.value.fix == "kobako init"


def test_a_folder_of_that_name_is_no_compose_file(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").mkdir()
    touch(tmp_path, "docker-compose.yaml")
    assert find(tmp_path, {}).files == (tmp_path / "docker-compose.yaml",)


def test_compose_file_names_them(tmp_path: Path) -> None:
    touch(tmp_path, "a.yaml", "sub/b.yaml", "compose.yaml")
    env = {"COMPOSE_FILE": f"a.yaml{os.pathsep}sub/b.yaml"}
    found = find(tmp_path, env)
    assert (found.root, found.implicit) == (tmp_path, False)
    assert found.files == (tmp_path / "a.yaml", tmp_path / "sub" / "b.yaml")
    env = {"COMPOSE_FILE": f"{tmp_path}/sub/b.yaml,a.yaml", "COMPOSE_PATH_SEPARATOR": ","}
    assert find(tmp_path, env).root == tmp_path / "sub"


def test_compose_file_in_the_env_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.yaml", "compose.yaml")
    (tmp_path / ".env").write_text("COMPOSE_FILE=a.yaml\n", encoding="utf-8")
    assert find(tmp_path, {}).files == (tmp_path / "a.yaml",)


def test_a_named_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find(tmp_path, {"COMPOSE_FILE": "no.yaml"})
    assert (caught.value.code, caught.value.what) == ("no-compose-file", f"{tmp_path}/no.yaml does not exist")
    assert caught.value.why == "COMPOSE_FILE names it (no.yaml)"


def test_the_env_file_of_a_folder_on_the_way_does_not_matter(tmp_path: Path) -> None:
    touch(tmp_path, "compose.yaml")
    repository = tmp_path / "mmdetection"
    repository.mkdir()
    (repository / ".env").write_text("this is no env file at all\nX=1\n", encoding="utf-8")
    (tmp_path / ".env").write_text("X=2\n", encoding="utf-8")
    assert find(repository, {}).env == {"X": "2"}


def test_the_process_s_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n", encoding="utf-8")
    assert environment(tmp_path, {"A": "process"}) == {"A": "process", "B": "file"}


def test_env_files_are_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8")
    (tmp_path / "one").write_text("B=1\nC=1\n", encoding="utf-8")
    (tmp_path / "two").write_text("C=2\n", encoding="utf-8")
    seen = environment(tmp_path, {"COMPOSE_ENV_FILES": "one,two,missing"})
    assert {name: seen.get(name) for name in "ABC"} == {"A": None, "B": "1", "C": "2"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("# comment\n\nA=1\n", {"A": "1"}),
        ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("export A=1\nA=2\n", {"A": "2"}),
        ("A=\nB=x=y\n", {"A": "", "B": "x=y"}),
        ("A='a b'\nB=\"c#d\"\nC=e # f\n", {"A": "a b", "B": "c#d", "C": "e"}),
        ('A="one\ntwo"\n', {"A": "one\ntwo"}),
        ("A=x\nB=${A}y\n", {"A": "x", "B": "xy"}),
        ("A=機械\n", {"A": "機械"}),
        ("A = 1\n", {"A": "1"}),
    ],
)
def test_env_files(text: str, found: dict[str, str]) -> None:
    assert dotenv(text, Path("/x/.env")) == found


@pytest.mark.parametrize(("line", "why"), [("'oh no", "'oh no"), ("TOKEN='hunter2", "TOKEN=...")])
def test_a_line_that_is_not_understood_is_named_without_its_value(tmp_path: Path, line: str, why: str) -> None:
    touch(tmp_path, "compose.yaml")
    (tmp_path / ".env").write_text(f"A=1\n\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        find(tmp_path, {})
    assert caught.value.code == "invalid-setting"
    assert caught.value.why == why
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == (str(tmp_path / ".env"), 3)


@pytest.mark.parametrize(
    ("folder", "named", "env", "name"),
    [
        ("Work", None, {}, "work"),
        ("My Work.2", None, {}, "mywork2"),
        ("-_x_-", None, {}, "x_-"),
        ("機械学習", None, {}, ""),
        ("機械学習", "Mine", {}, "mine"),
        ("work", "mine", {"COMPOSE_PROJECT_NAME": "theirs"}, "theirs"),
        ("work", None, {"COMPOSE_PROJECT_NAME": ""}, "work"),
    ],
)
def test_the_project_s_name(tmp_path: Path, folder: str, named: str | None, env: dict[str, str], name: str) -> None:
    assert project_name(tmp_path / folder, named, env) == name
