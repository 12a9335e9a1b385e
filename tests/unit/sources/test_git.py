"""git, answered by recorded outputs: what is asked for, and what a failure is told as."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako.errors import UsageError
from kobako.process import Outcome
from kobako.sources import git
from kobako.sources.model import Source

COMMIT = "1" * 40


class Recorded:
    """Answers by the first argument of git."""

    def __init__(self, **answers: tuple[int, str, str]) -> None:
        self.answers = answers
        self.calls: list[list[str]] = []
        self.env: Mapping[str, str] = {}

    def __call__(
        self,
        argv: list[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Outcome:
        command = argv[len(("git", *git._QUIET, *git._PATIENCE)) :]
        self.calls.append(command)
        self.env = env or {}
        code, out, err = self.answers.get(command[0].replace("-", "_"), (0, "", ""))
        if command[0] == "checkout" and cwd is not None:
            (cwd / "train.py").write_text("")
        return Outcome(tuple(argv), code, out, err, 0.0)


def refs(*names: str) -> tuple[int, str, str]:
    return 0, "".join(f"{COMMIT}\t{name}\n" for name in names), ""


def source(url: str = "https://user:pw@example.org/a/x.git", ref: str = "") -> Source:
    return Source("git", url, url, "x", ref)


def test_a_shallow_copy_with_its_commit(tmp_path: Path) -> None:
    run = Recorded(ls_remote=refs("HEAD", "refs/heads/main"), rev_parse=(0, f"{COMMIT}\n", ""))
    fetched = git.fetch(source(), "x", tmp_path, run)
    assert fetched.path == tmp_path / "x"
    assert fetched.facts == {"git": "https://example.org/a/x.git", "commit": COMMIT}
    fetch = next(call for call in run.calls if call[0] == "fetch")
    assert fetch[-2:] == ["https://user:pw@example.org/a/x.git", "HEAD"]
    assert "--depth=1" in fetch


def test_git_never_asks(tmp_path: Path) -> None:
    run = Recorded(ls_remote=refs("HEAD"), rev_parse=(0, COMMIT, ""))
    git.fetch(source(), "x", tmp_path, run)
    assert run.env["GIT_TERMINAL_PROMPT"] == "0"
    assert run.env["GIT_ALLOW_PROTOCOL"] == "https:http:ssh:git"
    assert "BatchMode=yes" in run.env["GIT_SSH_COMMAND"]


@pytest.mark.parametrize(
    ("ref", "full"), [("v1", "refs/tags/v1"), ("main", "refs/heads/main"), ("refs/pull/7/head", "refs/pull/7/head")]
)
def test_refs_by_their_full_name(ref: str, full: str, tmp_path: Path) -> None:
    names = ("HEAD", "refs/heads/main", "refs/pull/7/head", "refs/tags/v1", "refs/tags/v1^{}")
    run = Recorded(ls_remote=refs(*names), rev_parse=(0, COMMIT, ""))
    fetched = git.fetch(source(ref=ref), "x", tmp_path, run)
    assert next(call for call in run.calls if call[0] == "fetch")[-1] == full
    assert fetched.facts["ref"] == ref


def test_a_commit_needs_the_whole_history(tmp_path: Path) -> None:
    run = Recorded(ls_remote=refs("HEAD", "refs/heads/main"), rev_parse=(0, COMMIT, ""))
    fetched = git.fetch(source(ref="1111111"), "x", tmp_path, run)
    assert not any("--depth=1" in call for call in run.calls)
    assert fetched.facts == {"git": "https://example.org/a/x.git", "commit": COMMIT, "ref": "1111111"}


def test_a_ref_that_is_not_there(tmp_path: Path) -> None:
    run = Recorded(ls_remote=refs("HEAD", "refs/heads/feature/y"))
    with pytest.raises(UsageError) as caught:
        git.fetch(source(ref="featur"), "x", tmp_path, run)
    assert (caught.value.code, caught.value.what, caught.value.fix) == (
        "bad-source",
        "https://example.org/a/x.git has no branch, tag or commit featur",
        "did you mean feature/y?",
    )


def test_an_empty_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        git.fetch(source(), "x", tmp_path, Recorded(ls_remote=(0, "", "")))
    assert caught.value.what == "https://example.org/a/x.git is an empty repository"


# Recorded from git 2.39 and OpenSSH 9.2, host names replaced.
RECORDED = [
    (
        "fatal: could not read Username for 'https://example.org': terminal prompts disabled\n",
        "fatal: could not read Username for 'https://example.org': terminal prompts disabled",
        "it asks who you are: use an ssh URL with a key in your agent, or a git credential helper",
    ),
    (
        "remote: Invalid username or password.\nfatal: Authentication failed for 'https://u:p@example.org/x.git/'\n",
        "remote: Invalid username or password.",
        "it asks who you are: use an ssh URL with a key in your agent, or a git credential helper",
    ),
    (
        "git@example.org: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
        "fatal: Could not read from remote repository.",
        "it asks who you are: use an ssh URL with a key in your agent, or a git credential helper",
    ),
    (
        "fatal: unable to access 'https://u:p@example.org/x.git/': Could not resolve host: example.org\n",
        "fatal: unable to access 'https://example.org/x.git/': Could not resolve host: example.org",
        "check the address and the connection",
    ),
    (
        "remote: Repository not found.\nfatal: repository 'https://example.org/x.git/' not found\n",
        "remote: Repository not found.",
        "check the address",
    ),
    (
        "Host key verification failed.\nfatal: Could not read from remote repository.\n",
        "fatal: Could not read from remote repository.",
        "connect once by hand, so that ssh knows the host",
    ),
]


@pytest.mark.parametrize(("stderr", "why", "fix"), RECORDED)
def test_failures_say_what_to_do(stderr: str, why: str, fix: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        git.fetch(source(), "x", tmp_path, Recorded(ls_remote=(128, "", stderr)))
    assert (caught.value.code, caught.value.why, caught.value.fix) == ("bad-source", why, fix)
    assert "pw" not in f"{caught.value.what}{caught.value.why}"


def test_no_git_at_all(tmp_path: Path) -> None:
    def run(
        argv: list[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Outcome:
        return Outcome(tuple(argv), None, "", "No such file or directory", 0.0)

    with pytest.raises(UsageError) as caught:
        git.fetch(source(), "x", tmp_path, run)
    assert (caught.value.why, caught.value.fix) == ("git is not installed", "install git")


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"rev_parse": (128, "", "")}, "the workspace is not a git repository"),
        ({"diff_index": (1, "", "")}, "the workspace has changes that are not committed"),
    ],
)
def test_subtree_says_what_it_needs(answers: dict[str, tuple[int, str, str]], why: str, tmp_path: Path) -> None:
    run = Recorded(**{"rev_parse": (0, str(tmp_path), ""), **answers})
    with pytest.raises(UsageError) as caught:
        git.subtree(source(), "x", tmp_path, run)
    assert (caught.value.what, caught.value.why) == ("--subtree cannot be used here", why)


def test_a_local_filter_is_never_run(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    def run(
        argv: list[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Outcome:
        assert "status" not in argv
        out = {"--show-toplevel": str(tmp_path), "HEAD": COMMIT}.get(argv[-1], "filter.x.clean sh -c evil")
        return Outcome(tuple(argv), 0, out, "", 0.0)

    assert git.state(tmp_path, run) == {"commit": COMMIT}
