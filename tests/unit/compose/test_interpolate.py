"""Variables are replaced as Compose documents it; the same table is compared with Compose itself in tests/engines."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kobako.compose.interpolate import interpolate
from kobako.errors import UsageError, Where

ENV = {"A": "val", "E": "", "a_1": "low", "D": "$A ${A}"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$A", "val"),
        ("${A}b", "valb"),
        ("$a_1-x", "low-x"),
        ("$Ab|$A_b|$A-b", "||val-b"),
        ("${U}|$U", "|"),
        ("$$A|$$$$|${U:-$$}", "$A|$$|$"),
        ("$|a$ b|$1|$(x)|$é|$", "$|a$ b|$1|$(x)|$é|$"),
        ("${A-d}|${A:-d}|${A+d}|${A:+d}", "val|val|d|d"),
        ("${E-d}|${E:-d}|${E+d}|${E:+d}", "|d|d|"),
        ("${U-d}|${U:-d}|${U+d}|${U:+d}", "d|d||"),
        ("${A?x}|${A:?x}|${E?x}", "val|val|"),
        ("${U:-${A}}|${U:-a${U:-b}c}|${A:+${E:-x}y}", "val|abc|xy"),
        ("${U:-a:-b}|${U:-$A}|${U:-}|${U-}", "a:-b|val||"),
        ("${U:-}}|}{", "}|}{"),
        ("${U:-a b{c}}", "a b{c}"),
        ("$D", "$A ${A}"),
        ("機械${U:-学習}", "機械学習"),
    ],
)
def test_values(text: str, value: str) -> None:
    assert interpolate(text, ENV) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${", "no variable's name follows ${"),
        ("${}", "no variable's name follows ${"),
        ("${1A}", "no variable's name follows ${"),
        ("${ A}", "no variable's name follows ${"),
        ("${é}", "no variable's name follows ${"),
        ("x${A", "what follows A is not understood"),
        ("${A }", "what follows A is not understood"),
        ("${A!}", "what follows A is not understood"),
        ("${A:}", "what follows A is not understood"),
        ("${A:x}", "what follows A is not understood"),
        ("${a.b}", "what follows a is not understood"),
        ("${A:-b", "a closing brace is missing"),
        ("${A:-${B}", "a closing brace is missing"),
    ],
)
def test_what_compose_refuses(text: str, why: str) -> None:
    where = Where("compose.yaml", 3, 7)
    with pytest.raises(UsageError) as caught:
        interpolate(text, ENV, where)
    error = caught.value
    assert (error.code, error.why, error.where) == ("invalid-interpolation", why, where)
    assert error.what == f"a variable is not written as Compose wants it: {text}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${U?}", "it is not set"),
        ("${U:?}", "it is not set"),
        ("${E:?}", "it is empty"),
        ("${U:?ask $A}", "ask val"),
        ("${U?${U:-why}}", "why"),
    ],
)
def test_a_variable_that_must_be_there(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        interpolate(text, ENV)
    name = text[2]
    assert caught.value.what == f"the compose file demands the variable {name}"
    assert (caught.value.why, caught.value.fix) == (why, f"put {name}=... into .env")


PIECES = st.lists(st.sampled_from(["$", "${", "}", "{", ":", "-", "?", "+", "A", "E", "U", "_", "1", " ", "é", "\n"]))


@settings(deadline=None)
@given(PIECES.map("".join))
@example("${" * 3000)
@example("${U:-" * 3000 + "}" * 3000)
def test_nothing_but_a_usage_error(text: str) -> None:
    try:
        found = interpolate(text, ENV)
    except UsageError as error:
        assert error.code == "invalid-interpolation"
    else:
        assert isinstance(found, str)


@settings(deadline=None)
@given(st.text())
def test_a_doubled_dollar_sign_is_one(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), ENV) == text


@settings(deadline=None)
@given(st.text(), st.text())
def test_a_value_is_not_looked_into(value: str, default: str) -> None:
    assert interpolate("${X}", {"X": value}) == value
    if not set(default) & set("$}"):
        assert interpolate("${X-" + default + "}", {}) == default
