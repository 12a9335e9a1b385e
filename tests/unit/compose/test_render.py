"""Rendered values are read back as the same values by YAML 1.1, by YAML 1.2 as Compose has it, and by both parsers."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kobako.compose.document import Value, load, plain
from kobako.compose.layout import Layout
from kobako.compose.render import Style, flow, folded, is_plain_safe, literal, representable, rows, scalar

LAYOUT = Layout(step=2, dash=2, newline="\n", quote='"')
HARD = [
    "8gb", "yes", "1.10", "on", "0123", "12:30", "~", "", " a", "a ", ": ", "a: b", " #", "a #b", "機械学習", "two\nlines",
    "a\n", "---", "...", "- a", "<<", "=", "1e3", "2020-01-01", "null", "y", "0x1f", "1_000", "+1", ".5", ".inf", "{a", "[a",
    "a,b", "a]", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "?a", "? a", "a?", "-", "-a", "a:", "a\tb", "\u3000a", "\xa0",
    "a\x85b", "a\u2028b", "\ufeffa", "\x07", "\x7f", "\x00", "\U0001f600", "'", '"', "\\", "a'b", 'a"b\\', "#a", "${A}", "a\rb",
]  # fmt: skip

texts = st.text(
    st.one_of(
        st.sampled_from("ab0-:.# \"'\n\t{}[],&*!|>%@`?~=\\_ynoYe機\x85\u2028\ufeff"), st.characters(codec="utf-8")
    ),
    max_size=8,
)
scalars = st.one_of(texts, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.none(), st.floats(allow_nan=False))
values = st.recursive(
    scalars,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(texts, below, max_size=3)),
    max_leaves=8,
)
styles = st.builds(
    Style, want=st.sampled_from(["", "'", '"']), need=st.sampled_from(["'", '"']), key=st.sampled_from(["", '"'])
)


def readings(text: str) -> list[object]:
    """The same text by PyYAML (YAML 1.1), its pure parser, and ours (Compose's rules)."""
    return [
        yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)),
        yaml.load(text, Loader=yaml.SafeLoader),
        plain(load(text).root),
    ]


@pytest.mark.parametrize("text", HARD)
@pytest.mark.parametrize("want", ["", "'", '"'])
def test_hard_texts(text: str, want: str) -> None:
    style = Style(want, "'", want)
    assert readings(f"k: {scalar(text, style)}\n") == [{"k": text}] * 3
    assert readings(f"k: [{scalar(text, style, flow=True)}]\n") == [{"k": [text]}] * 3
    assert readings("\n".join(rows({text: {text: 1}}, LAYOUT, style))) == [{text: {text: 1}}] * 3


@given(values, styles)
def test_any_value_in_flow_style(value: Value, style: Style) -> None:
    assert readings(f"k: {flow(value, style)}\n") == [{"k": value}] * 3


@given(
    st.one_of(st.lists(values, min_size=1, max_size=3), st.dictionaries(texts, values, min_size=1, max_size=3)), styles
)
def test_any_value_in_block_style(value: Value, style: Style) -> None:
    assert readings("\n".join(rows(value, LAYOUT, style)) + "\n") == [value] * 3


@given(texts)
def test_blocks_of_text_are_given_up_or_right(text: str) -> None:
    for make in literal, folded:
        block = make(text, 2, "\n")
        if block is not None:
            assert readings(f"k: {block}\nl: 1\n") == [{"k": text, "l": 1}] * 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.inf, ".inf"),
        (-math.inf, "-.inf"),
        (math.nan, ".nan"),
        (1e16, "1.0e+16"),
        (1.5e-7, "1.5e-07"),
        (None, "null"),
        (False, "false"),
        (-3, "-3"),
        ("./data:/workspace/data", "./data:/workspace/data"),
        ("80:80", '"80:80"'),
        ("two\nlines", '"two\\nlines"'),
        ("\u2028\x00\U000e0001", '"\\u2028\\0\U000e0001"'),
    ],
)
def test_how_it_is_written(value: Value, text: str) -> None:
    assert scalar(value) == text


def test_ordinary_words_stay_bare() -> None:
    words = [
        "mmdetection",
        "./docker/mmdetection",
        "8gb",
        "nvcr.io/nvidia/pytorch:22.02-py3",
        "機械学習",
        "${HOME}/x",
        "a b",
    ]
    assert [word for word in words if not is_plain_safe(word)] == []
    assert not is_plain_safe("a:b", flow=True)


def test_a_byte_that_is_not_utf8_cannot_be_written() -> None:
    assert not representable("a\udcff")
    assert representable("機械\U0001f600")
