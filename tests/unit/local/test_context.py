"""COPY from the build context, as BuildKit does it: https://docs.docker.com/reference/dockerfile/#copy."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.engines.local.context import Context
from kobako.engines.local.paths import within
from kobako.errors import BuildError, Where

HERE = Where("Dockerfile", 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "context"
    for path in ("a.txt", "b.txt", "c.md", "src/x.py", "src/deep/y.py", "docs/z.md"):
        file = made / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{path}\n", encoding="utf-8")
    (made / "empty").mkdir()
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "there").mkdir(parents=True)
    return made


def context(folder: Path) -> Context:
    return Context(folder, folder / "Dockerfile")


def tree(root: Path) -> list[str]:
    """The files, and the folders in which there is nothing."""
    found = []
    for place, folders, names in os.walk(root):
        inside = os.path.relpath(place, root)
        found += [os.path.normpath(f"{inside}/{name}") for name in names]
        found += [] if folders or names or inside == "." else [f"{inside}/"]
    return sorted(found)


@pytest.mark.parametrize(
    ("sources", "target", "made"),
    [
        (["a.txt"], "/x", ["there/", "x"]),
        (["a.txt"], "/x/", ["there/", "x/a.txt"]),
        (["./a.txt"], "/x/y", ["there/", "x/y"]),
        (["/a.txt"], "/x", ["there/", "x"]),
        (["src/../a.txt"], "/x", ["there/", "x"]),
        (["a.txt"], "/", ["a.txt", "there/"]),
        (["a.txt"], "/there", ["there/a.txt"]),
        (["a.txt"], "/there/", ["there/a.txt"]),
        (["a.txt"], "/there/b", ["there/b"]),
        (["a.txt", "c.md"], "/x/", ["there/", "x/a.txt", "x/c.md"]),
        (["src"], "/x", ["there/", "x/deep/y.py", "x/x.py"]),
        (["src"], "/x/", ["there/", "x/deep/y.py", "x/x.py"]),
        (["src/"], "/there", ["there/deep/y.py", "there/x.py"]),
        (["src/."], "/there", ["there/deep/y.py", "there/x.py"]),
        (["src", "docs"], "/x/", ["there/", "x/deep/y.py", "x/x.py", "x/z.md"]),
        (["src", "a.txt"], "/x/", ["there/", "x/a.txt", "x/deep/y.py", "x/x.py"]),
        (["*.txt"], "/x/", ["there/", "x/a.txt", "x/b.txt"]),
        (["?.md"], "/x/", ["there/", "x/c.md"]),
        (["[ab].txt"], "/x/", ["there/", "x/a.txt", "x/b.txt"]),
        (["*/*.py"], "/x/", ["there/", "x/x.py"]),
        (["s*"], "/x/", ["there/", "x/deep/y.py", "x/x.py"]),
        (["a.txt", "poetry.loc[k]"], "/x/", ["there/", "x/a.txt"]),
        (["*.none"], "/x/", ["there/"]),
        (["empty"], "/x", ["there/", "x/"]),
        (["../a.txt"], "/x", ["there/", "x"]),
        (["../../src/x.py"], "/x", ["there/", "x"]),
    ],
)
def test_where_things_come_to(folder: Path, root: Path, sources: list[str], target: str, made: list[str]) -> None:
    context(folder).copy(sources, target, root, HERE)
    assert tree(root) == made


def test_all_of_it(folder: Path, root: Path) -> None:
    (folder / ".kobako/local").mkdir(parents=True)
    (folder / ".kobako/local/x").touch()
    context(folder).copy(["."], "/app", root, HERE)
    assert tree(root / "app") == ["a.txt", "b.txt", "c.md", "docs/z.md", "empty/", "src/deep/y.py", "src/x.py"]
    assert (root / "app/src/x.py").read_text(encoding="utf-8") == "src/x.py\n"


def test_ignored_files_stay_away(folder: Path, root: Path) -> None:
    (folder / ".dockerignore").write_text("docs\n**/*.py\n!src/deep\n*.txt\n.dockerignore\n", encoding="utf-8")
    context(folder).copy(["."], "/", root, HERE)
    assert [one for one in tree(root) if not one.endswith("/")] == ["c.md", "src/deep/y.py"]


def test_what_is_there_is_replaced(folder: Path, root: Path) -> None:
    (root / "there/a.txt").write_text("old", encoding="utf-8")
    (root / "there/kept").touch()
    context(folder).copy(["a.txt"], "/there/", root, HERE)
    assert (root / "there/a.txt").read_text(encoding="utf-8") == "a.txt\n"
    assert tree(root) == ["there/a.txt", "there/kept"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("none", "it is not in context/"),
        ("src/none", "it is not in context/"),
        ("hidden", ".dockerignore leaves it out"),
        ("a.txt/x", "it is not in context/"),
    ],
)
def test_what_is_missing(folder: Path, root: Path, source: str, why: str) -> None:
    (folder / "hidden").touch()
    (folder / ".dockerignore").write_text("hidden", encoding="utf-8")
    for action in (lambda: context(folder).copy([source], "/x", root, HERE), lambda: digest(folder, source)):
        with pytest.raises(BuildError) as caught:
            action()
        error = caught.value
        assert (error.what, error.why, error.where) == (f"there is nothing to copy: {source}", why, HERE)


def test_modes_and_links_within_a_folder_are_kept(folder: Path, root: Path) -> None:
    (folder / "src/x.py").chmod(0o750)
    (folder / "src/link").symlink_to("x.py")
    (folder / "src/dangling").symlink_to("/nowhere")
    context(folder).copy(["src"], "/x", root, HERE)
    assert (root / "x/x.py").stat().st_mode & 0o777 == 0o750
    assert os.readlink(root / "x/link") == "x.py"
    assert os.readlink(root / "x/dangling") == "/nowhere"


def test_a_source_that_is_a_link_is_followed(folder: Path, root: Path) -> None:
    (folder / "file").symlink_to("a.txt")
    (folder / "dir").symlink_to("src")
    context(folder).copy(["file"], "/x", root, HERE)
    assert not (root / "x").is_symlink()
    assert (root / "x").read_text(encoding="utf-8") == "a.txt\n"
    context(folder).copy(["dir"], "/y", root, HERE)
    assert tree(root / "y") == ["deep/y.py", "x.py"]


@pytest.mark.parametrize("link", ["{outside}", "../outside", "../../../../../../../../../../{outside}"])
def test_no_link_leads_out_of_the_context(folder: Path, root: Path, link: str) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret", encoding="utf-8")
    (folder / "link").symlink_to(link.format(outside=outside))
    for source in ("link/secret", "link", "lin*", "link/secre*"):
        try:
            context(folder).copy([source], "/x/", root, HERE)
        except BuildError as error:
            assert error.code == "build-failed"
    assert not any(path.read_bytes() == b"secret" for path in root.rglob("*") if path.is_file())


def test_no_link_leads_out_of_the_root(folder: Path, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "link").symlink_to(outside)
    (root / "up").symlink_to("../outside")
    (root / "file").symlink_to(outside / "a.txt")
    for target in ("/link/", "/up/x", "/file", "/link/../../outside/x", "/../outside/y"):
        context(folder).copy(["a.txt"], target, root, HERE)
    assert tree(outside) == []


def test_what_is_neither_file_nor_folder(folder: Path, root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(folder)
        try:
            one.bind("s")
        finally:
            os.chdir(here)
    os.mkfifo(folder / "fifo")
    assert digest(folder, ".")
    context(folder).copy(["."], "/x", root, HERE)
    assert (root / "x/a.txt").exists()


def digest(folder: Path, *sources: str) -> str:
    return context(folder).digest(sources or ["."], HERE)


def test_the_digest_is_stable(folder: Path) -> None:
    before = digest(folder)
    os.utime(folder / "a.txt", (1, 1))
    assert digest(folder) == before
    assert digest(folder, "src") == digest(folder, "./src/")
    (folder / ".kobako").mkdir()
    (folder / ".kobako/log").touch()
    assert digest(folder) == before


def test_what_changes_the_digest(folder: Path) -> None:
    seen = [digest(folder)]
    (folder / "a.txt").write_text("other", encoding="utf-8")
    seen.append(digest(folder))
    (folder / "a.txt").chmod(0o755)
    seen.append(digest(folder))
    (folder / "a.txt").rename(folder / "d.txt")
    seen.append(digest(folder))
    (folder / "link").symlink_to("d.txt")
    seen.append(digest(folder))
    (folder / "link").unlink()
    (folder / "link").symlink_to("c.md")
    seen.append(digest(folder))
    (folder / "new").mkdir()
    seen.append(digest(folder))
    (folder / ".dockerignore").write_text("docs", encoding="utf-8")
    seen.append(digest(folder))
    assert len(set(seen)) == len(seen)


def test_what_is_ignored_or_not_copied_does_not_change_it(folder: Path) -> None:
    (folder / ".dockerignore").write_text("docs", encoding="utf-8")
    before, part = digest(folder), digest(folder, "src")
    (folder / "docs/new").touch()
    assert digest(folder) == before
    (folder / "a.txt").unlink()
    assert digest(folder, "src") == part


PIECES = st.lists(st.sampled_from(["a", "b", "..", ".", "", "loop", "up", "abs", "ok"]), max_size=8)


@given(PIECES)
def test_within_never_leaves_the_root(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "a/b").mkdir(parents=True)
    (root / "up").symlink_to("../../..")
    (root / "a/up").symlink_to("../../../etc")
    (root / "abs").symlink_to("/etc")
    (root / "a/ok").symlink_to("b")
    (root / "loop").symlink_to("loop")
    try:
        found = within(root, "/".join(pieces))
    except BuildError as error:
        assert "loop" in pieces
        assert "links" in error.what
        return
    assert found == root or root in found.parents
    assert not any(part.is_symlink() for part in (found, *found.parents) if root in part.parents)


def test_within() -> None:
    root = Path("/nowhere/root")
    assert within(root, "/a/../b") == root / "b"
    assert within(root, "../../a") == root / "a"
    assert within(root, "/") == root
