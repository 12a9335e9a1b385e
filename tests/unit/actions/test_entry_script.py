"""The entry script that ``add`` writes into a repository, and ``kobako entry``, which writes it later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kobako import scan, sources
from kobako.actions import add as adding
from kobako.actions import entry_script
from kobako.actions.add import AddRequest
from kobako.actions.context import Context
from kobako.actions.entry import check_entry
from kobako.actions.entry_script import EntryRequest
from kobako.actions.facts import Wishes
from kobako.errors import UsageError
from kobako.model.entry import SCRIPT, is_ours
from kobako.model.result import Result
from unit.sources.test_unpack import make_tar
from unit.test_add import COMPOSE, Quiet, files, run

ON = Wishes("nvcr.io/nvidia/pytorch:22.02-py3")
TRAIN = """\
import argparse

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    parser.add_argument('--work-dir')
    parser.add_argument('--api-key', default='hunter2-hunter2', help='of the tracker')
    args = parser.parse_args()
    loss.backward()

if __name__ == '__main__':
    main()
"""


@pytest.fixture(autouse=True)
def _index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "missing", lambda *_: [])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "compose.yaml").write_text(COMPOSE)
    return workspace


@pytest.fixture
def repository(root: Path) -> Path:
    """In the workspace, under its name."""
    folder = root / "Repo"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    return folder


def archive(tmp_path: Path, **more: str) -> str:
    entries = [("p/train.py", "file", TRAIN), *((f"p/{name}", "file", text) for name, text in more.items())]
    return str(make_tar(tmp_path / "Repo-1.tar.gz", entries))


def asked(result: Result) -> list[str]:
    return [one["what"] for one in result.data["questions"]]


def test_add_writes_it(root: Path, tmp_path: Path) -> None:
    result = run(root, AddRequest(archive(tmp_path), wishes=ON))
    assert result.data["files"][:4] == ["Repo/", "Repo/tools/clearml_train.py", "docker/Repo", "compose.yaml"]
    assert result.data["entry"] == {"file": "Repo/tools/clearml_train.py", "written": True, "script": "Repo/train.py"}
    text = (root / "Repo" / SCRIPT).read_text()
    assert is_ours(SCRIPT, text)
    compile(text, SCRIPT, "exec")
    assert '\nNAME = "Repo"\n' in text
    assert '\nWORK_DIR = ("--work-dir", "{}")' in text
    assert "entry: tools/clearml_train.py starts train.py\n" in result.text
    assert "hunter2" not in text


def test_it_says_nothing_of_the_repository(root: Path, tmp_path: Path) -> None:
    before = scan.scan(_unpacked(tmp_path))
    run(root, AddRequest(archive(tmp_path), wishes=ON))
    assert scan.scan(root / "Repo") == before


def _unpacked(tmp_path: Path) -> Path:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    return folder


def test_a_folder_that_is_added_where_it_is_gets_this_file_alone(root: Path, repository: Path) -> None:
    before = files(repository)
    result = run(root, AddRequest(str(repository), wishes=ON))
    assert result.data["files"][:3] == ["Repo/tools/clearml_train.py", "docker/Repo", "compose.yaml"]
    assert {name: text for name, text in files(repository).items() if not name.startswith("tools")} == before
    assert [path.name for path in (repository / "tools").iterdir()] == ["clearml_train.py"]


@pytest.mark.parametrize("has_tools", [True, False])
def test_what_fails_takes_it_back(
    has_tools: bool, root: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_tools:
        (repository / "tools").mkdir()
    before = files(root)

    def interrupted(*_: object) -> None:
        assert (repository / SCRIPT).exists(), "it was not written yet"
        raise KeyboardInterrupt

    monkeypatch.setattr(adding, "_folders", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(root, AddRequest(str(repository), wishes=ON))
    assert files(root) == before


def test_a_dry_run_tells_it(root: Path, repository: Path) -> None:
    before = files(root)
    result = run(root, AddRequest(str(repository), wishes=ON, dry_run=True))
    assert files(root) == before
    assert "\n# entry: tools/clearml_train.py starts train.py\n" in result.text
    assert "Repo/tools/clearml_train.py" in result.data["files"]
    assert result.data["entry"]["written"] is False


def test_an_existing_one_is_the_entry(root: Path, tmp_path: Path) -> None:
    result = run(root, AddRequest(archive(tmp_path, **{SCRIPT: "mine\n"}), wishes=ON))
    assert (root / "Repo" / SCRIPT).read_text() == "mine\n"
    assert result.data["entry"] == {"file": "Repo/tools/clearml_train.py", "written": False, "script": None}
    assert "Repo/tools/clearml_train.py" not in result.data["files"]
    assert "entry: the repository's own tools/clearml_train.py\n" in result.text


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("folder", "tools/clearml_train.py is there and is no file of the repository's own"),
        ("dangling link", "tools/clearml_train.py is there and is no file of the repository's own"),
        ("link to another file", "tools/clearml_train.py is there and is no file of the repository's own"),
        ("tools are a link", "tools is a link"),
        ("tools are a file", "tools is no folder"),
    ],
)
def test_what_is_in_the_way(kind: str, why: str, root: Path, repository: Path, tmp_path: Path) -> None:
    script, outside = repository / SCRIPT, tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.py").write_text("mine\n")
    if kind == "tools are a link":
        script.parent.symlink_to(outside)
    elif kind == "tools are a file":
        script.parent.write_text("mine\n")
    else:
        script.parent.mkdir()
    if kind == "folder":
        script.mkdir()
    elif kind.endswith(("link", "other file")) and not kind.startswith("tools"):
        script.symlink_to(outside / ("mine.py" if "file" in kind else "gone.py"))
    before = files(outside)
    result = run(root, AddRequest(str(repository), wishes=ON))
    assert f"no entry script was written, for {why}: name what trains under x-kobako.entry of the service" in asked(
        result
    )
    assert result.data["entry"] == {"file": None, "written": False, "script": None}
    assert files(outside) == before


def test_a_link_within_the_repository_is_an_existing_one(root: Path, repository: Path) -> None:
    (repository / "tools").mkdir()
    (repository / SCRIPT).symlink_to(repository / "train.py")
    result = run(root, AddRequest(str(repository), wishes=ON))
    assert result.data["entry"]["file"] == "Repo/tools/clearml_train.py"
    assert (repository / "train.py").read_text() == TRAIN


def test_a_folder_that_cannot_be_written(root: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(root)
    # root may write everywhere: what the system says of the folder is all that is looked at
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != repository)
    with pytest.raises(UsageError) as caught:
        run(root, AddRequest(str(repository), wishes=ON))
    assert (caught.value.code, caught.value.what) == (
        "unreadable",
        "Repo cannot be written to, and nothing has been changed",
    )
    assert "chmod u+w Repo" in caught.value.fix
    assert files(root) == before
    run(root, AddRequest(str(repository), wishes=ON, entry=False))
    assert not (repository / "tools").exists()


def test_no_script_that_trains(root: Path, tmp_path: Path) -> None:
    source = make_tar(tmp_path / "Repo-1.tar.gz", [("p/requirements.txt", "file", "torch\n"), ("p/a.py", "file", "")])
    result = run(root, AddRequest(str(source), wishes=ON))
    assert asked(result)[-1] == (
        "no entry script was written, for no script that trains was found: "
        "name the script that trains: kobako entry Repo --script FILE; or write tools/clearml_train.py yourself"
    )
    assert not (root / "Repo/tools").exists()


def test_what_is_open_is_asked(root: Path, tmp_path: Path) -> None:
    text = TRAIN.replace("'--work-dir'", "'--lr'")
    source = make_tar(tmp_path / "Repo-1.tar.gz", [("p/train.py", "file", text)])
    result = run(root, AddRequest(str(source), wishes=ON))
    question = result.data["questions"][-1]
    assert question["where"] == {"file": "Repo/train.py", "line": 1}
    assert question["what"].startswith("how it is told where to write is not known")


@pytest.fixture
def context(root: Path, repository: Path) -> Context:
    """A service that somebody wrote by hand, of a repository that has no entry script."""
    assert repository.is_dir()
    volume = "      - ./Repo:/workspace/Repo\n"
    (root / "compose.yaml").write_text(
        f"services:\n  repo:\n    container_name: Repo\n    image: x\n    volumes:\n{volume}"
    )
    return Context(root, {}, Quiet())


def entry(context: Context, **words: str | bool) -> Result:
    return entry_script.entry(context, EntryRequest("repo", **words))  # type: ignore[arg-type]


def test_entry_writes_it_later(context: Context, repository: Path) -> None:
    result = entry(context)
    assert result.text == (
        "wrote Repo/tools/clearml_train.py\nentry: tools/clearml_train.py starts train.py\n"
        "next: kobako train Repo --config=..."
    )
    assert is_ours(SCRIPT, (repository / SCRIPT).read_text())
    assert result.data["entry"] == {"file": "Repo/tools/clearml_train.py", "written": True, "script": "Repo/train.py"}
    assert [one["name"] for one in result.data["options"]] == ["config", "work_dir", "api_key"]
    assert list((repository.parent / ".kobako").glob("tmp-*")) == []


def test_a_missing_entry_script_is_to_be_written(context: Context, repository: Path) -> None:
    with pytest.raises(UsageError) as caught:
        check_entry(context, context.service("repo"))
    assert caught.value.code == "no-entry"
    assert str(caught.value.fix).startswith("kobako entry Repo writes it; or name what trains under x-kobako ")
    entry(context)
    check_entry(context, context.service("repo"))


def test_entry_shows_it(context: Context, root: Path) -> None:
    before = files(root)
    result = entry(context, show=True)
    assert is_ours(SCRIPT, result.data["text"])
    assert result.text == result.data["text"].rstrip("\n")
    assert files(root) == before


def test_entry_replaces_its_own_alone_and_when_asked_to(context: Context, repository: Path) -> None:
    entry(context)
    (repository / "other.py").write_text(TRAIN.replace("--work-dir", "--output-dir"))
    with pytest.raises(UsageError) as caught:
        entry(context, script="other.py")
    assert (caught.value.code, caught.value.why) == ("exists", "Kobako wrote it")
    entry(context, script="other.py", force=True)
    assert '\nSCRIPT = "other.py"' in (repository / SCRIPT).read_text()
    (repository / SCRIPT).write_text("mine\n")
    with pytest.raises(UsageError) as caught:
        entry(context, force=True)
    assert (caught.value.code, caught.value.why) == ("exists", "it is the repository's own, and is the entry")
    assert (repository / SCRIPT).read_text() == "mine\n"


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("nothing.py", "nothing.py is no file of Repo"),
        ("../compose.yaml", "../compose.yaml is no file of Repo"),
        ("a/../../compose.yaml", "a/../../compose.yaml is no file of Repo"),
        ("/etc/passwd", "/etc/passwd is no file of Repo"),
        ("outside.py", "outside.py is no file of Repo"),
        ("broken.py", "broken.py is no script that the entry script can start"),
    ],
)
def test_entry_with_a_script_that_is_none(
    script: str, what: str, context: Context, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.py").write_text(TRAIN)
    (repository / "outside.py").symlink_to(tmp_path / "outside.py")
    (repository / "broken.py").write_text("def f(:\n")
    with pytest.raises(UsageError) as caught:
        entry(context, script=script)
    assert (caught.value.code, caught.value.what) == ("bad-source", what)
    assert not (repository / "tools").exists()


def test_entry_without_a_repository_or_a_script(context: Context, repository: Path) -> None:
    (repository / "train.py").unlink()
    with pytest.raises(UsageError) as caught:
        entry(context)
    assert caught.value.code == "no-entry"
    assert "kobako entry Repo --script FILE" in caught.value.what
    repository.rmdir()
    with pytest.raises(UsageError) as caught:
        entry(context)
    assert (caught.value.code, caught.value.what) == ("bad-source", "Repo/ is not there")


def test_secrets_of_a_named_script_are_masked_too(context: Context, repository: Path) -> None:
    entry(context, script="train.py")
    assert "hunter2" not in (repository / SCRIPT).read_text()


PLAIN = """\
import argparse
from engine import work

if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--config')
    work(parser.parse_args())
"""


def test_a_script_that_is_only_called_for_training_is_taken_and_that_is_said(root: Path) -> None:
    folder = root / "Repo"
    for name in ("train.py", "deep/tools/train_net.py", "tests/train.py", "data.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(PLAIN)
    (folder / "train_no_guard.py").write_text("import argparse\n")
    seen = scan.scan(folder).entry_points
    assert seen == ()  # nothing in it is known to train
    made = entry_script.prepare("Repo", folder, seen)
    assert made.settings is not None
    assert (made.settings.script, made.settings.config) == ("train.py", "config")
    assert made.questions[0].what == (
        "no script was seen to train, so train.py is taken, by its name and because it reads arguments; "
        "deep/tools/train_net.py may be meant as well (another one: kobako entry Repo --force --script FILE)"
    )


def test_a_script_of_another_name_is_not_taken(root: Path) -> None:
    folder = root / "Repo"
    folder.mkdir()
    (folder / "convert.py").write_text(PLAIN)
    assert entry_script.prepare("Repo", folder, ()).settings is None
