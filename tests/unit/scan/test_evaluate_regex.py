"""The bounded engine for regular expressions finds what Python's own finds, and ends where that would not."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobako.scan.evaluate.regex import Pattern
from kobako.scan.evaluate.regex_signs import Refused

REQUIREMENTS = (
    "# core\nnumpy>=1.20  # why\n\ntorch >= 1.7,<2\nPyYAML\nfoo[a,b]==1.0; python_version < '3.8'\n-r more.txt\n"
)
VERSION = "import os\n\n__version__ = '1.2.3'\n__author__ = \"x\"\nVERSION=(1, 2)\n"
LINES = ["numpy>=1.20", "torch", "a==1;python_version<'3.7'", "git+https://example.org/a/b.git@v1#egg=b", "", "  x  "]

PATTERNS = [
    r"^__version__\s*=\s*['\"]([^'\"]*)['\"]",
    r"__version__ = ['\"]([^'\"]+)['\"]",
    r"^(([^!=<>~]+)(?:[!=<>~].*)?$)",
    r"^\s*([^#\s]+)",
    r"#.*",
    r"#.*$",
    r"\s+#.*",
    r"[<>=!~]+",
    r"([<>=!~]=?)",
    r"(>=|==|>)",
    r"(.*?)(#.*)?$",
    r"(.+?)(?:\s*#.*)?$",
    r"(\s*)(.*?)(\s*)$",
    r"(?P<name>[\w.-]+)\s*(?P<op>[<>=]=)?\s*(?P<version>[\d.]*)",
    r"^(git\+)?(https|ssh)://(git@)?example\.org/([\w-]+)/(?P<name>[\w-]+)\.git",
    r"egg=([^&]+)",
    r"\bpython_version\b",
    r"\d+(?:\.\d+)*",
    r"\d{1,2}\.\d+",
    r"(?i)PYYAML|TORCH",
    r"(?m)^\w+",
    r"(?s)core.*torch",
    r"\A\s*\S+\s*\Z",
    r"(?=numpy)n(?!x)\w+",
    r"(?<=>=)\S+",
    r"(?<!=)=(?!=)",
    r"a?b?c?",
    r"x*",
    r"(?:ab|a)(?:c|bcd)",
    r"(a|ab)(c|bcd)(d*)",
    r"(a*)*b",
    r"(?:a*?)*?b",
    r"((a)|b)*",
    r"[^\W\d_]+",
    r"[a-zA-Z_][a-zA-Z0-9_]*",
    r"[]\-a]+",
    r".",
    r"",
    r"$",
    r"^",
]
TEXTS = [REQUIREMENTS, VERSION, *LINES, "aab", "abcd", "ABC abc", "aaaa", "ab\nab\n", "é_1 ñ\t\n", "]-a"]


def spans(found: re.Match[str] | None) -> list[tuple[int, int] | None] | None:
    if found is None:
        return None
    return [None if found.span(at) == (-1, -1) else found.span(at) for at in range(found.re.groups + 1)]


@pytest.mark.parametrize("flags", [0, re.MULTILINE, re.IGNORECASE | re.DOTALL])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_what_python_finds(pattern: str, flags: int) -> None:
    ours, theirs = Pattern(pattern, flags), re.compile(pattern, flags)
    assert (ours.groups, ours.names) == (theirs.groups, dict(theirs.groupindex))
    for text in TEXTS:
        found = ours.over(text).search()
        assert (None if found is None else list(found.spans)) == spans(theirs.search(text)), text
        found = ours.over(text).match()
        assert (None if found is None else list(found.spans)) == spans(theirs.match(text)), text
        found = ours.over(text).match(whole=True)
        assert (None if found is None else list(found.spans)) == spans(theirs.fullmatch(text)), text
        assert [list(one.spans) for one in ours.over(text).every()] == [spans(one) for one in theirs.finditer(text)], (
            text
        )


PIECES = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        ".",
        r"\w",
        r"\s",
        "[ab]",
        "[^a]",
        "^",
        "$",
        r"\b",
        "(a|b)",
        "(?:ab|a)",
        "(a*)",
        "(?:b?a)",
        "(?=a)",
        "(?!b)",
    ]
)
COUNTS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "{1,2}", "{2}"])
PARTS = st.lists(st.tuples(PIECES, COUNTS), min_size=1, max_size=5)


@settings(max_examples=400, deadline=None)
@given(PARTS, PARTS, st.booleans(), st.text("ab \n", max_size=12))
def test_it_agrees_on_patterns_of_any_kind(
    parts: list[tuple[str, str]], more: list[tuple[str, str]], grouped: bool, text: str
) -> None:
    one, other = (
        "".join(piece + ("" if piece in "^$\\b" else count) for piece, count in each) for each in (parts, more)
    )
    pattern = f"(?:{one}|{other})*{one}" if grouped else f"{one}|{other}"
    try:
        theirs = re.compile(pattern)
    except re.error:
        return
    found = Pattern(pattern, 0).over(text).search()
    expected = spans(theirs.search(text))
    # which round of an empty repeat a group remembers is left open: the whole match is what counts
    assert (None if found is None else found.spans[0]) == (None if expected is None else expected[0])


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)+$", "a" * 5000 + "b"),
        (r"(a|a)*$", "a" * 3000 + "b"),
        (r"(.*)(.*)(.*)(.*)(.*)x", "a" * 20000),
        (r"((a*)*)*b", "a" * 3000),
        (r"(?:a?){60}a{60}", "a" * 60),
        (r"\s*=", " " * 50000),
        (r"(?:.*,){20}x", "a," * 5000),
        (r"^(\w+\s?)*$", "a a " * 3000 + "!"),
    ],
)
def test_it_ends(pattern: str, text: str) -> None:
    start = time.process_time()
    with suppress(Refused):
        Pattern(pattern, 0).over(text).search()
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "pattern", [r"(a)\1", r"(?P<x>a)(?P=x)", "(", "a" * 2000, "(?:a{3}){3000}", "(?<=a+)b", "[z-a]"]
)
def test_what_is_refused(pattern: str) -> None:
    with pytest.raises(Refused):
        Pattern(pattern, 0).over("aaa").search()
