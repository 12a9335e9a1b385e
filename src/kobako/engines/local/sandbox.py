"""bubblewrap: a root of the service's own, the system read-only in it, and nothing else of this machine.

The root is a folder, so what a command writes anywhere outside of ``/usr`` and its like is kept with the environment.
The home directory, other services and the rest of the workspace are simply not there. Inside, everything belongs to
root, which is the caller outside.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kobako import process
from kobako.engines.local import shims
from kobako.errors import EngineError
from kobako.model.service import Mount

ENV_INSIDE = "/opt/kobako/env"
"""Where the virtual environment is seen inside."""

UV_INSIDE = "/opt/kobako/uv"
"""This machine's uv, while it is at work inside."""

CACHE_INSIDE = "/opt/kobako/cache"

SHIMS_INSIDE = "/opt/kobako/bin"
"""What stands in for programs of a container that cannot do their work here: apt-get."""

_SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu")
"""Top-level folders with programs and libraries (nix, gnu: those of NixOS and Guix)."""

_TOOLKITS = "/usr/local/cuda*"
"""What stays visible of /usr/local, which is the environment's own otherwise."""

_ETC = (
    *("alternatives", "bash.bashrc", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version"),
    *("fonts", "glvnd", "inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "lsb-release", "mime.types"),
    *("nsswitch.conf", "OpenCL", "os-release", "pki", "profile", "protocols", "rpc", "services", "ssl", "terminfo"),
    *("vulkan", "xattr.conf", "localtime", "timezone"),
)
"""What programs need of /etc, and nobody needs to hide. ``pip.conf``, ``shadow``, keys and the like are not in it."""

_TOP = (*("root", "home", "opt/kobako", "srv", "mnt", "media", "run"), *("var/lib", "var/cache", "var/log"))
_LIVE = ("resolv.conf", "hosts")
_PRIVATE = frozenset({"private", "key", "keys"})
"""Folders below those, such as /etc/ssl/private."""

_USERS = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
_GROUP = "root:x:0:\nnogroup:x:65534:\n"
_DEVICES = ("/dev/nvidia*", "/dev/dri", "/dev/kfd", "/dev/infiniband")


class Tools(NamedTuple):
    """The programs that make and enter a sandbox."""

    bwrap: str
    nsenter: str
    setpriv: str
    unshare: str


class View(NamedTuple):
    """What a sandbox sees: its root, its environment, its /usr/local, folders of this machine, the service's mounts.

    With ``frozen`` the environment cannot be written.
    """

    root: Path
    env: Path
    local: Path
    read_only: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    name: str = "kobako"
    frozen: bool = False
    uv: str = ""
    cache: str = ""


def find() -> tuple[Tools | None, str]:
    """The programs; None, and why, where bubblewrap is missing or may not do its work here."""
    tools = programs()
    if tools is None:
        missing = [name for name in Tools._fields if process.which(name) is None]
        return None, f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    outcome = process.ask(
        [tools.bwrap, *_NAMESPACES, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]
    )
    return (tools, "") if outcome.ok else (None, f"bubblewrap may not work here: {outcome.last_lines(1)}")


def programs() -> Tools | None:
    """The programs, without asking whether they work."""
    found = {name: process.which(name) for name in Tools._fields}
    return Tools(**{name: path or "" for name, path in found.items()}) if all(found.values()) else None


_NAMESPACES = ("--unshare-user", "--uid", "0", "--gid", "0", "--unshare-pid", "--unshare-ipc", "--unshare-uts")


def make_root(root: Path) -> None:
    """Fill a new root with what a system has at the top, and with the harmless part of /etc."""
    for name in (
        "root",
        "home",
        "opt",
        "srv",
        "mnt",
        "media",
        "run",
        "var/tmp",
        "var/lib",
        "var/cache",
        "var/log",
        "tmp",
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    for name in _SYSTEM:
        if os.path.islink(f"/{name}"):
            (root / name).symlink_to(os.readlink(f"/{name}"))
    etc = root / "etc"
    etc.mkdir()
    for name in _ETC:
        _copied(Path("/etc") / name, etc / name)
    (etc / "passwd").write_text(_USERS, encoding="ascii")
    (etc / "group").write_text(_GROUP, encoding="ascii")
    for name in _LIVE:
        (etc / name).touch()
    shims.write(root / SHIMS_INSIDE.lstrip("/"))


def _copied(source: Path, target: Path) -> None:
    try:
        if source.is_symlink() and not source.is_dir():
            target.symlink_to(os.readlink(source))
        elif source.is_dir():
            shutil.copytree(source, target, symlinks=True, ignore=_hidden, ignore_dangling_symlinks=True)
        elif source.is_file():
            shutil.copyfile(source, target)
    except (OSError, shutil.Error):  # what this user may not read, nobody inside will miss
        return


def _hidden(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in _PRIVATE or not os.access(f"{folder}/{name}", os.R_OK)}


def argv(
    tools: Tools, view: View, command: Sequence[str], *, network: bool = True, detached: bool = False
) -> list[str]:
    """The command line that runs a command in a new sandbox. Without ``detached`` it ends when Kobako does."""
    options = [*_NAMESPACES, "--hostname", view.name[:60]]
    options += [] if network else ["--unshare-net"]
    options += [] if detached else ["--die-with-parent"]
    options += [
        "--bind",
        str(view.root),
        "/",
        *_system(),
        *_own_local(view),
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--ro-bind-try",
        "/sys",
        "/sys",
    ]
    for name in _LIVE:
        real = os.path.realpath(f"/etc/{name}")
        options += ["--ro-bind", real, f"/etc/{name}"] if os.path.isfile(real) else []
    for path in sorted({one for pattern in _DEVICES for one in glob.glob(pattern)}):
        options += ["--dev-bind", path, path]
    for path in _apart(view.read_only):
        options += ["--ro-bind", path, path]
    if view.uv:
        options += ["--ro-bind", view.uv, UV_INSIDE]
    if view.cache:
        options += ["--bind", view.cache, CACHE_INSIDE]
    options += ["--ro-bind" if view.frozen else "--bind", str(view.env), ENV_INSIDE]
    for mount in sorted(view.mounts, key=lambda one: one.target.count("/")):
        options += _mount(mount)
    return [tools.bwrap, *options, "--chdir", "/", "--", *command]


def _system() -> Iterator[str]:
    for name in _SYSTEM:
        if os.path.isdir(f"/{name}") and not os.path.islink(f"/{name}"):
            yield from ("--ro-bind", f"/{name}", f"/{name}")


def _own_local(view: View) -> Iterator[str]:
    """A /usr/local of its own, where the interpreter does not live in the machine's. CUDA stays in sight."""
    if any(path.startswith("/usr/local") for path in view.read_only):
        return
    yield from ("--bind", str(view.local), "/usr/local")
    for path in sorted(glob.glob(_TOOLKITS)):
        yield from ("--ro-bind", path, path)


def _apart(paths: Iterable[str]) -> Iterator[str]:
    """Folders that the system's do not hold already."""
    for path in dict.fromkeys(paths):
        if path.split("/")[1] not in _SYSTEM and os.path.exists(path):
            yield path


def _mount(mount: Mount) -> tuple[str, ...]:
    if mount.kind == "tmpfs":
        return ("--tmpfs", mount.target)
    if mount.source is None:
        raise EngineError("engine-failed", f"the volume at {mount.target} has no place", where=mount.where)
    return ("--ro-bind" if mount.read_only else "--bind", mount.source, mount.target)


def enter(tools: Tools, pid: int, user: tuple[int, int] | None) -> list[str]:
    """What goes in front of a command to run it in the sandbox of a process, without any privilege over it."""
    join = [tools.nsenter, f"--target={pid}", "--user", "--mount", "--pid", "--ipc", "--uts", "--preserve-credentials"]
    change: list[str] = []
    if user not in {None, (0, 0)}:
        uid, gid = user or (0, 0)
        change = [tools.unshare, "--user", f"--map-user={uid}", f"--map-group={gid}"]
    drop = [tools.setpriv, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    return [*join, "--", *change, *drop, "--"]
