"""Trees of files: copied by links, separated, deleted."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from kobako.engines.local import tree

BIG = b"\x7fELF" + bytes(2 << 20)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    for path, content in {
        "lib/mod.py": b"a = 1\n",
        "lib/huge.py": b"#" * (2 << 20),
        "lib/ext.so": BIG,
        "lib/small.so": b"\x7fELF",
        "lib/conf.yaml": b"a: 1\n",
        "lib/x.pth": b"import x\n",
        "bin/tool": b"#!/bin/sh\n",
        "bin/program": BIG,
        "data.json": b"{}",
    }.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(content)
    (made / "bin/tool").chmod(0o755)
    (made / "lib/mod.py").chmod(0o640)
    (made / "empty").mkdir()
    (made / "link").symlink_to("lib/mod.py")
    (made / "folder").symlink_to("lib")
    (made / "dangling").symlink_to("/nowhere")
    os.utime(made / "lib/mod.py", ns=(10**18 + 1, 10**18 + 7))
    os.utime(made / "lib", ns=(10**18 + 1, 10**18 + 9))
    (made / "sealed").mkdir()
    (made / "sealed/x").touch()
    (made / "sealed").chmod(0o555)
    return made


def facts(root: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for place, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(place, name)
            state = path.lstat()
            held = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            time = None if path.is_symlink() else state.st_mtime_ns
            found[str(path.relative_to(root))] = (stat.S_IMODE(state.st_mode), stat.S_IFMT(state.st_mode), time, held)
    return found


def files(root: Path) -> dict[str, object]:
    return {name: found for name, found in facts(root).items() if not (root / name).is_dir()}


def no_sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on ext4, whatever the file system of this machine can do."""
    monkeypatch.setattr(tree, "_shared", lambda source, target: False)


@pytest.mark.parametrize("links", ["none", "most", "all"])
@pytest.mark.parametrize("sharing", [True, False])
def test_a_copy_is_alike(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: tree.Links, sharing: bool
) -> None:
    if not sharing:
        no_sharing(monkeypatch)
    tree.copy(source, tmp_path / "copy", links=links)
    assert facts(tmp_path / "copy") == facts(source)


@pytest.mark.parametrize("sharing", [True, False])
@pytest.mark.parametrize("name", ["lib/mod.py", "lib/huge.py", "lib/conf.yaml", "lib/x.pth", "bin/tool"])
def test_what_people_edit_in_place_is_apart(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sharing: bool
) -> None:
    if not sharing:
        no_sharing(monkeypatch)
    before = (source / name).read_bytes()
    tree.copy(source, tmp_path / "copy", links="most")
    with (tmp_path / "copy" / name).open("r+b") as file:
        file.write(b"# changed")
    assert (source / name).read_bytes() == before


@pytest.mark.parametrize("name", ["lib/ext.so", "lib/small.so", "bin/program", "data.json"])
def test_the_rest_is_linked(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    no_sharing(monkeypatch)
    tree.copy(source, tmp_path / "copy", links="most")
    assert os.path.samefile(source / name, tmp_path / "copy" / name)


def test_nothing_is_shared_without_links(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_sharing(monkeypatch)
    tree.copy(source, tmp_path / "copy", links="none")
    for path in source.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert not os.path.samefile(path, tmp_path / "copy" / path.relative_to(source))


def test_where_links_are_refused_there_is_a_copy(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    no_sharing(monkeypatch)
    monkeypatch.setattr(os, "link", refuse)
    tree.copy(source, tmp_path / "copy", links="most")
    assert facts(tmp_path / "copy") == facts(source)


def test_other_errors_are_not_hidden(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    no_sharing(monkeypatch)
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space left"):
        tree.copy(source, tmp_path / "copy", links="most")


def test_an_existing_target_is_not_mixed_with(source: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(FileExistsError):
        tree.copy(source, tmp_path / "copy", links="most")


def test_separate(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_sharing(monkeypatch)
    tree.copy(source, tmp_path / "copy", links="most")
    before = facts(source)
    tree.separate(tmp_path / "copy")
    assert files(tmp_path / "copy") == files(source)
    assert all(path.lstat().st_nlink == 1 for path in (tmp_path / "copy").rglob("*") if not path.is_dir())
    with (tmp_path / "copy/lib/ext.so").open("r+b") as file:
        file.write(b"x")
    assert facts(source) == before
    separate = facts(tmp_path / "copy")
    tree.separate(tmp_path / "copy")
    assert facts(tmp_path / "copy") == separate


def test_remove(source: Path, tmp_path: Path) -> None:
    trash = tmp_path / "trash"
    trash.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    (source / "away").symlink_to(outside)
    deep = source / "a/b/c"
    deep.mkdir(parents=True)
    (deep / "x").touch()
    for folder in (deep, deep.parent, deep.parent.parent):
        folder.chmod(0o555)
    tree.remove(source, trash)
    assert not source.exists()
    assert list(trash.iterdir()) == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o500


def test_remove_what_is_not_there(tmp_path: Path) -> None:
    trash = tmp_path / "trash"
    trash.mkdir()
    tree.remove(tmp_path / "none", trash)
    assert list(trash.iterdir()) == []


def test_what_a_killed_kobako_left_in_the_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trash = tmp_path / "trash"
    (trash / "old/x").mkdir(parents=True)
    (tmp_path / "new").mkdir()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            tree.remove(tmp_path / "new", trash)
    assert not (tmp_path / "new").exists()
    tree.empty(trash)
    assert list(trash.iterdir()) == []


@pytest.fixture
def apart(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy with nothing shared, on a file system that shares nothing by itself."""
    tree.copy(source, tmp_path / "apart", links="none")
    monkeypatch.setattr(tree, "_no_sharing", {source.stat().st_dev})
    return tmp_path / "apart"


def one(first: Path, second: Path, path: str) -> bool:
    return os.path.samefile(first / path, second / path)


def test_what_is_still_the_same_is_one_again(source: Path, apart: Path) -> None:
    assert not one(source, apart, "lib/ext.so")
    tree.share(apart, source)
    assert one(source, apart, "lib/ext.so")
    assert one(source, apart, "bin/program")
    assert not one(source, apart, "lib/mod.py")
    tree.separate(apart)
    assert not one(source, apart, "lib/ext.so")
    assert (apart / "lib/ext.so").read_bytes() == BIG


@pytest.mark.parametrize("what", ["content", "mode", "time", "size"])
def test_what_changed_is_not_shared(what: str, source: Path, apart: Path) -> None:
    path = apart / "lib/ext.so"
    found = path.stat()
    if what in {"content", "size"}:
        path.write_bytes((b"X" + BIG[1:]) if what == "content" else BIG + b"X")
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif what == "mode":
        path.chmod(0o600)
    else:
        os.utime(path, ns=(1, 1))
    told = path.read_bytes()
    tree.share(apart, source)
    assert not one(source, apart, "lib/ext.so")
    assert path.read_bytes() == told


def test_no_link_is_followed_while_sharing(source: Path, apart: Path, tmp_path: Path) -> None:
    """A folder of the older one that a stranger's code made a link: what lies behind it belongs to others."""
    (source / "lib").rename(tmp_path / "elsewhere")
    (source / "lib").symlink_to(tmp_path / "elsewhere")
    (source / "bin/program").rename(tmp_path / "program")
    (source / "bin/program").symlink_to(tmp_path / "program")
    tree.share(apart, source)
    assert (apart / "lib/ext.so").stat().st_nlink == 1
    assert (apart / "bin/program").stat().st_nlink == 1
