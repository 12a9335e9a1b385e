"""What plain words mean, as Compose v2 printed them back (recorded with Compose 2.40)."""

from __future__ import annotations

import math

import pytest

from kobako.compose.document import load, plain

TEXT = [
    "yes", "no", "on", "off", "y", "n", "tRue", "nUll", "12:30", "190:20:30", "1.2.3", "8gb", "1d", "1e", "0b2", "0x", "0o8",
    "infinity", "nan", "0x1p3", "0777L", "..", ".", ".e3", "1e400", "機械学習", "１２", "=", "0.0.0.0",
]  # fmt: skip


@pytest.mark.parametrize("word", TEXT)
def test_text(word: str) -> None:
    assert plain(load(f"a: {word}\n").root) == {"a": word}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1),
        ("+1", 1),
        ("-1", -1),
        ("0", 0),
        ("0123", 83),
        ("-0123", -83),
        ("089", 89.0),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x1", -1),
        ("0b101", 5),
        ("1_000", 1000),
        ("9223372036854775807", 2**63 - 1),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 1.8446744073709552e19),
        ("-9223372036854775808", -(2**63)),
        ("-9223372036854775809", -9.223372036854776e18),
        ("1" * 400, "1" * 400),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("~", None),
        ("Null", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("!!str", ""),
        ('!!int "3"', 3),
        ("!!float 3", 3.0),
        ("!foo 3", "3"),
        ("! 3", 3),
        ("|\n  1", "1"),
    ],
)
def test_values(word: str, value: object) -> None:
    found = plain(load(f"a: {word}").root)
    assert isinstance(found, dict)
    assert (found["a"], type(found["a"])) == (value, type(value))


def test_not_a_number() -> None:
    found = plain(load("a: .NaN").root)
    assert isinstance(found, dict)
    assert isinstance(found["a"], float)
    assert math.isnan(found["a"])


def test_keys_are_text() -> None:
    assert plain(load("1: a\ntrue: b\n~: c\n0x1: d\n").root) == {"1": "a", "true": "b", "~": "c", "0x1": "d"}
