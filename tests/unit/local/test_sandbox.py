"""bubblewrap's command line: what is seen inside, and what is not. Nothing is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako.engines.local import paths, sandbox
from kobako.engines.local.paths import Bind
from kobako.engines.local.sandbox import ENV_INSIDE, How, View
from kobako.engines.local.stage import variables
from kobako.errors import EngineError, Where
from kobako.model.service import Mount
from unit.local.recorded_uv import TOOLS

_WITH = {"--bind": 2, "--ro-bind": 2, "--ro-bind-try": 2, "--dev-bind": 2, "--setenv": 2, "--tmpfs": 1, "--dev": 1}
_WITH |= {"--proc": 1, "--uid": 1, "--gid": 1, "--hostname": 1, "--cap-add": 1, "--cap-drop": 1}

Options = list[tuple[str, ...]]


@pytest.fixture
def space(tmp_path: Path) -> Path:
    live = tmp_path / "space/.kobako/local/live/a"
    for name in ("root", "env", "local"):
        (live / name).mkdir(parents=True)
    return tmp_path / "space"


def view(space: Path, **changed: object) -> View:
    live = space / ".kobako/local/live/a"
    return View(live / "root", live / "env", live / "local")._replace(**changed)  # type: ignore[arg-type]


def options(view: View, how: How) -> tuple[list[str], Options]:
    """The words of the command line, and the options that bubblewrap reads from its file."""
    with sandbox.command(TOOLS, view, ["echo", "a b"], how) as (argv, keep):
        assert argv[1:3] == ["--args", str(keep[0])]
        parts = os.read(keep[0], 1 << 20).split(b"\0")
    assert parts.pop() == b""
    words = iter(part.decode() for part in parts)
    found = [(word, *(next(words) for _ in range(_WITH.get(word, 0)))) for word in words]
    assert [one for one in found if not one[0].startswith("--")] == []
    return argv, found


def binds(view: View, environment: Mapping[str, str] | None = None) -> Options:
    """What is mounted, in order."""
    _, found = options(view, How(environment or {}))
    return [one for one in found if one[0].removeprefix("--") in {*_KINDS}]


_KINDS = ("bind", "ro-bind", "ro-bind-try", "dev-bind", "tmpfs", "dev", "proc")


def test_the_root_comes_first_and_mounts_last(space: Path) -> None:
    mounts = (Mount("bind", "/srv/a", "/workspace/a"), Mount("bind", "/srv/b", "/data", read_only=True))
    found = binds(view(space, mounts=mounts))
    live = space / ".kobako/local/live/a"
    assert found[0] == ("--bind", f"{live}/root", "/")
    assert found[-3] == ("--bind", f"{live}/env", ENV_INSIDE)
    assert found[-2:] == [("--ro-bind", "/srv/b", "/data"), ("--bind", "/srv/a", "/workspace/a")]
    targets = [one[-1] for one in found]
    assert targets.index("/usr") < targets.index("/usr/local") < targets.index("/proc") < targets.index(ENV_INSIDE)


def test_the_system_is_read_only(space: Path) -> None:
    written = {one[-1] for one in binds(view(space)) if one[0] == "--bind"}
    assert written == {"/", "/usr/local", ENV_INSIDE}
    assert ("--ro-bind", "/usr", "/usr") in binds(view(space))


def test_a_frozen_environment(space: Path) -> None:
    assert ("--ro-bind", f"{space}/.kobako/local/live/a/env", ENV_INSIDE) in binds(view(space, frozen=True))


def test_nothing_else_of_this_machine(space: Path) -> None:
    """Neither the home directory nor the workspace, nor a folder above them."""
    live = space / ".kobako/local/live/a"
    own = {str(live / name) for name in ("root", "env", "local")}
    sources = {one[1] for one in binds(view(space)) if len(one) == 3} - own
    for secret in (space, Path.home(), Path("/etc/shadow"), Path("/var/run/docker.sock")):
        assert not {str(secret), *map(str, secret.parents)} & sources
    assert not any(source.startswith((str(space), f"{Path.home()}/")) for source in sources)


def test_an_interpreter_of_its_own(space: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "pythons/3.8.18"
    prefix.mkdir(parents=True)
    found = binds(view(space, read_only=(str(prefix), "/usr", str(prefix), "/usr/lib/x", f"{tmp_path}/none")))
    assert [one for one in found if one[1].startswith(str(tmp_path / "pythons"))] == [
        ("--ro-bind", str(prefix), str(prefix))
    ]
    assert [one[-1] for one in found].count("/usr") == 1
    assert not any("none" in one[-1] for one in found)


def test_an_interpreter_in_usr_local(space: Path) -> None:
    found = binds(view(space, read_only=("/usr/local",)))
    assert "/usr/local" not in [one[-1] for one in found]
    found = binds(view(space, read_only=("/usr/local-python",)))
    assert "/usr/local" in [one[-1] for one in found]


def test_mounts_go_from_the_outside_in(space: Path) -> None:
    targets = ["/workspace/a/b", "/workspace/a", "/workspace/", "/data"]
    mounts = tuple(Mount("bind", "/srv", target) for target in targets)
    found = [os.path.normpath(one[-1]) for one in binds(view(space, mounts=mounts)) if one[1] == "/srv"]
    assert set(found) == {"/workspace", "/data", "/workspace/a", "/workspace/a/b"}
    assert found.index("/workspace") < found.index("/workspace/a") < found.index("/workspace/a/b")


def test_kinds_of_mounts(space: Path) -> None:
    mounts = (Mount("tmpfs", None, "/t"), Mount("volume", "/v", "/v"), Mount("bind", "/srv", "/r", read_only=True))
    found = binds(view(space, mounts=mounts))[-3:]
    assert found == [("--tmpfs", "/t"), ("--bind", "/v", "/v"), ("--ro-bind", "/srv", "/r")]
    where = Where("docker-compose.yaml", 4)
    with pytest.raises(EngineError) as caught:
        binds(view(space, mounts=(Mount("volume", None, "/v", where=where),)))
    assert caught.value.where == where


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("network", [True, False])
def test_namespaces(space: Path, stays: bool, network: bool) -> None:
    argv, found = options(view(space), How({}, network, stays))
    names = [one[0] for one in found]
    assert {"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"} <= set(names)
    assert ("--unshare-net" in names) is not network
    assert ("--die-with-parent" in names) is not stays
    assert stays or "--new-session" in names
    assert argv[0] == TOOLS.bwrap
    assert argv[-2:] == ["echo", "a b"]
    assert argv[3:6] == ["--chdir", "/", "--"]
    if stays:
        assert argv[6:11] == [TOOLS.unshare, "--user", "--map-root-user", "--mount", "--"]
        assert argv[-2 - len(_DROPPED) : -2] == _DROPPED
    else:
        assert argv[6:-2] == []


_DROPPED = [TOOLS.setpriv, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]


def test_secrets_are_in_no_list_of_processes(space: Path) -> None:
    argv, found = options(view(space), How({"TOKEN": "secret", "A": "--bind / /"}))
    assert "secret" not in " ".join(argv)
    assert str(space) not in " ".join(argv)
    assert ("--setenv", "TOKEN", "secret") in found
    assert ("--setenv", "A", "--bind / /") in found
    assert not {"LD_PRELOAD", "HOME"} & sandbox.CLEAN.keys()


def test_a_hostname_is_not_too_long(space: Path) -> None:
    _, found = options(view(space, name="a" * 100), How({}))
    assert ("--hostname", "a" * 60) in found


def test_links_that_were_left_in_the_root(space: Path, tmp_path: Path) -> None:
    """bubblewrap would make the places of mounts itself, and follow links out of the root for that."""
    root = space / ".kobako/local/live/a/root"
    (root / "data").symlink_to(tmp_path / "victim")
    (root / "workspace").symlink_to("../../../../../../..")
    (root / "opt").mkdir()
    (root / "opt/kobako").symlink_to("/etc")
    (root / "etc").mkdir()
    (tmp_path / "victim").mkdir()
    mounts = (Mount("bind", "/srv", "/data/x"), Mount("bind", "/srv", "/workspace/y"))
    found = binds(view(space, mounts=mounts))
    assert list((tmp_path / "victim").iterdir()) == []
    assert not (tmp_path / "y").exists()
    assert not Path("/etc/env").exists()
    for *_, target in found[1:]:
        at = root
        for part in target.strip("/").split("/"):
            at /= part
            assert not at.is_symlink()


def test_a_circle_of_links(space: Path) -> None:
    root = space / ".kobako/local/live/a/root"
    (root / "data").symlink_to("data")
    with pytest.raises(Exception, match="too many links"):
        binds(view(space, mounts=(Mount("bind", "/srv", "/data/x"),)))


def test_places_are_made_as_what_is_seen_there(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    file = tmp_path / "file"
    file.touch()
    binds = [Bind(str(file), "/a/b"), Bind(str(tmp_path), "/c/d", "bind"), Bind("", "/e", "tmpfs")]
    assert paths.options(root, binds) == [
        *("--ro-bind", str(file), "/a/b"),
        *("--bind", str(tmp_path), "/c/d"),
        *("--tmpfs", "/e"),
    ]
    assert (root / "a/b").is_file()
    assert (root / "c/d").is_dir()
    assert (root / "e").is_dir()


@pytest.mark.parametrize("user", [None, (0, 0), (1000, 100)])
def test_entering(user: tuple[int, int] | None) -> None:
    words = sandbox.enter(TOOLS, 41, 42, user)
    assert words[0] == TOOLS.nsenter
    assert "--target=41" in words
    assert "--target=42" in words
    assert words[-len(_DROPPED) :] == _DROPPED
    assert ("--map-user=1000" in words) is (user == (1000, 100))


def test_variables_inside() -> None:
    found = variables({"PATH": "/opt/x:/usr/bin", "A": "1", "UV_SYSTEM_PYTHON": "1", "UV_LINK_MODE": "copy"})
    assert found == {
        "A": "1",
        "HOME": "/root",
        "PATH": "/opt/kobako/env/bin:/opt/kobako/bin:/opt/x:/usr/bin",
        "VIRTUAL_ENV": "/opt/kobako/env",
    }
    assert variables({"HOME": "/x"})["HOME"] == "/x"
    assert "/usr/bin" in variables({})["PATH"].split(":")
