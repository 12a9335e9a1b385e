"""Files are read and written whole, byte for byte."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobako.errors import UsageError
from kobako.workspace import Workspace, make_state, read_text, write_text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a\n",
        b"a\r\nb\rc\n",
        b"\xef\xbb\xbfa: b",
        b"no last newline",
        b"\xff\xfe\x80",
        "機械\n".encode(),
        b"\x00\x1a",
    ],
)
def test_every_byte_survives(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    write_text(path, read_text(path))
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


@settings(deadline=None, max_examples=30)  # each example waits for the disk
@given(content=st.binary(max_size=200))
def test_any_bytes_survive(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        path.write_bytes(content)
        write_text(path, read_text(path))
        assert path.read_bytes() == content


def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    write_text(path, "new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "x", "new")
    finally:
        assert os.umask(before) == 0o027
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "compose.yaml"
    target.write_text("old", encoding="utf-8")
    link = tmp_path / "compose.yaml"
    link.symlink_to("real/compose.yaml")
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EIO, "unreadable")]
)
@pytest.mark.parametrize("call", ["os.fsync", "os.replace", "tempfile.mkstemp"])
def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, code: str
) -> None:
    path = tmp_path / "x"
    path.write_text("old", encoding="utf-8")

    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(call, fails)
        with pytest.raises(UsageError, match=r"^cannot use docker/x$") as caught:
            write_text(path, "new", "docker/x")
    assert (caught.value.code, caught.value.why) == (code, os.strerror(number))
    assert str(caught.value.where) == "docker/x"
    assert path.read_text(encoding="utf-8") == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_text(tmp_path / "x", "x")
    assert (caught.value.code, caught.value.what, caught.value.why) == (
        "unreadable",
        "cannot use x",
        "No such file or directory",
    )
    with pytest.raises(UsageError) as caught:
        read_text(tmp_path)
    assert caught.value.what == f"cannot use {tmp_path}"


def test_the_state_hides_itself_from_git(tmp_path: Path) -> None:
    folder = Workspace(tmp_path).state_folder("logs", "old")
    assert folder == tmp_path / ".kobako" / "logs" / "old"
    assert folder.is_dir()
    assert (tmp_path / ".kobako" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    (tmp_path / ".kobako" / ".gitignore").write_text("mine\n", encoding="utf-8")
    make_state(tmp_path / ".kobako")
    assert (tmp_path / ".kobako" / ".gitignore").read_text(encoding="utf-8") == "mine\n"


def test_a_state_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / ".kobako").write_text("a file", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        Workspace(tmp_path).state_folder("logs")
    assert (caught.value.code, caught.value.what) == ("unreadable", "cannot use .kobako/logs")


def test_paths_are_shown_from_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.relative(tmp_path / "docker" / "X") == "docker/X"
    assert workspace.relative(str(tmp_path / "a")) == "a"
    assert workspace.relative("/elsewhere/a") == "/elsewhere/a"
    assert workspace.relative(workspace.dockerfile("X")) == "docker/X"
    assert workspace.relative(workspace.repository("X")) == "X"
