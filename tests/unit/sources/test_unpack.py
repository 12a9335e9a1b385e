"""Archives: what would leave the folder is refused before anything is written."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from kobako.errors import UsageError
from kobako.sources import unpack as module
from kobako.sources.unpack import unpack

KINDS = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "device": tarfile.CHRTYPE, "pipe": tarfile.FIFOTYPE}
Entry = tuple[str, str, str]


def make_tar(path: Path, entries: list[Entry], mode: str = "w:gz", *, when: int = 0) -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, kind, content in entries:
            info = tarfile.TarInfo(name)
            info.mtime = when
            if kind == "file":
                info.size, info.mode = len(content), 0o4755
                tar.addfile(info, io.BytesIO(content.encode()))
            else:
                info.type, info.linkname = KINDS[kind], content
                tar.addfile(info)
    return path


def make_zip(path: Path, entries: list[Entry]) -> Path:
    kinds = {"file": stat.S_IFREG | 0o755, "link": stat.S_IFLNK | 0o777, "pipe": stat.S_IFIFO | 0o644}
    with zipfile.ZipFile(path, "w") as archive:
        for name, kind, content in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = kinds[kind] << 16
            archive.writestr(info, content)
    return path


GOOD: list[Entry] = [
    ("x/run.sh", "file", "echo"),
    ("x/deep/data.txt", "file", "42"),
    ("x/link", "link", "deep/data.txt"),
    ("x/deep/up", "link", "../run.sh"),
]

BAD: list[tuple[str, list[Entry]]] = [
    ("climbs", [("x/../../up", "file", "")]),
    ("absolute", [("/tmp/up", "file", "")]),
    ("backslash", [("x\\..\\..\\up", "file", "")]),
    ("absolute link", [("x/l", "link", "/etc")]),
    ("link out", [("x/l", "link", "../../etc")]),
    ("link to a neighbour of the only folder", [("x/a", "file", ""), ("x/l", "link", "../secret")]),
    ("through a link", [("x/s", "link", "."), ("x/s/f", "file", "")]),
    ("out of another link", [("x/a/b/s", "link", "../.."), ("x/e", "link", "a/b/s/../y")]),
    ("a pipe", [("x/p", "pipe", "")]),
]


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def make(path: Path, entries: list[Entry]) -> Path:
    return make_zip(path, entries) if path.suffix == ".zip" else make_tar(path, entries)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_a_good_archive(name: str, tmp_path: Path, into: Path) -> None:
    top = unpack(make(tmp_path / name, GOOD), into)
    assert top == into / "x"
    assert (top / "link").read_text() == "42"
    assert (top / "deep/up").read_text() == "echo"
    mode = stat.S_IMODE((top / "run.sh").stat().st_mode)
    assert mode & 0o100
    assert not mode & stat.S_ISUID


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_every_compression(mode: str, tmp_path: Path, into: Path) -> None:
    archive = make_tar(tmp_path / "a.tar", [("a", "file", "1"), ("b", "file", "2")], mode)
    assert unpack(archive, into) == into
    assert (into / "b").read_text() == "2"


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
@pytest.mark.parametrize("entries", [entries for _, entries in BAD], ids=[why for why, _ in BAD])
def test_unsafe_archives_write_nothing(name: str, entries: list[Entry], tmp_path: Path, into: Path) -> None:
    archive = make(tmp_path / name, [("x/first", "file", ""), *entries])
    with pytest.raises(UsageError) as caught:
        unpack(archive, into)
    assert caught.value.code == "unsafe-archive"
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("entries", [[("x/c", "device", "")], [("x/h", "hard", "../h")]])
def test_what_only_tar_has(entries: list[Entry], tmp_path: Path, into: Path) -> None:
    with pytest.raises(UsageError) as caught:
        unpack(make_tar(tmp_path / "a.tar", entries, "w"), into)
    assert caught.value.code == "unsafe-archive"


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_a_bomb_is_bounded(name: str, tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(UsageError) as caught:
        unpack(make(tmp_path / name, [("a", "file", "x" * 600), ("b", "file", "x" * 600)]), into)
    assert caught.value.code == "unsafe-archive"
    assert list(into.iterdir()) == []


def test_too_many_members(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MEMBERS", 2)
    with pytest.raises(UsageError) as caught:
        unpack(make_tar(tmp_path / "a.tar.gz", [(str(n), "file", "") for n in range(3)]), into)
    assert caught.value.code == "unsafe-archive"


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken", b"\x1f\x8b\x08\x00cut"])
def test_damaged_archives(content: bytes, tmp_path: Path, into: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        unpack(archive, into)
    assert (caught.value.code, caught.value.what) == ("bad-source", "a.tar.gz is damaged or no archive")


def test_a_cut_archive(tmp_path: Path, into: Path) -> None:
    archive = make_tar(tmp_path / "a.tar.gz", [("a", "file", "".join(map(str, range(5000))))])
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(UsageError) as caught:
        unpack(archive, into)
    assert caught.value.code == "bad-source"
