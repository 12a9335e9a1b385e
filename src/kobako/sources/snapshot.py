"""A repository's code as it is now: commit, branch, and what was changed since, as one patch.

git reads a stranger's repository here, so nothing that its configuration names is run: no filter, no diff program, no
conversion, no hook, no transport.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from kobako.masking import mask_code
from kobako.process import Outcome
from kobako.sources.git import Git, has_filters
from kobako.sources.model import Run

LARGEST = 1_000_000
"""Bytes of a patch."""

_FILE = 200_000
_FILES = 500
_BARE = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all", "--no-renames")


class Snapshot(NamedTuple):
    """``dirty`` is None where nobody could look; ``left_out`` says what the patch lacks and why."""

    commit: str = ""
    branch: str = ""
    dirty: bool | None = None
    patch: str = ""
    left_out: str = ""


def snapshot(folder: Path, top: Path, run: Run, seconds: float | None = None) -> Snapshot | None:
    """The state of a folder that is the top of a git repository, or that the repository at ``top`` knows.

    None where neither is so. What git does not tell in time is left open.
    """
    if not (folder / ".git").exists():
        if folder == top or not (top / ".git").exists():
            return None
        below = os.path.relpath(folder, top)
    else:
        top, below = folder, "."
    git = Git(run, top, offline=True, seconds=seconds)
    if Path(git.text("rev-parse", "--show-toplevel") or "/").resolve() != top.resolve():
        return None
    commit = git.text("rev-parse", "--verify", "--quiet", "HEAD")
    if not commit or (below != "." and not git.text("ls-files", "--", f":(top,literal){below}/")):
        return None
    branch = git.text("symbolic-ref", "--quiet", "--short", "HEAD")
    if has_filters(git):
        return Snapshot(commit, branch, None, "", "its configuration names programs that compare files: not looked at")
    return _changes(git, top, below, Snapshot(commit, branch))


def _changes(git: Git, top: Path, below: str, known: Snapshot) -> Snapshot:
    pathspec = f":(top,literal){below}" if below != "." else ":(top)"
    told = git("--no-optional-locks", "status", "--porcelain", "-z", "--ignore-submodules=all", "-uall", "--", pathspec)
    if not told.ok:
        return known._replace(left_out=f"git could not tell what was changed: {_why(told)}")
    names = told.stdout.split("\0")
    new = [name[3:] for name in names if name.startswith("?? ")]
    if not any(names):
        return known._replace(dirty=False)
    parts, left, why = _changed(git, pathspec)
    if why:
        return known._replace(dirty=True, left_out=f"git could not tell the differences: {why}")
    size = sum(map(len, parts))
    for name in new[:_FILES]:
        part = _new_file(top, name)
        if part is None or size + len(part) > LARGEST:
            left.append(name)
            continue
        parts.append(part)
        size += len(part)
    left += [f"{len(new) - _FILES} more new files"] if len(new) > _FILES else []
    missing = ", ".join(left[:10]) + (f" and {len(left) - 10} more" if len(left) > 10 else "")
    left_out = f"not in the patch: {missing}" if missing else ""
    return known._replace(dirty=True, patch=mask_code(_text(b"".join(parts))), left_out=left_out)


def _changed(git: Git, pathspec: str) -> tuple[list[bytes], list[str], str]:
    """What differs in the files that git knows, part by part; what of it is left out; why git could not tell.

    With binary files where all of it is small enough, else without them. git writes it to a file: a program's output
    is read as UTF-8, and what is changed may be anything.
    """
    left: list[str] = []
    options = ("-c", "core.quotePath=false", "-c", "diff.autoRefreshIndex=false", "diff", "HEAD", *_BARE)
    with tempfile.TemporaryDirectory(prefix="kobako-") as there:
        target = Path(there) / "patch"
        for binary in (("--binary",), ()):
            told = git(*options, *binary, f"--output={target}", "--", pathspec)
            if not told.ok:
                return [], [], _why(told)
            if target.stat().st_size <= LARGEST:
                parts = [part for part in _HEAD.split(target.read_bytes()) if part]
                left = [_text(part.split(b"\n", 1)[0].rpartition(b" b/")[2]) for part in parts if _BINARY.search(part)]
                return [part for part in parts if not _BINARY.search(part)], left, ""
    return [], [f"what was changed is larger than {LARGEST // 1_000_000} MB"], ""


_HEAD = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_BINARY = re.compile(rb"^Binary files .* differ$", re.MULTILINE)
_STRANGE = re.compile(r'["\\\x00-\x1f\x7f\ufffd]')
"""Characters for which a patch would have to quote a name."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _why(outcome: Outcome) -> str:
    return outcome.last_lines(1) or f"exit code {outcome.code}"


def _careful(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _new_file(top: Path, name: str) -> bytes | None:
    """A file that git does not know yet, as a patch makes it; None where it is no small text."""
    if _STRANGE.search(name):
        return None
    try:
        with open(top / name, "rb", opener=_careful) as file:
            mode = "100755" if os.fstat(file.fileno()).st_mode & 0o100 else "100644"
            data = file.read(_FILE + 1)
    except OSError:
        return None
    if len(data) > _FILE or b"\0" in data:
        return None
    head = f"diff --git a/{name} b/{name}\nnew file mode {mode}\n"
    if not data:
        return head.encode()
    tab = "\t" if " " in name else ""  # where a name ends, as git says it
    lines = data.removesuffix(b"\n").split(b"\n")
    head += f"--- /dev/null\n+++ b/{name}{tab}\n@@ -0,0 +1,{len(lines)} @@\n"
    ending = b"\n" if data.endswith(b"\n") else b"\n\\ No newline at end of file\n"
    return head.encode() + b"\n".join(b"+" + line for line in lines) + ending
