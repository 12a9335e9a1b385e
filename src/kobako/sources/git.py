"""Git repositories: a copy at a recorded commit, or a subtree of the workspace's own repository.

git runs without a prompt, without hooks and with the common transports only: nothing of the repository is executed.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from kobako.errors import UsageError
from kobako.masking import mask
from kobako.model.names import checked_name
from kobako.process import Outcome
from kobako.sources import dates
from kobako.sources.model import Fetched, Run, Source
from kobako.sources.spec import hide

_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false")
_PATIENCE = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30", "-c", "credential.interactive=false")

OFFLINE = 20.0
"""Seconds for all that is asked about a folder: a named pipe in place of a .gitignore keeps git waiting for ever."""


def environment() -> dict[str, str]:
    """git must never ask: neither for a password nor whether a host is known."""
    env = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "LC_ALL": "C"}
    if "GIT_SSH_COMMAND" not in os.environ and "GIT_SSH" not in os.environ:
        env["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=20"
    return env


class Git:
    """git in one folder. A remote may only be one of the transports that Kobako fetches.

    ``offline`` is for a stranger's repository whose own configuration git reads: an object that is missing there would
    be fetched on the quiet, by programs that the configuration names. All of its calls together have ``seconds``.
    """

    def __init__(
        self, run: Run, cwd: Path, *, local: bool = False, offline: bool = False, seconds: float | None = None
    ) -> None:
        self._run = run
        self._cwd = cwd
        self._until = time.monotonic() + (OFFLINE if seconds is None else seconds) if offline else None
        # A submodule may name file:// only when the repository itself came from this machine.
        protocols = "https:http:ssh:git:file" if local else "https:http:ssh:git"
        if offline:
            protocols = "none"
        self._env: Mapping[str, str] = {**environment(), "GIT_ALLOW_PROTOCOL": protocols}
        if offline:
            self._env |= {"GIT_NO_LAZY_FETCH": "1"}

    def __call__(self, *arguments: str) -> Outcome:
        argv = ["git", *_QUIET, *_PATIENCE, *arguments]
        left = None if self._until is None else max(self._until - time.monotonic(), 0.01)
        return self._run(argv, cwd=self._cwd, env=self._env, seconds=left)

    def text(self, *arguments: str) -> str:
        """Its output without the last newline, or "" when it failed."""
        outcome = self(*arguments)
        return outcome.stdout.rstrip("\n") if outcome.ok else ""


def fetch(source: Source, name: str, into: Path, run: Run) -> Fetched:
    """Copy the repository at the ref (its default branch without one) to ``into/NAME``, submodules included."""
    folder = into / checked_name(name)
    folder.mkdir()
    git = Git(run, folder, local=_is_local(source.location))
    _must(git("init", "--quiet", "--initial-branch=kobako"), source)
    full = _find_ref(git, source)
    if full:
        _must(git("fetch", "--quiet", "--no-tags", "--depth=1", source.location, full), source)
        _must(git("checkout", "--quiet", "--detach", "FETCH_HEAD"), source)
    else:
        # A commit: most servers give it away only as part of a branch's history.
        _must(git("fetch", "--quiet", source.location, "+refs/heads/*:refs/remotes/origin/*", "--tags"), source)
        if not git("checkout", "--quiet", "--detach", source.ref).ok:
            raise _wrong_ref(source, [])
    if (folder / ".gitmodules").is_file():
        # Relative submodule URLs are relative to where the repository came from.
        _must(git("remote", "add", "origin", source.location), source)
        submodules = ("submodule", "--quiet", "update", "--init", "--recursive")
        if not git(*submodules, "--depth=1").ok:  # not every server gives away a commit that is no branch's tip
            _must(git(*submodules), source)
    commit = git.text("rev-parse", "HEAD")
    facts: dict[str, str | bool] = {"git": hide(source.location), **_identity(git, commit)}
    _drop_git(folder)
    if source.ref and source.ref != commit:
        facts["ref"] = source.ref
    return Fetched(folder, name, facts)


def _identity(git: Git, commit: str) -> dict[str, str | bool]:
    """The commit and its date."""
    seconds = git.text("-c", "log.showSignature=false", "show", "--no-patch", "--format=%ct", commit)
    date = dates.utc(seconds)
    return {"commit": commit, dates.KEY: date} if date else {"commit": commit}


def _is_local(url: str) -> bool:
    return url.startswith("file://")


def _find_ref(git: Git, source: Source) -> str:
    """The full name of the ref on the other side; "" when the ref can only be a commit."""
    listed = _must(git("ls-remote", "--", source.location), source)
    names = [line.split("\t", 1)[1] for line in listed.stdout.splitlines() if "\t" in line]
    if not names:
        raise UsageError("bad-source", f"{hide(source.location)} is an empty repository", fix="commit something first")
    if not source.ref:
        if "HEAD" in names:
            return "HEAD"
        raise UsageError("bad-source", f"{hide(source.location)} has no default branch", fix="name one: --ref BRANCH")
    for candidate in (source.ref, f"refs/tags/{source.ref}", f"refs/heads/{source.ref}"):
        if candidate in names:
            return candidate
    if re.fullmatch(r"[0-9a-f]{7,40}", source.ref):
        return ""
    raise _wrong_ref(source, names)


def _wrong_ref(source: Source, names: list[str]) -> UsageError:
    short = [re.sub(r"^refs/(?:heads|tags)/", "", name) for name in names if not name.endswith("^{}")]
    close = difflib.get_close_matches(source.ref, short, n=1)
    fix = f"did you mean {close[0]}?" if close else "git ls-remote lists what it has"
    what = f"{hide(source.location)} has no branch, tag or commit {source.ref}"
    return UsageError("bad-source", what, fix=fix)


def _must(outcome: Outcome, source: Source) -> Outcome:
    if outcome.ok:
        return outcome
    where = hide(source.location)
    if outcome.code is None:
        raise UsageError("bad-source", f"{where} cannot be fetched", why="git is not installed", fix="install git")
    raise UsageError("bad-source", f"{where} cannot be fetched", why=_said(outcome), fix=advice(outcome.stderr))


def _said(outcome: Outcome) -> str:
    lines = [line.strip() for line in outcome.stderr.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ssh:"))] or lines
    return hide(mask(told[0])) if told else f"git ended with exit code {outcome.code}"


def advice(stderr: str) -> str:
    """What to do about a failed fetch, told from git's wording (tested on recorded outputs)."""
    for pattern, fix in _ADVICE:
        if re.search(pattern, stderr, re.IGNORECASE):
            return fix
    return ""


