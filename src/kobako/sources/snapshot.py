"""A repository's code as it is now: commit, branch, and what was changed since, as one patch.

git reads a stranger's repository here, so nothing that its configuration names is run: no filter, no diff program, no
conversion, no hook, no transport.
"""

from __future__ import annotations

import os
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
    changed = git(
        "-c", "core.quotePath=false", "-c", "diff.autoRefreshIndex=false", "diff", "HEAD", *_BARE, "--", pathspec
    )
    if not changed.ok:
        return known._replace(dirty=True, left_out=f"git could not tell the differences: {_why(changed)}")
    parts, left = [changed.stdout], []
    size = len(changed.stdout)
    if size > LARGEST:
        parts, size = [], 0
        left.append(f"what was changed is larger than {LARGEST // 1_000_000} MB")
    for name in new[:_FILES]:
        text = _new_file(top, name)
        if text is None or size + len(text) > LARGEST:
            left.append(name)
            continue
        parts.append(text)
        size += len(text)
    left += [f"{len(new) - _FILES} more new files"] if len(new) > _FILES else []
    missing = ", ".join(left[:10]) + (f" and {len(left) - 10} more" if len(left) > 10 else "")
    left_out = f"not in the patch: {missing}" if missing else ""
    return known._replace(dirty=True, patch=mask_code("".join(parts)), left_out=left_out)


def _why(outcome: Outcome) -> str:
    return outcome.last_lines(1) or f"exit code {outcome.code}"


def _new_file(top: Path, name: str) -> str | None:
    """A file that git does not know yet, as a patch makes it; None where it is no small text."""
    try:
        fd = os.open(top / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            data = file.read(_FILE + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError):
        return None
    if len(data) > _FILE or "\0" in text:
        return None
    lines = text.splitlines(keepends=True)
    head = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
    if not lines:
        return head.split("---", 1)[0]
    ending = "" if text.endswith("\n") else "\n\\ No newline at end of file\n"
    return f"{head}@@ -0,0 +1,{len(lines)} @@\n{''.join(f'+{line}' for line in lines)}{ending}"
