"""Sources of repositories: git URLs, folders, archives, sdists and names on the index.

``resolve`` understands what the user named, ``fetch`` brings it. Nothing of a repository is ever executed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kobako import process
from kobako.sources import git, index, local
from kobako.sources.model import Fetched, Run, Source
from kobako.sources.spec import hide, resolve

__all__ = ["Fetched", "Run", "Source", "fetch", "hide", "resolve", "subtree"]


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
    return Fetched(fetched.path, fetched.name, facts)
