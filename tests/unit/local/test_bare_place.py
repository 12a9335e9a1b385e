"""Without bubblewrap: variables, folders, mounts. And where things are kept."""

from __future__ import annotations

import fcntl
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.engines.local import bare
from kobako.engines.local.place import Place, _safe, read
from kobako.errors import EngineError, Where
from kobako.model.service import Mount, Service

ROOT = Path("/home/me/space")
LIVE = ROOT / ".kobako/local/live/a"


@pytest.mark.parametrize(
    ("value", "here"),
    [
        ("/workspace", "/home/me/space"),
        ("/workspace/a", "/home/me/space/a"),
        ("/workspace:/workspace/a:/b", "/home/me/space:/home/me/space/a:/b"),
        ("/b:/workspace", "/b:/home/me/space"),
        ("/workspaces/a", "/workspaces/a"),
        ("/a/workspace", "/a/workspace"),
        ("file:///workspace/a", "file:///workspace/a"),
        ("http://a/workspace", "http://a/workspace"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_variables_name_folders_of_this_machine(value: str, here: str) -> None:
    assert bare.variables({"A": value}, LIVE, ROOT)["A"] == here


def test_an_odd_name_of_the_workspace() -> None:
    assert bare.variables({"A": "/workspace/a"}, LIVE, Path(r"/a\1 b\g<0>"))["A"] == r"/a\1 b\g<0>/a"


def test_what_a_command_finds() -> None:
    found = bare.variables({"PATH": "/opt/x:/workspace/bin", "UV_SYSTEM_PYTHON": "1", "LD_PRELOAD": "/x"}, LIVE, ROOT)
    path = found["PATH"].split(":")
    assert path[0] == f"{LIVE}/env/bin"
    assert path.index("/usr/bin") < path.index("/opt/x") < path.index(f"{ROOT}/bin")
    assert found["VIRTUAL_ENV"] == f"{LIVE}/env"
    assert found["HOME"] == f"{LIVE}/root/root"
    assert not {"UV_SYSTEM_PYTHON", "LD_PRELOAD"} & found.keys()
    assert bare.variables({"HOME": "/x"}, LIVE, ROOT)["HOME"] == "/x"


@pytest.mark.parametrize(
    ("inside", "here"),
    [
        ("/", "/home/me/space"),
        ("/workspace", "/home/me/space"),
        ("/workspace/", "/home/me/space"),
        ("/workspace/a/../b", "/home/me/space/b"),
        ("/workspace/a", "/home/me/space/a"),
        ("/workspaces", "/workspaces"),
        ("/workspace/../x", "/x"),
        ("/app", "/app"),
    ],
)
def test_folder(inside: str, here: str) -> None:
    assert bare.folder(inside, ROOT) == here


def test_argv() -> None:
    words = bare.argv(("python3", "a b"), "-x")
    assert words[:2] == ["/bin/sh", "-c"]
    assert words[-3:] == ["-x", "python3", "a b"]
    assert "cd -- " in words[2]


def service(*mounts: Mount) -> Service:
    return Service("a", container_name="repo", mounts=mounts)


def test_mounts_that_relative_paths_find(tmp_path: Path) -> None:
    for name in ("a", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("data")
    (tmp_path / "far").symlink_to("/")
    bare.check_mounts(
        service(
            Mount("bind", f"{tmp_path}/a", "/workspace/a"),
            Mount("bind", f"{tmp_path}/a/", "/workspace/a/"),
            Mount("bind", f"{tmp_path}/data", "/workspace/link"),
            Mount("bind", "/", "/workspace/far"),
            Mount("bind", str(tmp_path), "/workspace"),
        ),
        tmp_path,
    )
    bare.check_mounts(service(), tmp_path)


@pytest.mark.parametrize(
    ("kind", "source", "target"),
    [
        ("bind", "{root}/a", "/data"),
        ("bind", "{root}/a", "/workspace/b"),
        ("bind", "{root}/a", "/workspaces/a"),
        ("bind", "/elsewhere", "/workspace/a"),
        ("bind", "{root}/a", "/workspace/../data"),
        ("volume", "a", "/workspace/a"),
        ("volume", None, "/workspace/a"),
        ("tmpfs", None, "/workspace/a"),
    ],
)
def test_mounts_that_need_bubblewrap(tmp_path: Path, kind: str, source: str | None, target: str) -> None:
    source = source and source.format(root=tmp_path)
    where = Where("docker-compose.yaml", 9)
    with pytest.raises(EngineError) as caught:
        bare.check_mounts(service(Mount(kind, source, target, where=where)), tmp_path)
    error = caught.value
    assert (error.code, error.where, error.exit_code) == ("needs-sandbox", where, 4)
    assert error.what == f"repo mounts {source or 'a volume'} at {target}: that needs bubblewrap"


NAMES = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(".%/2e09é"), max_size=8)


@given(NAMES, NAMES)
def test_no_two_services_share_a_file(one: str, two: str) -> None:
    assert (_safe(one) == _safe(two)) == (one == two)


@given(NAMES | st.sampled_from(["", ".", "..", "...", "/", "a/b", "../x"]))
def test_names_of_files_are_harmless(name: str) -> None:
    found = _safe(name)
    assert re.fullmatch(r"[A-Za-z0-9_%-][A-Za-z0-9_.%-]*", found)


@pytest.mark.parametrize("name", ["mmdetection", "a_b-c.d", "A1", "a.b"])
def test_usual_names_stay_as_they_are(name: str) -> None:
    assert _safe(name) == name


def test_a_name_with_an_undecodable_byte() -> None:
    """The compose file is read with such bytes kept."""
    assert _safe("a\udcff") != _safe("a")


def test_what_is_written_is_whole(tmp_path: Path) -> None:
    place = Place(tmp_path / ".kobako")
    path = place.built("a")
    assert read(path) is None
    place.write(path, {"b": [1, "é"], "a": None})
    assert read(path) == json.loads(path.read_text(encoding="utf-8")) == {"a": None, "b": [1, "é"]}
    assert os.listdir(path.parent) == ["a.json"]
    path.write_bytes(b'{"a"')
    assert read(path) is None


def test_everything_is_below_the_state(tmp_path: Path) -> None:
    place = Place(tmp_path / ".kobako")
    found = [place.images(), place.image("k"), place.built("../a"), place.live("../../a"), place.volume("/etc")]
    found += [place.cache("a", "b"), place.trash(), place.log("/"), place.state_file("..")]
    top = tmp_path / ".kobako/local"
    assert all(top in Path(os.path.normpath(path)).parents for path in found)


def _locked(file: Path) -> bool:
    with file.open("w") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_one_at_a_time(tmp_path: Path) -> None:
    place = Place(tmp_path / ".kobako")
    with place.alone("build"):
        (lock,) = (place.top / "locks").iterdir()
        assert _locked(lock)
        with place.alone("other"):
            assert len(list((place.top / "locks").iterdir())) == 2
    assert not _locked(lock)
    with pytest.raises(ValueError, match="x"), place.alone("build"):
        raise ValueError("x")
    assert not _locked(lock)
