"""bubblewrap: a root of the service's own, the system read-only in it, and nothing else of this machine.

The root is a folder, so what a command writes anywhere outside of ``/usr`` and its like is kept with the environment.
The home directory, other services and the rest of the workspace are simply not there. Inside, everything belongs to
root, which is the caller outside.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kobako import process
from kobako.engines.local import paths, shims
from kobako.engines.local.paths import Bind
from kobako.errors import EngineError
from kobako.model.service import Mount

ENV_INSIDE = "/opt/kobako/env"
"""Where the virtual environment is seen inside."""

SHIMS_INSIDE = "/opt/kobako/bin"
"""What stands in for programs of a container that cannot do their work here: apt-get."""

_SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu")
"""Top-level folders with programs and libraries (nix, gnu: those of NixOS and Guix)."""

_TOOLKITS = "/usr/local/cuda*"
"""What stays visible of /usr/local, which is the environment's own otherwise."""

_ETC = (
    *("bash.bashrc", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version"),
    *("fonts", "glvnd", "inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "lsb-release", "mime.types"),
    *("nsswitch.conf", "OpenCL", "os-release", "pki", "profile", "protocols", "rpc", "services", "ssl", "terminfo"),
    *("vulkan", "xattr.conf", "localtime", "timezone"),
)
"""What programs need of /etc, and nobody needs to hide. ``pip.conf``, ``shadow``, keys and the like are not in it."""

_TOP = (
    *("root", "home", "opt", "srv", "mnt", "media"),
    *("run", "var/tmp", "var/lib", "var/cache", "var/log", "tmp"),
)
"""Folders that every system has."""

IN_FOLDER = 'mkdir -p -- "$1" && cd -- "$1" && shift && exec "$@"'
"""A shell's script: go to the folder $1, and become the rest."""

_MASKED = ("keys", "key-users", "kcore", "timer_list")
"""Below /proc: what is nobody's business inside. Source: as below."""

_KERNEL = ("sys", "sysrq-trigger", "bus", "fs", "irq", "acpi", "scsi")
"""Below /proc: what root may write, whatever namespace it is root of. Source: github:moby/moby, oci/defaults.go."""

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
    mount: str


CLEAN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
"""The whole environment of the programs that make and enter sandboxes."""


class How(NamedTuple):
    """``environment`` is what is inside. A sandbox that ``stays`` outlives Kobako, and can be entered once its file
    descriptor ``ready`` has been written to.
    """

    environment: Mapping[str, str]
    network: bool = True
    stays: bool = False
    ready: int = -1


class View(NamedTuple):
    """What a sandbox sees: its root, its environment, its /usr/local, folders of this machine, the service's mounts.

    With ``frozen`` the environment cannot be written. With ``over`` what is written to it goes there instead: the
    environment itself is the layer below. ``extra`` are further things that Kobako puts there.
    """

    root: Path
    env: Path
    local: Path
    read_only: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    name: str = "kobako"
    frozen: bool = False
    extra: tuple[Bind, ...] = ()
    over: Path | None = None


def find() -> tuple[Tools | None, str]:
    """The programs; None, and why, where bubblewrap is missing or may not do its work here."""
    tools = programs()
    if tools is None:
        missing = [name for name in Tools._fields if process.which(name) is None]
        return None, f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    outcome = process.ask(TRIAL)
    return (tools, "") if outcome.ok else (None, f"bubblewrap may not work here: {outcome.last_lines(1)}")


def programs() -> Tools | None:
    """The programs, without asking whether they work."""
    found = {name: process.which(name) for name in Tools._fields}
    return Tools(**{name: path or "" for name, path in found.items()}) if all(found.values()) else None


_NAMESPACES = (
    *("--unshare-user", "--uid", "0", "--gid", "0", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
    *("--cap-drop", "ALL"),  # for a caller who is root it drops none by itself
)

_INNER = ("--cap-add", "CAP_SETFCAP")
"""Since Linux 5.12, root of a namespace may be root of one inside it only with this capability."""


_ROOT_INSIDE = ("--user", "--map-root-user", "--mount", "--")
_DROP = ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")

TRIAL = (
    *("bwrap", *_NAMESPACES, *_INNER, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
    *("unshare", *_ROOT_INSIDE, "setpriv", *_DROP, "true"),
)
"""Whether bubblewrap may do what is asked of it: only a trial tells."""


def _inner(tools: Tools, view: View, ready: int) -> list[str]:
    """A user namespace inside the sandbox's own, with mounts that nobody in it can undo.

    Whoever enters a namespace has all capabilities in it until a program drops them, and that program is one of the
    sandbox: it could be told to use them first. In the inner namespace they are good for nothing.
    """
    layered = [] if view.over is None else [tools.mount, _LAYERS]
    script = ["/bin/sh", "-c", _MOUNT if layered else _READY, "kobako", str(ready), *layered]
    return [tools.unshare, *_ROOT_INSIDE, *script, tools.setpriv, *_DROP]


_LOWER = "/opt/kobako/lower"
_OVER = "/opt/kobako/over"
_LAYERS = f"userxattr,lowerdir={_LOWER},upperdir={_OVER}/upper,workdir={_OVER}/work"

_READY = """
if [ "$1" -ge 0 ]; then echo >"/dev/fd/$1"; fi
case "$1" in ?) eval "exec $1>&-";; esac
shift
exec "$@"
"""
_MOUNT = f"""
"$2" -t overlay overlay -o "$3" {ENV_INSIDE} && "$2" -t tmpfs none {_OVER} && "$2" -t tmpfs none {_LOWER} || exit 125
if [ "$1" -ge 0 ]; then echo >"/dev/fd/$1"; fi
case "$1" in ?) eval "exec $1>&-";; esac
shift 3
exec "$@"
"""


def can_layer(tools: Tools, view: View) -> bool:
    """Whether writes to an environment can go to a layer above it: Linux 5.11, and a file system with attributes."""
    with command(tools, view, ["true"], How(CLEAN, stays=True)) as (argv, keep):
        return process.run_in(process.Setting(CLEAN, keep=keep), argv).ok


def make_root(root: Path) -> None:
    """Fill a new root with what a system has at the top, and with the harmless part of /etc."""
    for name in _TOP:
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
    for name in ("sources.list.d", "apt.conf.d", "preferences.d", "keyrings", "trusted.gpg.d"):
        (etc / "apt" / name).mkdir(parents=True)
    (etc / "apt/sources.list").touch()
    (etc / "alternatives").mkdir()
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


@contextlib.contextmanager
def command(tools: Tools, view: View, words: Sequence[str], how: How) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """The command line that runs words in a new sandbox, and the file descriptors that it needs.

    The options stand in a file without a name: a list of processes shows neither variables nor paths. The variables
    are set by bubblewrap for what is inside; its own process never sees them (think of LD_PRELOAD).
    """
    leave_keyring()
    alone = _INNER if how.stays else ("--die-with-parent", "--new-session")  # else it could type on the terminal
    options = [*_NAMESPACES, *alone, "--hostname", view.name[:60]]
    options += [] if how.network else ["--unshare-net"]
    options += ["--bind", str(view.root), "/", *paths.options(view.root, list(_binds(view)))]
    for name, value in how.environment.items():
        options += ["--setenv", name, value]
    fd = os.memfd_create("bwrap")
    try:
        os.write(fd, b"\0".join(os.fsencode(option) for option in options) + b"\0")
        os.lseek(fd, 0, os.SEEK_SET)
        inner = _inner(tools, view, how.ready) if how.stays else []
        keep = (fd, how.ready) if how.ready >= 0 else (fd,)
        yield [tools.bwrap, "--args", str(fd), "--chdir", "/", "--", *inner, *words], keep
    finally:
        os.close(fd)


def _binds(view: View) -> Iterator[Bind]:
    for name in _SYSTEM:
        if os.path.isdir(f"/{name}") and not os.path.islink(f"/{name}"):
            yield Bind(f"/{name}", f"/{name}")
    if not any(f"{path}/".startswith("/usr/local/") for path in view.read_only):  # the interpreter may live there
        yield Bind(str(view.local), "/usr/local", "bind")
        yield from (Bind(path, path) for path in sorted(glob.glob(_TOOLKITS)))
    yield Bind("", "/dev", "dev")
    yield Bind("", "/proc", "proc")
    yield Bind("/sys", "/sys", "ro-bind-try")
    yield from (Bind(f"/proc/{name}", f"/proc/{name}", "ro-bind-try") for name in _KERNEL)
    yield from (Bind("/dev/null", f"/proc/{name}", "dev-bind") for name in _MASKED if os.path.exists(f"/proc/{name}"))
    if os.path.isdir("/etc/alternatives"):  # hundreds of links, of use to nobody as a copy: they lead into /usr
        yield Bind("/etc/alternatives", "/etc/alternatives")
    for name in _LIVE:
        real = os.path.realpath(f"/etc/{name}")
        if os.path.isfile(real):
            yield Bind(real, f"/etc/{name}")
    for path in sorted({one for pattern in _DEVICES for one in glob.glob(pattern)}):
        yield Bind(path, path, "dev-bind")
    yield from (Bind(path, path) for path in _apart(view.read_only))
    if view.over is None:
        yield Bind(str(view.env), ENV_INSIDE, "ro-bind" if view.frozen else "bind")
    else:
        yield Bind(str(view.env), _LOWER)
        yield Bind(str(view.over), _OVER, "bind")
        yield Bind(str(view.over / "empty"), ENV_INSIDE, "bind")
    yield from view.extra
    yield from (_mount(mount) for mount in sorted(view.mounts, key=_depth))


def _apart(paths: Iterable[str]) -> Iterator[str]:
    """Folders that the system's do not hold already."""
    for path in dict.fromkeys(paths):
        if path.split("/")[1] not in _SYSTEM and os.path.exists(path):
            yield path


def _depth(mount: Mount) -> int:
    return os.path.normpath(mount.target).count("/")


def _mount(mount: Mount) -> Bind:
    if mount.kind == "tmpfs":
        return Bind("", mount.target, "tmpfs")
    if mount.source is None:
        raise EngineError("engine-failed", f"the volume at {mount.target} has no place", where=mount.where)
    return Bind(mount.source, mount.target, "ro-bind" if mount.read_only else "bind")


_JOIN = {"x86_64": 250, "aarch64": 219}
"""keyctl(2) by machine. Source: linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h."""


def leave_keyring() -> None:
    """From now on this process has a keyring of its own, and what it starts inherits that: the caller's holds
    tickets and passwords, and namespaces do not hide it."""
    import ctypes  # noqa: PLC0415 - where a sandbox is made or entered

    number = _JOIN.get(os.uname().machine)
    if number is not None:
        ctypes.CDLL(None).syscall(number, 1, None)  # KEYCTL_JOIN_SESSION_KEYRING, a new one without a name


def enter(tools: Tools, first: int, main: int, user: tuple[int, int] | None) -> list[str]:
    """What goes in front of a command to run it in a sandbox that stays, without any privilege over it.

    ``first`` is the sandbox's first process, ``main`` one of the inner namespace.
    """
    leave_keyring()
    outer = [tools.nsenter, f"--target={first}", "--user", "--pid", "--ipc", "--uts", "--preserve-credentials", "--"]
    inner = [tools.nsenter, f"--target={main}", "--user", "--mount", "--preserve-credentials", "--"]
    change: list[str] = []
    if user not in {None, (0, 0)}:
        uid, gid = user or (0, 0)
        change = [tools.unshare, "--user", f"--map-user={uid}", f"--map-group={gid}", "--"]
    return [*outer, *inner, *change, tools.setpriv, *_DROP]
