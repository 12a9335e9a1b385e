"""``kobako add``, from the source to the files, without a network or a program."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kobako import uv
from kobako.actions import add as module
from kobako.actions.add import AddRequest, add
from kobako.actions.context import Context
from kobako.errors import UsageError
from kobako.model.result import Problem, Result
from unit.sources.test_unpack import make_tar


class Quiet:
    """A narrator that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, problem: Problem) -> None:
        self.lines.append(problem.what)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.lines.append(name)
        yield

    def child(self, line: str) -> None:
        self.lines.append(line)

    def confirm(self, question: str) -> bool:
        self.lines.append(question)
        return True


BASE = "nvcr.io/nvidia/pytorch:22.02-py3"
COMPOSE = "# mine\nservices:\n    other:\n        image: busybox  # keep\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "compose.yaml").write_text(COMPOSE)
    return workspace


@pytest.fixture
def archive(tmp_path: Path) -> str:
    content = "torch>=1.8\nnumpy\nbad bad\n"
    path = make_tar(
        tmp_path / "PaddleDetection-2.6.tar.gz", [("p/requirements.txt", "file", content), ("p/t.py", "file", "")]
    )
    return str(path)


def run(root: Path, request: AddRequest) -> Result:
    return add(Context(root, {"TZ": "Asia/Tokyo"}, Quiet()), request)


def files(root: Path) -> dict[str, str]:
    """Everything in the workspace but Kobako's own state."""
    found = (path for path in root.rglob("*") if ".kobako" not in path.relative_to(root).parts)
    return {path.relative_to(root).as_posix(): path.read_text() if path.is_file() else "" for path in sorted(found)}


def test_an_archive_becomes_a_service(root: Path, archive: str) -> None:
    result = run(root, AddRequest(archive, base=BASE))
    assert (result.command, result.status, result.exit_code) == ("add", "partial", 0)
    assert result.data["service"] == "paddle_detection"
    assert result.data["name"] == "PaddleDetection"
    assert result.data["files"] == [
        "PaddleDetection/",
        "docker/PaddleDetection",
        "compose.yaml",
        "configs/PaddleDetection/",
        "data/",
        "pretrain/",
    ]
    assert result.data["base"]["image"] == BASE
    assert [str(problem.where) for problem in result.problems] == ["PaddleDetection/requirements.txt:3"]
    assert result.text.endswith("next: kobako build PaddleDetection")
    made = files(root)
    assert set(made) == {
        "PaddleDetection",
        "PaddleDetection/requirements.txt",
        "PaddleDetection/t.py",
        "compose.yaml",
        "configs",
        "configs/PaddleDetection",
        "data",
        "docker",
        "docker/PaddleDetection",
        "pretrain",
    }
    assert f"\nFROM {BASE}\n" in made["docker/PaddleDetection"]
    assert "ENV TZ=Asia/Tokyo\n" in made["docker/PaddleDetection"]
    assert made["compose.yaml"].startswith(COMPOSE)


def test_the_service_can_be_read_back(root: Path, archive: str) -> None:
    run(root, AddRequest(archive, base=BASE))
    service = Context(root, {}, Quiet()).service("PaddleDetection")
    assert service.name == "paddle_detection"
    assert service.container_name == "PaddleDetection"
    assert service.build is not None
    assert service.build.dockerfile == str(root / "docker/PaddleDetection")
    assert service.reserves_nvidia
    assert [mount.target for mount in service.mounts] == [
        "/workspace/PaddleDetection",
        "/workspace/data",
        "/workspace/configs",
        "/workspace/pretrain",
    ]
    assert service.hints.source["archive"] == "PaddleDetection-2.6.tar.gz"


@pytest.mark.parametrize(
    "text",
    [
        "services:\n",
        "services: {}\n",
        "services:\r\n  a:\r\n    image: b\r\n",
        "\ufeffservices:\n  a:\n    image: b",
        "name: x\n",
    ],
)
def test_strangers_compose_files(text: str, root: Path, archive: str) -> None:
    (root / "compose.yaml").write_bytes(text.encode())
    run(root, AddRequest(archive, base=BASE))
    assert "paddle_detection" in Context(root, {}, Quiet()).project.services


