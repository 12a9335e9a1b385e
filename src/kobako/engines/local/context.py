"""The build context: what COPY takes, less what ``.dockerignore`` leaves out.

Rules: github:moby/patternmatcher and Go's ``path/filepath.Match``, with ``**`` and ``!``; the last pattern that matches
decides, and a match of a folder holds for all that is in it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from kobako.engines.local.paths import within
from kobako.errors import BuildError, Where
from kobako.workspace import STATE


class Context:
    """A folder, seen through its ``.dockerignore`` (or the one that stands beside the Dockerfile)."""

    def __init__(self, folder: Path, dockerfile: Path) -> None:
        self.folder = folder
        beside = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
        ignore = beside if beside.is_file() else folder / ".dockerignore"
        self._patterns = list(_patterns(ignore))

    def left_out(self, path: str) -> bool:
        """Whether a path (relative, POSIX) is not sent to the builder."""
        out = False
        for pattern, keep in self._patterns:
            if pattern.match(path):
                out = not keep
        return out

    def matches(self, source: str, where: Where) -> list[str]:
        """The paths that a source of COPY names, relative to the context, sorted."""
        wanted = os.path.normpath(f"/{source}").lstrip("/") or "."  # `..` leads nowhere, as in BuildKit
        pattern = re.search(r"[*?\[]", wanted) is not None
        if not re.search(r"[*?\[]", wanted):
            # a link means what it means in the context: none leads out of it
            wanted = os.path.relpath(within(self.folder, wanted), self.folder)
            found = [wanted] if os.path.lexists(self.folder / wanted) else []
        else:
            shape = re.compile(_expression(wanted) + r"\Z")
            found = sorted(path for path in self._walk(".", depth=wanted.count("/") + 1) if shape.match(path))
        found = [path for path in found if path == "." or not self.left_out(path) or self._holds_kept(path)]
        if not found and not pattern:
            left_out = os.path.lexists(self.folder / wanted)
            why = ".dockerignore leaves it out" if left_out else f"it is not in {self.folder.name or self.folder}/"
            raise _absent(source, why, where)
        return found

    def _holds_kept(self, path: str) -> bool:
        return any(keep for _, keep in self._patterns) and any(True for _ in self.files(path))

    def _walk(self, top: str, depth: int = 0) -> Iterator[str]:
        for place, folders, names in os.walk(self.folder / top):
            inside = os.path.relpath(place, self.folder)
            if inside == ".":
                folders[:] = [name for name in folders if name != STATE]  # Kobako's own: environments, logs
            for name in sorted([*folders, *names]):
                yield name if inside == "." else f"{inside}/{name}"
            if depth and (0 if inside == "." else inside.count("/") + 1) + 1 >= depth:
                folders.clear()

    def files(self, path: str) -> Iterator[str]:
        """The files and links below a path, or itself, that are sent; relative to the context, in order."""
        if not os.path.isdir(self.folder / path) or os.path.islink(self.folder / path):
            if os.path.islink(self.folder / path) or os.path.isfile(self.folder / path):
                yield path
            return
        for one in sorted(self._walk(path)):
            full = self.folder / one
            if (full.is_symlink() or full.is_file()) and not self.left_out(one):
                yield one

    def _folders(self, path: str) -> Iterator[str]:
        for one in self._walk(path):
            full = self.folder / one
            if full.is_dir() and not full.is_symlink() and not self.left_out(one):
                yield one

    def digest(self, sources: Sequence[str], where: Where) -> str:
        """What the sources hold, in short: names, permissions and content."""
        total = hashlib.sha256()
        for source in sources:
            for path in self.matches(source, where):
                total.update(b"".join(os.fsencode(f"{one}\0/") for one in self._folders(path)))
                for one in self.files(path):
                    full = self.folder / one
                    mode = os.lstat(full).st_mode
                    total.update(os.fsencode(f"{one}\0{mode:o}\0"))
                    total.update(
                        os.readlink(full).encode("utf-8", "surrogateescape") if full.is_symlink() else _hash(full)
                    )
        return total.hexdigest()[:24]

    def copy(self, sources: Sequence[str], target: str, root: Path, where: Where) -> list[Path]:
        """Put the sources below ``root``: a folder's content into the target, files beside each other. As BuildKit."""
        found = [path for source in sources for path in self.matches(source, where)]
        into = target.endswith("/") or len(found) > 1 or within(root, target).is_dir()
        made: list[Path] = []
        for path in found:
            folder = os.path.isdir(self.folder / path) and not os.path.islink(self.folder / path)
            aim = target if folder or not into else os.path.join(target, os.path.basename(path))
            for one in self.files(path):
                inside = os.path.relpath(one, path)
                made.append(self._put(one, within(root, aim if inside == "." else os.path.join(aim, inside))))
            if folder:
                within(root, aim).mkdir(parents=True, exist_ok=True)
                for one in self._folders(path):
                    within(root, os.path.join(aim, os.path.relpath(one, path))).mkdir(parents=True, exist_ok=True)
        return made

    def _put(self, path: str, aim: Path) -> Path:
        aim.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(aim):
            aim.unlink()
        shutil.copy2(self.folder / path, aim, follow_symlinks=False)
        return aim


def _hash(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest() if hasattr(hashlib, "file_digest") else _slowly(path)


def _slowly(path: Path) -> bytes:
    total = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            total.update(chunk)
    return total.digest()


def _absent(source: str, why: str, where: Where) -> BuildError:
    return BuildError("build-failed", f"there is nothing to copy: {source}", why=why, where=where)


def _patterns(file: Path) -> Iterator[tuple[re.Pattern[str], bool]]:
    try:
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("\ufeff").splitlines()
    except OSError:
        return
    for line in lines:
        said = line.strip()
        if not said or line.startswith("#"):
            continue
        keep = said.startswith("!")
        said = os.path.normpath(said.removeprefix("!").strip()).lstrip("/")
        if said not in {"", "."}:
            yield re.compile(_expression(said) + r"(?:/|\Z)"), keep


def _expression(pattern: str) -> str:
    """A pattern as a regular expression that matches from the start."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 3 if pattern.startswith("/", at + 2) else 2
            out.append("(?:.*/)?" if at < len(pattern) else ".*")
        elif char in "*?":
            out.append("[^/]*" if char == "*" else "[^/]")
            at += 1
        elif char == "[" and (end := pattern.find("]", at + 2)) > 0:
            inner = pattern[at + 1 : end].replace("\\", "\\\\")
            out.append(f"[{inner}]")
            at = end + 1
        else:
            if char == "\\" and at + 1 < len(pattern):
                at += 1
            out.append(re.escape(pattern[at]))
            at += 1
    return "".join(out)
