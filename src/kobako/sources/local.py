"""Folders and archives on this machine."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from kobako.errors import UsageError
from kobako.model.names import checked_name
from kobako.sources import dates, git
from kobako.sources.model import Fetched, Run, Source
from kobako.sources.unpack import unpack

_NOT_COPIED = shutil.ignore_patterns(".git", "__pycache__", ".kobako")


def fetch_folder(source: Source, name: str, into: Path, workspace: Path, run: Run) -> Fetched:
    """Copy the folder to ``into/NAME``; one that stands in the workspace under its name is used where it is."""
    folder = Path(source.location)
    root = workspace.resolve()
    if folder == root or folder in root.parents:
        raise UsageError(
            "bad-source",
            f"{source.spec} holds the workspace itself",
            fix="name the folder of the repository that you want to add",
        )
    facts: dict[str, str | bool] = {}
    inside = root in folder.parents
    if inside:
        facts["path"] = "./" + folder.relative_to(root).as_posix()
    facts.update(git.state(folder, run))
    if folder == root / name:
        return Fetched(folder, name, facts, in_place=True)
    target = into / checked_name(name)
    try:
        shutil.copytree(folder, target, symlinks=True, ignore=_NOT_COPIED)
    except (OSError, shutil.Error) as error:
        raise UsageError("bad-source", f"{source.spec} cannot be copied", why=_first(error)) from error
    if not inside:
        facts = {"folder": folder.name, **facts}
    return Fetched(target, name, facts)


def _first(error: OSError) -> str:
    if isinstance(error, shutil.Error) and error.args and error.args[0]:
        return str(error.args[0][0][2])
    return error.strerror or str(error)


def fetch_archive(archive: Path, name: str, into: Path, *, otherwise: str = "") -> Fetched:
    """Unpack the archive to ``into/NAME``. Without a name, an sdist's own is taken, or ``otherwise``."""
    unpacked = into / "unpacked"
    unpacked.mkdir()
    top = unpack(archive, unpacked)
    if not any(top.iterdir()):
        raise UsageError("bad-source", f"{archive.name} is empty")
    project, version = sdist_identity(top)
    chosen = checked_name(name or project or otherwise)
    facts: dict[str, str | bool] = {"archive": archive.name, "sha256": sha256(archive)}
    if project and version:
        facts["version"] = version
    date = dates.of_archive(archive)
    if date:
        facts[dates.KEY] = date
    target = into / chosen
    git_folder = top / ".git"
    if git_folder.is_dir() and not git_folder.is_symlink():
        shutil.rmtree(git_folder)
    top.rename(target)
    return Fetched(target, chosen, facts)


def sdist_identity(top: Path) -> tuple[str, str]:
    """Name and version from an sdist's PKG-INFO; ("", "") for any other tree."""
    info = top / "PKG-INFO"
    if not info.is_file() or info.is_symlink():
        return "", ""
    with info.open(encoding="utf-8", errors="replace") as file:
        text = file.read(64 * 1024)
    head = text.split("\n\n", 1)[0]
    found = {key: re.search(rf"^{key}:\s*(\S+)\s*$", head, re.MULTILINE) for key in ("Name", "Version")}
    name, version = found["Name"], found["Version"]
    return (name[1] if name else "", version[1] if version else "")


def sha256(path: Path) -> str:
    """The file's SHA-256, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1024 * 1024), b""):
            digest.update(block)
    return digest.hexdigest()
