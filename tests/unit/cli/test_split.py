"""Which words are Kobako's, and which are for the program inside."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobako.cli.main import VERBS, _split
from kobako.cli.run import split


@pytest.mark.parametrize(
    ("argv", "verb", "rest"),
    [
        ("ps", "ps", ""),
        ("ps --json box", "ps", "--json box"),
        ("--json ps", "ps", "--json"),
        ("--workspace ps ps -q", "ps", "--workspace ps -q"),
        ("--engine docker -v ps", "ps", "--engine docker -v"),
        ("--workspace=ps ps", "ps", "--workspace=ps"),
        ("exec box exec", "exec", "box exec"),
        ("--json", None, "--json"),
        ("--engine docker", None, "--engine docker"),
        ("", None, ""),
    ],
)
def test_the_verb(argv: str, verb: str | None, rest: str) -> None:
    assert _split(argv.split()) == (verb, rest.split())


@pytest.mark.parametrize(
    ("words", "own", "inside"),
    [
        ("box ls", "box", "ls"),
        ("box ls --json -v --engine x", "box", "ls --json -v --engine x"),
        ("--engine docker box ls", "--engine docker box", "ls"),
        ("-e A=b -w /x -u me box ls", "-e A=b -w /x -u me box", "ls"),
        ("--env=A=b -T box ls", "--env=A=b -T box", "ls"),
        ("box -- ls", "box", "ls"),
        ("box -- -- ls", "box", "-- ls"),
        ("-- box ls", "box", "ls"),
        ("box", "box", ""),
        ("--help", "--help", ""),
        ("", "", ""),
    ],
)
def test_a_command(words: str, own: str, inside: str) -> None:
    assert split(words.split(), "command") == (own.split(), tuple(inside.split()))


@pytest.mark.parametrize(
    ("words", "own", "inside"),
    [
        ("box --config=x.py", "box", "--config=x.py"),
        ("box --json --config x", "box --json", "--config x"),
        ("box --config x --engine docker", "box --engine docker", "--config x"),
        ("box --engine=docker x", "box --engine=docker", "x"),
        ("box -v -e A=b", "box", "-v -e A=b"),
        ("box -- --json --engine x", "box", "--json --engine x"),
        ("box --yes -- --yes", "box --yes", "--yes"),
        ("--json box x", "--json box", "x"),
        ("-e A=b box x", "-e A=b box", "x"),
    ],
)
def test_arguments(words: str, own: str, inside: str) -> None:
    assert split(words.split(), "args") == (own.split(), tuple(inside.split()))


def test_no_tail() -> None:
    assert split(["box", "--", "x"], "") == (["box", "--", "x"], ())


WORDS = st.lists(st.sampled_from(["box", "--", "-v", "--json", "--engine", "-e", "A=b", "--config=x", ""]), max_size=8)


@settings(deadline=None)
@given(WORDS)
def test_what_follows_the_service_reaches_the_program_untouched(words: list[str]) -> None:
    for first in ([], ["--engine", "docker"], ["-v", "-e", "A=b"]):
        assert split([*first, "box", "--", *words], "command") == ([*first, "box"], tuple(words))
        assert split([*first, "box", "--", *words], "args") == ([*first, "box"], tuple(words))


@settings(deadline=None)
@given(WORDS, st.sampled_from(["", "command", "args"]))
def test_no_word_is_lost_but_separators(words: list[str], tail: str) -> None:
    own, inside = split(words, tail)
    lost = list(words)
    for word in (*own, *inside):
        lost.remove(word)
    # one before the service, one behind it
    assert lost in ([[]] if not tail else [[], ["--"], ["--", "--"]])


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_may_have_flags_on_both_sides(verb: str) -> None:
    assert _split(["-v", verb, "-q"]) == (verb, ["-v", "-q"])
