"""A user who is not root, and need not be in the machine's list of users."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.client import SOCKET_GROUP

UID = 1742 + os.getpid() % 1000
"""Of this run alone: another one may look for processes of its own user at the same time."""


@dataclass(frozen=True)
class Someone:
    """Ids, a home folder, and a ``python`` that they can reach, which finds Kobako with ``variables`` set."""

    uid: int
    gid: int
    home: Path
    python: str
    variables: dict[str, str] = field(default_factory=dict)
    groups: tuple[int, ...] = (SOCKET_GROUP,)
    name: str = "someone"

    def outsider(self) -> Someone:
        """The same user without the group that may talk to the daemon."""
        return replace(self, groups=())

    def own(self, folder: Path) -> Path:
        """Hand over a folder and what is in it."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return folder

    def argv(self, argv: Sequence[str]) -> list[str]:
        """The command that, started by root, runs ``argv`` as this user."""
        groups = f"--groups={','.join(map(str, self.groups))}" if self.groups else "--clear-groups"
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", groups, "--", *argv]


def _open_to_all(path: Path) -> bool:
    """Whether anybody may go through all the folders that lead to ``path``."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.is_dir())


def _copy(source: Path, target: Path) -> None:
    """Hard links where the file system allows it; tests, caches and what the user may not read are of no use."""

    def unwanted(folder: str, names: list[str]) -> set[str]:
        left_out = {"__pycache__", "idlelib", "lib2to3", "tkinter", "turtledemo"}
        if Path(folder) == source:
            left_out |= {"test", "site-packages"}
        return left_out & set(names)

    def link(src: str, dst: str) -> None:
        try:
            os.link(src, dst)
        except OSError:
            shutil.copy2(src, dst)

    shutil.copytree(source, target, symlinks=True, ignore=unwanted, copy_function=link)
    target.chmod(0o755)


def _reachable_python(place: Path, source: Path) -> tuple[str, dict[str, str]]:
    """An interpreter, and variables for it, that make ``import kobako`` work for anybody.

    A root's own interpreter, virtual environment or checkout often lies in a folder closed to others. The copy finds
    its packages by itself: a PYTHONPATH would reach docker-compose v1, which is written in Python, too.
    """
    real = Path(sys.executable).resolve()
    site = Path(sysconfig.get_path("purelib"))
    if _open_to_all(Path(sys.executable).parent) and all(_open_to_all(p) for p in (real.parent, site, source)):
        return sys.executable, {"PYTHONPATH": str(source)}
    library = Path(sysconfig.get_path("stdlib"))
    _copy(library, place / "lib" / library.name)
    for shared in library.parent.glob("libpython*.so*"):
        shutil.copy2(shared, place / "lib")
    (place / "bin").mkdir()
    shutil.copy2(real, place / "bin" / library.name)
    packages = place / "lib" / library.name / "site-packages"
    _copy(site, packages)
    _copy(source, place / "src")
    # Debian's Python looks for packages here instead
    (place / "lib/python3").mkdir()
    (place / "lib/python3/dist-packages").symlink_to(packages)
    (packages / "kobako-source.pth").write_text(f"{place / 'src'}\n", encoding="utf-8")
    return str(place / "bin" / library.name), {"LD_LIBRARY_PATH": str(place / "lib")}


@contextmanager
def someone(source: Path) -> Iterator[Someone]:
    """A user for the block. Needs root, as only root becomes somebody else."""
    with tempfile.TemporaryDirectory(prefix="kobako-user-", dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        home = place / "home"
        home.mkdir()
        python, variables = _reachable_python(place / "python", source)
        user = Someone(UID, UID, home, python, variables)
        user.own(home)
        yield user
