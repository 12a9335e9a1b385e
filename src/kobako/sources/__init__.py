"""Sources of repositories: git URLs, folders, archives, sdists and names on the index.

``resolve`` understands what the user named, ``fetch`` brings it. Nothing of a repository is ever executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kobako import process
from kobako.errors import UsageError
from kobako.model.requirement import Requirement
from kobako.sources import dates, git, index, local, offered
from kobako.sources.model import Fetched, Run, Source
from kobako.sources.offered import Asked, Missing
from kobako.sources.spec import hide, resolve

__all__ = [
    "DATE",
    "Asked",
    "Fetched",
    "Missing",
    "Run",
    "Source",
    "facts_of",
    "fetch",
    "hide",
    "missing",
    "resolve",
    "subtree",
]

DATE = dates.KEY


def facts_of(folder: Path, run: Run = process.run) -> Mapping[str, str | bool]:
    """Commit and date of a folder that is the top of a git repository; nothing for any other."""
    return git.identity(folder, run)


def missing(requirements: Sequence[Requirement], asked: Asked, run: Run = process.run) -> list[Missing]:
    """The requirements that no index has for that Python and that day, in their order."""
    return offered.missing(requirements, asked, run)


def subtree(source: Source, name: str, workspace: Path, run: Run = process.run) -> tuple[Fetched, Callable[[], None]]:
    """Merge a git source into the workspace's own repository; the second value takes that back."""
    return git.subtree(source, name, workspace, run)


def fetch(
    source: Source,
    into: Path,
    *,
    workspace: Path,
    name: str = "",
    run: Run = process.run,
) -> Fetched:
    """Bring the source to a folder below ``into`` (empty, on the workspace's file system).

    ``name`` overrides the repository's own. Raises ``UsageError``: bad-source, unsafe-archive, bad-name.
    """
    fetched = _fetched(source, into, workspace, name, run)
    if all(one.name == ".git" for one in fetched.path.iterdir()):
        raise UsageError("bad-source", f"{hide(source.spec)} is empty", why="there is nothing to read in it")
    return fetched


def _fetched(source: Source, into: Path, workspace: Path, name: str, run: Run) -> Fetched:
    chosen = name or source.name
    if source.kind == "git":
        return git.fetch(source, chosen, into, run)
    if source.kind == "folder":
        return local.fetch_folder(source, chosen, into, workspace, run)
    if source.kind == "archive":
        return local.fetch_archive(Path(source.location), name, into, otherwise=source.name)
    downloads = into / "download"
    downloads.mkdir()
    archive, version = index.download(source, downloads)
    fetched = local.fetch_archive(archive, chosen, into)
    facts = {"index": source.name, "version": version, "sha256": fetched.facts["sha256"]}
    if dates.KEY in fetched.facts:
        facts[dates.KEY] = fetched.facts[dates.KEY]
    return Fetched(fetched.path, fetched.name, facts)
