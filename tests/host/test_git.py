"""git for real, on repositories made here: no network."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kobako import sources
from kobako.actions import add as adding
from kobako.actions.add import AddRequest
from kobako.actions.context import Context
from kobako.actions.facts import Wishes
from kobako.errors import UsageError
from unit.test_add import Quiet

WHO = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "protocol.file.allow=always")


def git(folder: Path, *arguments: str) -> str:
    argv = ["git", *WHO, *arguments]
    env = {**os.environ, "GIT_COMMITTER_DATE": "2022-05-01T23:30:00+00:00"}
    return subprocess.run(argv, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """Two commits on main, a tag on the first, a branch with a submodule."""
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q", "-b", "main")
    (library / "lib.py").write_text("")
    git(library, "add", ".")
    git(library, "commit", "-qm", "one")
    repository = tmp_path / "Origin"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    (repository / "train.py").write_text("1")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "one")
    git(repository, "tag", "v1")
    (repository / "train.py").write_text("2")
    git(repository, "commit", "-qam", "two")
    git(repository, "checkout", "-qb", "feature/sub")
    git(repository, "submodule", "add", "-q", library.as_uri(), "third/library")
    git(repository, "commit", "-qm", "three")
    git(repository, "checkout", "-q", "main")
    return repository


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    folder = tmp_path / "stage"
    folder.mkdir()
    return folder


def fetch(spec: str, stage: Path, ref: str | None = None) -> sources.Fetched:
    source = sources.resolve(spec, ref=ref)
    return sources.fetch(source, stage, workspace=stage.parent / "workspace")


def test_the_default_branch(origin: Path, stage: Path) -> None:
    fetched = fetch(origin.as_uri(), stage)
    assert fetched.facts == {"git": origin.as_uri(), "commit": git(origin, "rev-parse", "main"), "date": "2022-05-01"}
    assert [path.name for path in fetched.path.iterdir()] == ["train.py"]


def test_a_tag_and_a_commit(origin: Path, stage: Path) -> None:
    commit = git(origin, "rev-parse", "v1")
    by_tag = fetch(f"{origin.as_uri()}#v1", stage)
    assert (by_tag.path / "train.py").read_text() == "1"
    assert by_tag.facts["commit"] == commit
    (stage / "b").mkdir()
    assert fetch(f"{origin.as_uri()}@{commit[:9]}", stage / "b").facts["commit"] == commit
    (stage / "c").mkdir()
    assert "ref" not in fetch(origin.as_uri(), stage / "c", commit).facts


def test_submodules_are_included(origin: Path, stage: Path) -> None:
    fetched = fetch(origin.as_uri(), stage, "feature/sub")
    assert (fetched.path / "third/library/lib.py").is_file()
    assert not list(fetched.path.rglob(".git"))


@pytest.mark.parametrize("ref", ["v2", "1234567"])
def test_a_ref_that_is_not_there(ref: str, origin: Path, stage: Path) -> None:
    with pytest.raises(UsageError) as caught:
        fetch(origin.as_uri(), stage, ref)
    assert caught.value.what == f"{origin.as_uri()} has no branch, tag or commit {ref}"


def test_no_repository_there(tmp_path: Path, stage: Path) -> None:
    with pytest.raises(UsageError) as caught:
        fetch((tmp_path / "nowhere").as_uri(), stage)
    assert (caught.value.code, caught.value.fix) == ("bad-source", "check the address")


def test_a_folder_tells_its_commit_and_whether_it_is_dirty(origin: Path, stage: Path) -> None:
    assert fetch(str(origin), stage).facts == {
        "folder": "Origin",
        "commit": git(origin, "rev-parse", "HEAD"),
        "date": "2022-05-01",
        "dirty": True,  # the submodule's folder stayed behind when the branch was left
    }


def test_nothing_of_a_folder_is_executed(origin: Path, stage: Path, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    for key in ("core.fsmonitor", "filter.x.clean", "core.hooksPath"):
        git(origin, "config", key, f"touch {touched}")
    (origin / ".gitattributes").write_text("* filter=x\n")
    assert "dirty" not in fetch(str(origin), stage).facts
    assert not touched.exists()


def included(origin: Path, touched: Path) -> None:
    (origin / "evil.cfg").write_text(f'[filter "x"]\n\tclean = "touch {touched}; cat"\n')
    git(origin, "config", "include.path", str(origin / "evil.cfg"))


def of_the_worktree(origin: Path, touched: Path) -> None:
    git(origin, "config", "extensions.worktreeConfig", "true")
    (origin / ".git" / "config.worktree").write_text(f'[filter "x"]\n\tclean = "touch {touched}; cat"\n')


@pytest.mark.parametrize("configure", [included, of_the_worktree])
def test_filters_that_hide_are_not_run(
    configure: Callable[[Path, Path], None], origin: Path, stage: Path, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    configure(origin, touched)
    (origin / ".gitattributes").write_text("* filter=x\n")
    (origin / "train.py").write_text("3")
    assert "dirty" not in fetch(str(origin), stage).facts
    assert sources.facts_of(origin)["date"] == "2022-05-01"
    assert not touched.exists()


class Refusing(http.server.BaseHTTPRequestHandler):
    """A server that wants a password, for which git would run a program that the repository names."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """It says nothing."""


def test_nothing_that_is_missing_is_fetched(origin: Path, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    commit = git(origin, "rev-parse", "HEAD")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            git(origin, "config", "remote.origin.url", f"http://127.0.0.1:{server.server_port}/x.git")
            git(origin, "config", "credential.helper", f"!touch {touched}; :")
            git(origin, "config", "remote.origin.promisor", "true")
            git(origin, "config", "extensions.partialClone", "origin")
            (origin / ".git" / "objects" / commit[:2] / commit[2:]).unlink()
            assert sources.facts_of(origin) in ({}, {"commit": commit})
        finally:
            server.shutdown()
            thread.join()
    assert not touched.exists()


def test_subtree(origin: Path, stage: Path) -> None:
    workspace = stage.parent / "workspace"
    git(workspace, "init", "-q", "-b", "main")
    git(workspace, "config", "user.name", "n")
    git(workspace, "config", "user.email", "n@example.org")
    source = sources.resolve(origin.as_uri())
    with pytest.raises(UsageError) as caught:
        sources.subtree(source, "Origin", workspace)
    assert caught.value.why == "the workspace's repository has no commit yet"
    (workspace / "compose.yaml").write_text("services:\n")
    git(workspace, "add", ".")
    with pytest.raises(UsageError):
        sources.subtree(source, "Origin", workspace)
    git(workspace, "commit", "-qm", "one")
    before = git(workspace, "rev-parse", "HEAD")
    fetched, undo = sources.subtree(source, "Origin", workspace)
    assert (workspace / "Origin/train.py").read_text() == "2"
    assert fetched.facts["commit"] == git(origin, "rev-parse", "main")
    assert fetched.facts["ref"] == "main"
    (workspace / "compose.yaml").write_text("services: {}\n")
    undo()
    assert git(workspace, "rev-parse", "HEAD") == before
    assert not (workspace / "Origin").exists()
    assert (workspace / "compose.yaml").read_text() == "services: {}\n"


def test_an_entry_script_in_a_subtree(origin: Path, stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "missing", lambda *_: [])
    (origin / "tools").mkdir()
    (origin / "tools/train.py").write_text("if __name__ == '__main__':\n    loss.backward()\n")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "tools")
    workspace = stage.parent / "workspace"
    git(workspace, "init", "-q", "-b", "main")
    git(workspace, "config", "user.name", "n")
    git(workspace, "config", "user.email", "n@example.org")
    (workspace / "compose.yaml").write_text("services: {}\n")
    (workspace / ".gitignore").write_text("/.kobako/\n")
    git(workspace, "add", ".")
    git(workspace, "commit", "-qm", "one")
    before = git(workspace, "rev-parse", "HEAD")
    request = AddRequest(origin.as_uri(), "Origin", subtree=True, wishes=Wishes("python:3.11-slim"))
    with monkeypatch.context() as failing:
        failing.setattr(adding, "_folders", lambda *_: pytest.fail("on purpose"))
        with pytest.raises(pytest.fail.Exception, match="on purpose"):
            adding.add(Context(workspace, {}, Quiet()), request)
    assert git(workspace, "rev-parse", "HEAD") == before
    assert sorted(path.name for path in workspace.iterdir()) == [".git", ".gitignore", ".kobako", "compose.yaml"]
    result = adding.add(Context(workspace, {}, Quiet()), request)
    what = "Origin/tools/clearml_train.py is new and not committed: git add it, or it is not in the next clone"
    assert what in [one["what"] for one in result.data["questions"]]
    assert "?? Origin/tools/clearml_train.py" in git(workspace, "status", "--porcelain", "-uall")
