"""What is refused, in which words and where."""

from __future__ import annotations

import time

import pytest
import yaml

from kobako.compose.document import load
from kobako.errors import UsageError, Where


def refusal(text: str) -> tuple[str, str, str]:
    with pytest.raises(UsageError) as caught:
        load(text, "f")
    assert caught.value.code == "invalid-yaml"
    assert caught.value.what.startswith("not valid YAML: ")
    return caught.value.what.removeprefix("not valid YAML: "), caught.value.why, str(caught.value.where)


FITS = "this does not fit the lines above; check the indentation"
COLON = "a `:` stands where no key can be; check the indentation, or quote the text"
BEGINS = "a value cannot begin with this character; put it in quotes"
TAB = "a tab is used for indentation; YAML takes spaces only"


@pytest.mark.parametrize(
    ("text", "what", "why", "where"),
    [
        ("a: 1\n b: 2\n", COLON, "", "f:2:3"),
        ("a: b: c\n", COLON, "", "f:1:5"),
        ("a: @x\n", BEGINS, "", "f:1:4"),
        ("a: `x`\n", BEGINS, "", "f:1:4"),
        ("a:\n\t- 1\n", TAB, "", "f:2:1"),
        ("a:\n  b: 1\n c: 2\n", FITS, "what it belongs to begins on line 1", "f:3:2"),
        (
            "- a\nb: c\n",
            "this does not fit the list above; check the indentation",
            "what it belongs to begins on line 1",
            "f:2:1",
        ),
        ("a:\n  b: 'x\n  c: 1\n", "a quote is opened and never closed", "", "f:2:6"),
        ('a: "\\q"\n', "an escape (backslash) in a quoted text is not known to YAML", "", "f:1:5"),
        ("a: [1\nb: 2\n", "a list in [...] lacks a `,` or its `]`", "what it belongs to begins on line 1", "f:2:2"),
        ("a: {b: 1\n", "a mapping in {...} lacks a `,` or its `}`", "what it belongs to begins on line 1", "f:2:1"),
        (
            "a: 1\nb\nc: 2\n",
            "this line is neither a key with its `:` nor part of the value above",
            "what it belongs to begins on line 2",
            "f:3:1",
        ),
        ("a: |x\n", "after `|` or `>` only a comment may stand on the line", "", "f:1:5"),
        ("a: !x!y 1\n", "a tag (`!...!`) is used and never declared", "", "f:1:4"),
        ("a: *b\n", "the anchor `&b` is not defined above its use", "", "f:1:4"),
        ("a: &a [*a]\n", "`*a` stands inside what it refers to", "", "f:1:8"),
        ("a: 1\nb: 2\n'a': 3\n", "the key `a` stands twice in one mapping", "it stands on line 1 already", "f:3:1"),
        (
            "x: &x {}\na: {<<: *x, <<: *x}\n",
            "the key `<<` stands twice in one mapping",
            "it stands on line 2 already",
            "f:2:13",
        ),
        ("a: {<<: 1}\n", "`<<` takes a mapping or a list of mappings", "", "f:1:9"),
        ("? [a]\n: b\n", "a list or a mapping is used as a key", "", "f:1:3"),
        ("a: !!int x\n", "`x` does not fit its tag `!!int`", "", "f:1:4"),
        ("a: b\x07\n", "the character U+0007 may not stand in a YAML file", "", "f:1:5"),
        ("a: b\n\udcff\n", "the byte 0xFF is not UTF-8 text", "", "f:2:1"),
        (
            '"\\e[1m": 1\n"\\e[1m": 2\n',
            "the key `\\x1b[1m` stands twice in one mapping",
            "it stands on line 1 already",
            "f:2:1",
        ),
    ],
)
def test_plain_words_and_places(text: str, what: str, why: str, where: str) -> None:
    assert refusal(text) == (what, why, where)


def test_a_repeated_key_says_what_to_do() -> None:
    with pytest.raises(UsageError) as caught:
        load("a: 1\na: 2\n", "f")
    assert caught.value.fix == "remove one of the two"
    assert caught.value.where == Where("f", 2, 1)


ALIASES = "a: &a [x]\n" + "".join(
    f"b{n}: &b{n} [{', '.join(['*b' + str(n - 1) if n else '*a'] * 10)}]\n" for n in range(30)
)
MERGES = "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 3000))
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (ALIASES, "with aliases followed it holds more than 100000 values"),
        (MERGES, "its merge keys bring in more than 100000 values"),
        (CHAIN, "with aliases followed it nests deeper than 200 levels"),
        ("a: " + "[" * 5000, "it nests deeper than 200 levels"),
        ("- " * 5000 + "x", "it nests deeper than 200 levels"),
        ("\n".join(" " * n + "a:" for n in range(500)), "it nests deeper than 200 levels"),
    ],
)
@pytest.mark.parametrize("pure", [False, True])
def test_bombs_are_refused_in_time(text: str, what: str, pure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if pure:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    begin = time.monotonic()
    assert refusal(text)[0] == what
    assert time.monotonic() - begin < 20


PURE = [
    ("a:\n\t- 1\n", TAB),
    ("a: 1\n b: 2\n", COLON),
    ("a: @x\n", BEGINS),
    ("a:\n  b: 1\n c: 2\n", FITS),
    ("a: 'x\n", "a quote is opened and never closed"),
    ("a: [1\nb: 2\n", "a list in [...] lacks a `,` or its `]`"),
    ("a: {b: 1\n", "a mapping in {...} lacks a `,` or its `}`"),
    ("a: 1\nb\nc: 2\n", "this line is neither a key with its `:` nor part of the value above"),
    ('a: "\\q"\n', "an escape (backslash) in a quoted text is not known to YAML"),
    ("a: |x\n", "after `|` or `>` only a comment may stand on the line"),
    ("a: b\x07\n", "the character U+0007 may not stand in a YAML file"),
    ("a: b\n\udcff\n", "the byte 0xFF is not UTF-8 text"),
]


@pytest.mark.parametrize(("text", "what"), PURE)
def test_the_pure_parser_says_the_same(text: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert refusal(text)[0] == what
