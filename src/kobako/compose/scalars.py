"""What a plain word means to Compose: the rules of go-yaml v3 (YAML 1.2 core and a few 1.1 forms)."""

from __future__ import annotations

import math
import re

Plain = str | int | float | bool | None

PREFIX = "tag:yaml.org,2002:"
_WORDS: dict[str, Plain] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
# Longer ones are out of range in any base, and Python refuses to convert very long ones.
_LONGEST_INTEGER = 66
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LEADING_DOT = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?")


def resolve(text: str) -> Plain:
    """The value of an untagged plain word. A time stamp stays text: Compose has no use for one."""
    if text in _WORDS:
        return _WORDS[text]
    if not text.isascii():
        return text
    digits = text.replace("_", "")
    if text[0] == ".":
        return _number(digits) if _LEADING_DOT.fullmatch(digits) else text
    if text[0] in "+-0123456789":
        integer = _integer(digits)
        if integer is not None:
            return integer
        number = _number(digits) if _FLOAT.fullmatch(digits) else digits
        return number if isinstance(number, float) else text
    return text


def _integer(digits: str) -> int | None:
    """Go reads signed 64 bits, then unsigned ones (without a sign): anything beyond is not an integer."""
    match = _INTEGER.fullmatch(digits)
    if match is None or len(digits) > _LONGEST_INTEGER:
        return None
    name = match.lastgroup or "dec"
    value = int(match["sign"] + match[name], _BASES[name])
    top = 2**63 if match["sign"] else 2**64
    return value if -(2**63) <= value < top else None


def _number(text: str) -> Plain:
    """Beyond a float's range Go gives up, and the text stays text."""
    value = float(text)
    return text if math.isinf(value) else value


def resolve_tagged(text: str, tag: str | None, style: str) -> Plain:
    """The value of a scalar. Raises ``ValueError`` where a standard tag does not fit its text."""
    if tag is None or tag == "!":
        return text if style else resolve(text)
    name = tag.removeprefix(PREFIX)
    if name == tag or name not in {"bool", "int", "float", "null"}:
        return text
    value = resolve(text)
    if name == "float" and type(value) is int:
        return float(value)
    if {"bool": bool, "int": int, "float": float, "null": type(None)}[name] is not type(value):
        raise ValueError(text)
    return value
