"""What git is asked about a requirement: an address, and never anything that git could take for an option."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako.model.requirement import Requirement
from kobako.pipconfig import PipConfig
from kobako.process import Outcome
from kobako.sources import Asked
from kobako.sources.offered import missing


class Recorded:
    """Takes down what it is asked to run; nothing is run."""

    def __init__(self) -> None:
        self.argv: list[list[str]] = []

    def __call__(
        self,
        argv: list[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Outcome:
        self.argv.append(argv)
        return Outcome(tuple(argv), 128, "", "fatal: no", 0.1)


def asked(url: str) -> tuple[list[str], str]:
    """The end of the command that was run ([] for none), and why the requirement cannot be had."""
    run = Recorded()
    (found,) = missing([Requirement("x", url=url)], Asked(), run, PipConfig(find_links=("/nowhere",), no_index=True))
    words = run.argv[0] if run.argv else []
    return words[words.index("ls-remote") :] if words else [], found.why


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("git+https://example.org/a/b.git", "https://example.org/a/b.git"),
        ("git+https://example.org/a/b@v1.0", "https://example.org/a/b"),
        ("git+https://example.org/a/b.git#subdirectory=x", "https://example.org/a/b.git"),
        ("git+ssh://git@example.org/a/b.git", "ssh://git@example.org/a/b.git"),
        ("git+ssh://git@example.org/a/b.git@main", "ssh://git@example.org/a/b.git"),
    ],
)
def test_an_address(url: str, address: str) -> None:
    argv, why = asked(url)
    assert argv == ["ls-remote", "--quiet", "--", address, "HEAD"]
    assert why == "its repository does not answer: fatal: no"


@pytest.mark.parametrize("url", ["git+--upload-pack=touch$IFS/tmp/x;://h/y", "git+ext::sh://x/y", "git+-c://x/y"])
def test_no_address(url: str) -> None:
    argv, why = asked(url)
    assert argv == []
    assert "git is not asked" in why