_ADVICE = (
    (
        r"could not read (?:username|password)|authentication failed|terminal prompts disabled|permission denied \(",
        "it asks who you are: use an ssh URL with a key in your agent, or a git credential helper",
    ),
    (r"host key verification failed", "connect once by hand, so that ssh knows the host"),
    (
        r"could not resolve host|couldn't connect|unable to connect|connection refused|network is unreach|slow|timed",
        "check the address and the connection",
    ),
    (
        r"repository .*not found|does not appear to be a git repository|not found$|not valid: is this a git repository",
        "check the address",
    ),
    (r"transport '.*' not allowed", "a submodule uses a transport that Kobako does not fetch: add a folder instead"),
    (r"no space left on device", "free some space on this disk"),
)


def _drop_git(folder: Path) -> None:
    """Remove .git of the repository and of its submodules (where it is a file)."""
    for here, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
            shutil.rmtree(Path(here) / ".git")
        if ".git" in files:
            (Path(here) / ".git").unlink()


def identity(folder: Path, run: Run) -> dict[str, str | bool]:
    """Commit and date of a folder that is the top of a git repository; nothing for any other folder."""
    if not (folder / ".git").exists():
        return {}
    git = Git(run, folder, offline=True)
    top = git.text("rev-parse", "--show-toplevel")
    commit = git.text("rev-parse", "--verify", "--quiet", "HEAD")
    if not commit or Path(top).resolve() != folder.resolve():
        return {}
    return _identity(git, commit)


def state(folder: Path, run: Run) -> dict[str, str | bool]:
    """The same, and whether it is dirty."""
    facts = identity(folder, run)
    git = Git(run, folder, offline=True)
    if facts and not has_filters(git):
        told = git("--no-optional-locks", "status", "--porcelain", "--ignore-submodules=dirty")
        if told.ok:  # else nobody knows
            facts["dirty"] = bool(told.stdout.strip())
    return facts


def has_filters(git: Git) -> bool:
    """Whether the repository's own configuration, what it includes counted, names programs that compare files.

    git would run them to find out whether a file has changed: then nobody knows. Those of the user's own
    configuration (git-lfs) are the user's.
    """
    outcome = git("config", "--includes", "--show-scope", "--get-regexp", r"^filter\.")
    if outcome.code not in {0, 1}:  # 1: there is none
        return True
    scopes = {line.split(None, 1)[0] for line in outcome.stdout.splitlines() if line.strip()}
    return not scopes <= {"system", "global"}


def subtree(source: Source, name: str, workspace: Path, run: Run) -> tuple[Fetched, Callable[[], None]]:
    """``git subtree add`` into the workspace's own repository, which the user can merge both ways later.

    It makes commits: the second value takes them back.
    """
    git = Git(run, workspace, local=_is_local(source.location))
    top = git.text("rev-parse", "--show-toplevel")
    if not top:
        raise _no_subtree("the workspace is not a git repository", "git init, commit, then add again")
    if Path(top).resolve() != workspace.resolve():
        raise _no_subtree(f"the git repository's top is {top}, not the workspace", "add without --subtree")
    if not git("rev-parse", "--verify", "--quiet", "HEAD").ok:
        raise _no_subtree("the workspace's repository has no commit yet", "commit something first")
    if not (git("diff-index", "--quiet", "--cached", "HEAD").ok and git("diff-files", "--quiet").ok):
        raise _no_subtree("the workspace has changes that are not committed", "commit or stash them first")
    ref = source.ref or _default_branch(git, source)
    before = git.text("rev-parse", "HEAD")
    outcome = git("subtree", "add", f"--prefix={checked_name(name)}", source.location, ref, "--squash")
    if not outcome.ok:
        raise UsageError("bad-source", f"git subtree add failed for {hide(source.location)}", why=_said(outcome))
    commit = _squashed(git.text("log", "--format=%B", f"{before}..HEAD"))
    identity = _identity(git, commit)
    facts: dict[str, str | bool] = {"git": hide(source.location), **identity, "ref": ref, "subtree": True}
    return Fetched(workspace / name, name, facts, in_place=True), lambda: _undo(git, before)


def _undo(git: Git, before: str) -> None:
    """Back to the commit that was there, keeping whatever is not committed."""
    git("reset", "--quiet", "--keep", before)


def _default_branch(git: Git, source: Source) -> str:
    listed = _must(git("ls-remote", "--symref", "--", source.location, "HEAD"), source).stdout
    found = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", listed, re.MULTILINE)
    if not found:
        raise UsageError("bad-source", f"{hide(source.location)} has no default branch", fix="name one: --ref BRANCH")
    return found[1]


def _squashed(message: str) -> str:
    found = re.search(r"^git-subtree-split: ([0-9a-f]{40})$", message, re.MULTILINE)
    return found[1] if found else ""


def _no_subtree(why: str, fix: str) -> UsageError:
    return UsageError("bad-source", "--subtree cannot be used here", why=why, fix=fix)
