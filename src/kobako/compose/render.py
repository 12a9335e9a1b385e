"""Values as YAML text that 1.1 and 1.2 readers alike read back as the same values."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kobako.compose.lines import BREAKS

if TYPE_CHECKING:
    from kobako.compose.document import Value
    from kobako.compose.layout import Layout

# Words that some reader takes for something else than text.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", ".inf", ".nan", ""})
# Numbers of any base, dates, times, versions with digits only: quoted, whether or not one reader would take them for
# text, because the next one does not.
_NUMBER_LIKE = re.compile(r"[-+.]?[0-9][0-9a-fA-FxXoOtTzZ_.,:+\- ]*")
_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_UNPRINTABLE = re.compile("[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


@dataclass(frozen=True)
class Style:
    """``want`` is the quote to use where the text allows it (empty: a plain word); ``need`` the one to fall back on."""

    want: str = ""
    need: str = '"'
    key: str = ""


def representable(text: str) -> bool:
    """A lone surrogate (a byte that is not UTF-8) cannot be written in YAML at all."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def scalar(value: Value, style: Style = Style(), *, flow: bool = False) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    return _text(str(value), style, flow=flow)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    text = repr(value)
    mantissa, mark, exponent = text.partition("e")
    # YAML 1.1 reads `1e+16` as text.
    return text if not mark or "." in mantissa else f"{mantissa}.0e{exponent}"


def _text(text: str, style: Style, *, flow: bool) -> str:
    if not style.want and is_plain_safe(text, flow=flow):
        return text
    quote = style.want or style.need
    if _UNPRINTABLE.search(text) or any(char in text for char in BREAKS + "\t") or quote == '"':
        return _double_quoted(text)
    return "'" + text.replace("'", "''") + "'"


def _double_quoted(text: str) -> str:
    return '"' + _UNPRINTABLE.sub(_escape, "".join(_ESCAPES.get(char, char) for char in text)) + '"'


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_plain_safe(text: str, *, flow: bool = False) -> bool:
    """Whether any reader takes the bare text for exactly this text, wherever a value may stand."""
    if text.lower().lstrip("+-") in _WORDS or text[0] in _INDICATORS or _NUMBER_LIKE.fullmatch(text):
        return False
    if text != text.strip() or _UNPRINTABLE.search(text) or any(char in text for char in BREAKS + "\t"):
        return False
    if text.startswith(("...", "\u00a0", "\u3000")):
        return False
    if ": " in text or " #" in text or text.endswith(":"):
        return False
    return not flow or not any(char in text for char in ",[]{}:?")


def literal(text: str, indent: int, newline: str) -> str | None:
    """The text as a ``|`` block, or ``None`` where a block would not give it back for certain."""
    body = text.removesuffix("\n")
    rows = body.split("\n")
    if not rows[0] or rows[0] != rows[0].lstrip() or not rows[-1].strip():
        return None
    for row in rows:
        if (row and not row.strip()) or _UNPRINTABLE.search(row):
            return None
    header = "|" if text.endswith("\n") else "|-"
    return newline.join([header, *((" " * indent + row) if row else "" for row in rows)])


def folded(text: str, indent: int, newline: str) -> str | None:
    """A text of one line as a ``>`` block; longer ones are for ``literal``."""
    body = text.removesuffix("\n")
    if "\n" in body or not body or body != body.strip() or _UNPRINTABLE.search(body):
        return None
    return (">" if text.endswith("\n") else ">-") + newline + " " * indent + body


def flow(value: Value, style: Style) -> str:
    """The value on one line, in brackets where it is a list or a mapping."""
    if isinstance(value, list):
        return "[" + ", ".join(flow(item, style) for item in value) + "]"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{key_of(name, style, flow=True)}: {flow(item, style)}" for name, item in value.items())
            + "}"
        )
    return scalar(value, style, flow=True)


def key_of(name: str, style: Style, *, flow: bool = False) -> str:
    return _text(name, Style(style.key, style.need), flow=flow)


def rows(value: Value, layout: Layout, style: Style) -> list[str]:
    """The lines of a list or mapping that is not empty, in block style, without indentation of their own."""
    lines: list[str] = []
    if isinstance(value, list):
        for item in value:
            inner = rows(item, layout, style) if _is_block(item) else [inline(item, style)]
            lines += [("- " if number == 0 else "  ") + row for number, row in enumerate(inner)]
    elif isinstance(value, dict):
        for name, item in value.items():
            lines += entry_rows(name, item, layout, style)
    return lines


def entry_rows(name: str, value: Value, layout: Layout, style: Style) -> list[str]:
    """A key and its value, the value's lines indented as the file does."""
    key = key_of(name, style)
    if not _is_block(value):
        return [f"{key}: {inline(value, style)}"]
    depth = layout.dash if isinstance(value, list) else layout.step
    return [f"{key}:", *(" " * depth + row for row in rows(value, layout, style))]


def _is_block(value: Value) -> bool:
    return isinstance(value, (list, dict)) and bool(value)


def inline(value: Value, style: Style) -> str:
    """A scalar or an empty collection in block context."""
    return flow(value, style) if isinstance(value, (list, dict)) else scalar(value, style)
