"""The walk over a repository: what belongs to it, what does not, and that it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kobako.scan import tree as module
from kobako.scan.tree import Tree


def make(root: Path, *names: str) -> Tree:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x", encoding="utf-8")
    return Tree(root)


def test_what_belongs_to_it(tmp_path: Path) -> None:
    made = make(
        tmp_path,
        *("b.py", "a/z.py", "a/b.txt", ".github/workflows/x.yml", ".travis.yml", "mmdet/.mim/tools/train.py"),
        *(".git/config", "a/__pycache__/z.pyc", "node_modules/x/y.py", "lib/python3.8/site-packages/t.py", ".tox/p.py"),
        *("myenv/pyvenv.cfg", "myenv/lib/x.py"),
    )
    assert made.files == (
        *(".github/workflows/x.yml", ".travis.yml", "a/b.txt", "a/z.py", "b.py", "mmdet/.mim/tools/train.py"),
    )
    assert made.is_whole
    assert made.names("a") == ["a/b.txt", "a/z.py"]
    assert made.names("a", ".py") == ["a/z.py"]
    assert made.names("", ".py") == ["b.py"]
    assert made.names("none") == []
    assert made.is_folder("a")
    assert made.is_folder(".github")
    assert not made.is_folder("b")
    assert not made.is_folder("b.py")


def test_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    make(outside, "secret.txt", "folder/x.py")
    root = tmp_path / "root"
    made = make(root, "real.txt", "sub/y.py")
    (root / "inside.txt").symlink_to("real.txt")
    (root / "sub/up.txt").symlink_to("../real.txt")
    (root / "out.txt").symlink_to("../outside/secret.txt")
    (root / "out").symlink_to("../outside/folder")
    (root / "again").symlink_to("sub")
    (root / "loop").symlink_to(".")
    (root / "self.txt").symlink_to("self.txt")
    assert made.files == ("inside.txt", "real.txt", "sub/up.txt", "sub/y.py")
    assert made.read("inside.txt") == "x"
    assert [made.read(name) for name in ("out.txt", "self.txt", "../outside/secret.txt", "out/x.py", "")] == [None] * 5
    assert not made.is_file("/etc/passwd")


def test_things_that_are_no_files(tmp_path: Path) -> None:
    made = make(tmp_path, "a.py")
    os.mkfifo(tmp_path / "requirements.txt")
    assert made.files == ("a.py",)
    assert made.read("requirements.txt") is None


def test_names_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    with open(os.fsencode(tmp_path) + b"/b\xff.py", "w", encoding="utf-8"):
        pass
    (tmp_path / "c\nd.py").write_text("")
    (tmp_path / "日本.py").write_text("")
    made = Tree(tmp_path)
    assert made.files == ("a.py", "日本.py")
    assert made.undecodable == 2


def test_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(tmp_path, *(f"deep/{number}.txt" for number in range(50)), "top.py", "a/b.py")
    monkeypatch.setattr(module, "MAX_ENTRIES", 20)
    assert "top.py" in made.files, "the top is looked at first"
    assert not made.is_whole
    assert len(made.files) <= 20


def test_too_deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DEPTH", 3)
    made = make(tmp_path, "1/2/c.py", "1/2/3/d.py")
    assert made.files == ("1/2/c.py",)
    assert not made.is_whole


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfnumpy\n", "numpy\n"),
        ("numpy\n".encode("utf-16"), "numpy\n"),
        (b"num\xffpy\n", "num\ufffdpy\n"),
        (b"", ""),
        (b"x" * 11, None),
    ],
)
def test_reading(data: bytes, text: str | None, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_bytes(data)
    most = 10 if text is None else 100
    assert Tree(tmp_path).read("r.txt", most=most) == text
