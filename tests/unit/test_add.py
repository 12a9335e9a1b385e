"""``kobako add``, from the source to the files, without a network or a program."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kobako import sources, uv
from kobako.actions import add as module
from kobako.actions.add import AddRequest, add
from kobako.actions.context import Context
from kobako.actions.facts import Wishes
from kobako.errors import UsageError
from kobako.model.requirement import Requirement
from kobako.model.result import Problem, Result
from kobako.sources import Asked, Missing
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

    def confirm(self, question: str, *, person: bool = False) -> bool:
        self.lines.append(question)
        return True


BASE = "nvcr.io/nvidia/pytorch:22.02-py3"
ON = Wishes(BASE)
COMPOSE = "# mine\nservices:\n    other:\n        image: busybox  # keep\n"


class Index:
    """Stands in for the package index, which unit tests cannot reach: it has everything but ``lacking``."""

    def __init__(self) -> None:
        self.lacking: dict[str, Missing] = {}
        self.asked: list[tuple[list[str], Asked]] = []

    def missing(self, requirements: Sequence[Requirement], asked: Asked, _run: object) -> list[Missing]:
        self.asked.append(([str(one) for one in requirements], asked))
        return [self.lacking[one.name]._replace(requirement=one) for one in requirements if one.name in self.lacking]


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    made = Index()
    monkeypatch.setattr(sources, "missing", made.missing)
    return made


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
    result = run(root, AddRequest(archive, wishes=ON))
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
    run(root, AddRequest(archive, wishes=ON))
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
    run(root, AddRequest(archive, wishes=ON))
    assert "paddle_detection" in Context(root, {}, Quiet()).project.services


def test_a_folder_of_the_workspace_is_used_where_it_is(root: Path) -> None:
    (root / "Repo").mkdir()
    (root / "Repo/requirements.txt").write_text("six\n")
    result = run(root, AddRequest(str(root / "Repo"), wishes=ON))
    assert result.data["files"] == ["docker/Repo", "compose.yaml", "configs/Repo/", "data/", "pretrain/"]
    assert result.data["source"] == {"path": "./Repo"}
    assert [path.name for path in (root / "Repo").iterdir()] == ["requirements.txt"]


def test_a_dry_run_changes_nothing(root: Path, archive: str) -> None:
    before = files(root)
    result = run(root, AddRequest(archive, wishes=ON, dry_run=True))
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
        run(root, AddRequest(archive, wishes=ON))
    assert (caught.value.code, caught.value.what) == ("exists", what)
    assert "--name PaddleDetection-2" in caught.value.fix
    assert files(root) == before


@pytest.mark.parametrize("other", ["paddle_detection", "x", "container"])
def test_a_service_of_that_name(other: str, root: Path, archive: str) -> None:
    name = "PaddleDetection" if other == "container" else "y"
    (root / "compose.yaml").write_text(f"services:\n  {other}:\n    image: b\n    container_name: {name}\n")
    if other == "x":
        run(root, AddRequest(archive, wishes=ON))
        return
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, wishes=ON))
    assert (caught.value.code, caught.value.what) == ("exists", f"there is a service {other} already")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (AddRequest("nowhere", wishes=ON), "bad-source"),
        (AddRequest("ARCHIVE", name="a b", wishes=ON), "bad-name"),
        (AddRequest("ARCHIVE", wishes=Wishes("not an image")), "no-base"),
        (AddRequest("ARCHIVE", ref="v1", wishes=ON), "bad-source"),
        (AddRequest("ARCHIVE", subtree=True, wishes=ON), "bad-source"),
    ],
)
def test_a_failure_leaves_nothing(request_: AddRequest, code: str, root: Path, archive: str) -> None:
    before = files(root)
    source = request_.source.replace("ARCHIVE", archive)
    with pytest.raises(UsageError) as caught:
        run(root, replace(request_, source=source))
    assert caught.value.code == code
    assert files(root) == before


def test_ctrl_c_leaves_nothing(root: Path, archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(root)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_folders", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(root, AddRequest(archive, wishes=ON))
    assert files(root) == before


def test_a_compose_file_that_cannot_be_edited(root: Path, archive: str) -> None:
    (root / "compose.yaml").write_text("services:\n  a: {image: b\n")
    before = files(root)
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, wishes=ON))
    assert caught.value.code == "invalid-yaml"
    assert files(root) == before


def test_an_old_base_without_uv_on_this_machine(root: Path, archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv, "program", lambda: None)
    result = run(root, AddRequest(archive, wishes=Wishes("nvcr.io/nvidia/pytorch:20.11-py3")))
    assert result.data["questions"][0] == {
        "what": "versions for Python 3.6 could not be resolved here (uv is not installed here): pip decides",
        "where": None,
    }
    assert "--constraint /opt/kobako/floor.txt" in (root / "docker/PaddleDetection").read_text()


def test_what_no_index_has_stops_it(root: Path, archive: str, index: Index) -> None:
    index.lacking["numpy"] = Missing(Requirement("numpy"), "absent", "no version fits; there is 2.0")
    before = files(root)
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, wishes=ON))
    assert (caught.value.code, caught.value.what) == (
        "unknown-requirement",
        "`numpy` cannot be had",
    )
    assert str(caught.value.where) == "PaddleDetection/requirements.txt:2"
    assert caught.value.why == "numpy: no version fits; there is 2.0"
    assert "--without numpy" in caught.value.fix
    assert files(root) == before
    run(root, AddRequest(archive, wishes=Wishes(BASE, without=("NumPy",))))
    assert "numpy" not in (root / "docker/PaddleDetection").read_text()


def test_without_something_that_is_not_required(root: Path, archive: str) -> None:
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, wishes=Wishes(BASE, without=("numpi",))))
    assert caught.value.what == "--without numpi: it is not required"
    assert caught.value.fix == "required are: torch, numpy"


def test_an_index_that_does_not_answer(root: Path, archive: str, index: Index) -> None:
    index.lacking["numpy"] = Missing(Requirement("numpy"), "unknown", "no route to host")
    result = run(root, AddRequest(archive, wishes=ON))
    assert [(one.code, one.why) for one in result.problems][-1] == ("index-unreachable", "no route to host")
    assert "    numpy\n" in (root / "docker/PaddleDetection").read_text()


def dated(root: Path, tmp_path: Path, index: Index, *, base: str = BASE, as_of: str = "") -> tuple[Result, str]:
    """Adds an archive whose newest file is of 2022-03-05; the result, and the Dockerfile."""
    entries = [("p/requirements.txt", "file", "six\n"), ("p/t.py", "file", "")]
    path = make_tar(tmp_path / "Old-1.tar.gz", entries, when=1646438400 + 7200)
    result = run(root, AddRequest(str(path), wishes=Wishes(base, as_of)))
    assert [asked.as_of.isoformat() if asked.as_of else None for _, asked in index.asked] == [result.data["as_of"]]
    return result, (root / "docker/Old").read_text()


def test_an_old_repository_gets_the_index_of_its_day(root: Path, tmp_path: Path, index: Index) -> None:
    result, recipe = dated(root, tmp_path, index)
    assert result.data["as_of"] == "2022-03-05"
    assert result.data["source"]["date"] == "2022-03-05"
    assert "    uv pip install --exclude-newer 2022-03-05 \\\n    six\n" in recipe
    assert recipe.count("--exclude-newer") == 1, "tracking talks to a server of today"
    assert "Packages are of 2022-03-05, the day of the repository's newest commit or file" in recipe


def test_the_day_can_be_said(root: Path, tmp_path: Path, index: Index) -> None:
    result, recipe = dated(root, tmp_path, index, as_of="2023-01-31")
    assert result.data["as_of"] == "2023-01-31"
    assert "--exclude-newer 2023-01-31" in recipe


def test_the_index_of_today_can_be_asked_for(root: Path, tmp_path: Path, index: Index) -> None:
    result, recipe = dated(root, tmp_path, index, as_of="today")
    assert result.data["as_of"] is None
    assert "--exclude-newer" not in recipe


def test_a_base_that_is_younger_than_the_day(root: Path, tmp_path: Path, index: Index) -> None:
    result, recipe = dated(root, tmp_path, index, base="python:3.12-slim")
    assert result.data["as_of"] is None
    assert "--exclude-newer" not in recipe
    assert "Python 3.12 of the base was released on 2023-10-02" in result.data["questions"][0]["what"]


def test_an_index_without_dates(root: Path, tmp_path: Path, index: Index) -> None:
    index.lacking["six"] = Missing(Requirement("six"), "too-new", "no version that fits was there; 2.0 came later")
    path = make_tar(tmp_path / "Old-1.tar.gz", [("p/requirements.txt", "file", "six\n")], when=1646438400)
    result = run(root, AddRequest(str(path), wishes=ON))
    assert result.data["as_of"] is None
    assert any("as of today, not as of 2022-03-05" in one["what"] for one in result.data["questions"])


def test_a_day_that_was_asked_for_stands(root: Path, archive: str, index: Index) -> None:
    late = Missing(Requirement("numpy"), "too-new", "2.0 came later", "resolve as of today: --as-of today")
    index.lacking["numpy"] = late
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, wishes=Wishes(BASE, "2022-01-31")))
    assert caught.value.code == "unknown-requirement"
    assert caught.value.fix == "leave it out: --without numpy; or resolve as of today: --as-of today"


@pytest.mark.parametrize("wish", ["2022", "yesterday", "2999-01-01", "2022-13-01"])
def test_days_that_are_none(wish: str, root: Path, archive: str) -> None:
    before = files(root)
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(archive, wishes=Wishes(BASE, wish)))
    assert caught.value.what.startswith(f"--as-of {wish} is ")
    assert files(root) == before


def test_all_that_cannot_be_had_is_named(root: Path, archive: str, index: Index) -> None:
    for name, kind in (("numpy", "choose another Python with --base"), ("six", "")):
        index.lacking[name] = Missing(Requirement(name), "absent", "not there", kind)
    source = make_tar(Path(archive).with_name("Two-1.tar.gz"), [("p/requirements.txt", "file", "six\nnumpy\n")])
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(str(source), wishes=ON))
    assert caught.value.what == "`six`, `numpy` (Two/requirements.txt:2) cannot be had"
    assert str(caught.value.where) == "Two/requirements.txt:1"
    assert caught.value.fix == "leave them out: --without six --without numpy; or choose another Python with --base"


def test_an_empty_folder_is_refused(root: Path) -> None:
    (root / "Nothing").mkdir()
    before = files(root)
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(str(root / "Nothing"), wishes=ON))
    assert caught.value.what.endswith("Nothing is empty")
    assert files(root) == before


def test_a_folder_without_python_is_a_warning(root: Path) -> None:
    (root / "Words").mkdir()
    (root / "Words/notes.txt").write_text("none")
    result = run(root, AddRequest(str(root / "Words"), wishes=ON))
    assert (result.status, [one.code for one in result.problems]) == ("partial", ["no-python"])


def test_a_told_torch_that_the_python_has_not(root: Path, archive: str, index: Index) -> None:
    told = "# X\n\n```bash\npip install torch==1.12.1\npip install einops==99\n```\n"
    entries = [("p/README.md", "file", told), ("p/train.py", "file", "import torch\nimport einops\n")]
    source = make_tar(Path(archive).with_name("Told-1.tar.gz"), entries)
    index.lacking = {name: Missing(Requirement(name), "absent", "no version fits") for name in ("torch", "einops")}
    result = run(root, AddRequest(str(source), wishes=Wishes("python:3.11-slim")))
    recipe = (root / "docker/Told").read_text()
    assert "    uv pip install \\\n    torch\n" in recipe
    assert "einops" not in recipe
    asked = [one["what"] for one in result.data["questions"]]
    assert "torch==1.12.1 is taken in any version: no version fits" in asked
    assert "einops==99 is left out: no version fits" in asked
