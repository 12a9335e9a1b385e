"""Variables in Dockerfile words."""

from __future__ import annotations

import pytest

from kobako.dockerfile.lex import LexError, expand

ENV = {"A": "a", "EMPTY": "", "V": "foobarfoo", "P": "x/y/z"}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("$A", "a"),
        ("${A}b", "ab"),
        ("$NONE", ""),
        ("${NONE:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${NONE-$A}", "a"),
        ("${A:+y}", "y"),
        ("${EMPTY:+y}", ""),
        ("${EMPTY+y}", "y"),
        ("${NONE:-${A}}", "a"),
        ("'$A'", "$A"),
        ('"$A b"', "a b"),
        ("\\$A", "$A"),
        ("$", "$"),
        ("${V#foo}", "barfoo"),
        ("${V%foo}", "foobar"),
        ("${P##*/}", "z"),
        ("${P#*/}", "y/z"),
        ("${P%%/*}", "x"),
        ("${P%/*}", "x/y"),
        ("${V/foo/1}", "1barfoo"),
        ("${V//foo/1}", "1bar1"),
        ("${V//o?/-}", "f-barf-"),
    ],
)
def test_expand(word: str, value: str) -> None:
    assert expand(word, ENV) == value


@pytest.mark.parametrize(
    "word", ["${", "${A", "${}", "${:x}", "'a", '"a', "${NONE:?must}", "${A:#x}", "${A!}", "${A/x}"]
)
def test_malformed(word: str) -> None:
    with pytest.raises(LexError):
        expand(word, ENV)


def test_the_escape_character_is_the_files() -> None:
    assert expand("a`$A\\", ENV, "`") == "a$A\\"