def test_a_folder_of_the_workspace_is_used_where_it_is(root: Path) -> None:
    (root / "Repo").mkdir()
    (root / "Repo/requirements.txt").write_text("six\n")
    result = run(root, AddRequest(str(root / "Repo"), base=BASE))
    assert result.data["files"] == ["docker/Repo", "compose.yaml", "configs/Repo/", "data/", "pretrain/"]
    assert result.data["source"] == {"path": "./Repo"}
    assert [path.name for path in (root / "Repo").iterdir()] == ["requirements.txt"]


def test_a_dry_run_changes_nothing(root: Path, archive: str) -> None:
    before = files(root)
    result = run(root, AddRequest(archive, base=BASE, dry_run=True))
    assert files(root) == before
    assert f"FROM {BASE}" in result.text
    assert "  paddle_detection:\n    container_name: PaddleDetection\n" in result.text
    assert list((root / ".kobako").glob("tmp-*")) == []


@pytest.mark.parametrize(
    ("made", "what"),
    [
        ("docker/PaddleDetection", "docker/PaddleDetection is there already and is left as it is"),
        ("PaddleDetection/mine.py", "PaddleDetection is there already and is left as it is"),
    ],
)
def test_nothing_is_overwritten(made: str, what: str, root: Path, archive: str) -> None:
    (root / made).parent.mkdir()
    (root / made).write_text("mine")
    before = files(root)
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, base=BASE))
    assert (caught.value.code, caught.value.what) == ("exists", what)
    assert "--name PaddleDetection-2" in caught.value.fix
    assert files(root) == before


@pytest.mark.parametrize("other", ["paddle_detection", "x", "container"])
def test_a_service_of_that_name(other: str, root: Path, archive: str) -> None:
    name = "PaddleDetection" if other == "container" else "y"
    (root / "compose.yaml").write_text(f"services:\n  {other}:\n    image: b\n    container_name: {name}\n")
    if other == "x":
        run(root, AddRequest(archive, base=BASE))
        return
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, base=BASE))
    assert (caught.value.code, caught.value.what) == ("exists", f"there is a service {other} already")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (AddRequest("nowhere", base=BASE), "bad-source"),
        (AddRequest("ARCHIVE", name="a b", base=BASE), "bad-name"),
        (AddRequest("ARCHIVE", base="not an image"), "no-base"),
        (AddRequest("ARCHIVE", ref="v1", base=BASE), "bad-source"),
        (AddRequest("ARCHIVE", subtree=True, base=BASE), "bad-source"),
    ],
)
def test_a_failure_leaves_nothing(request_: AddRequest, code: str, root: Path, archive: str) -> None:
    before = files(root)
    source = request_.source.replace("ARCHIVE", archive)
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(source, request_.name, request_.base, request_.ref, request_.subtree))
    assert caught.value.code == code
    assert files(root) == before


def test_ctrl_c_leaves_nothing(root: Path, archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(root)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_folders", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(root, AddRequest(archive, base=BASE))
    assert files(root) == before


def test_a_compose_file_that_cannot_be_edited(root: Path, archive: str) -> None:
    (root / "compose.yaml").write_text("services:\n  a: {image: b\n")
    before = files(root)
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, base=BASE))
    assert caught.value.code == "invalid-yaml"
    assert files(root) == before


def test_an_old_base_without_uv_on_this_machine(root: Path, archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv, "program", lambda: None)
    result = run(root, AddRequest(archive, base="nvcr.io/nvidia/pytorch:20.11-py3"))
    assert result.data["questions"][0] == {
        "what": "versions for Python 3.6 could not be resolved here (uv is not installed here): pip decides",
        "where": None,
    }
    assert "--constraint /opt/kobako/floor.txt" in (root / "docker/PaddleDetection").read_text()
