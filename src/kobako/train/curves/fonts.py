"""Which fonts a picture is written in. Names may be Japanese; a font that lacks a character would draw a box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CJK = (
    *("Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "IPAexGothic", "IPAPGothic", "IPAGothic"),
    *(
        "TakaoPGothic",
        "TakaoGothic",
        "VL PGothic",
        "VL Gothic",
        "BIZ UDPGothic",
        "Hiragino Sans",
        "Yu Gothic",
        "Meiryo",
    ),
    *("MS Gothic", "Noto Sans CJK SC", "Noto Sans CJK KR", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Unifont"),
)
"""The best first."""
LATIN = "DejaVu Sans"
"""Comes with matplotlib."""


def families() -> list[str]:
    """The fonts to write in, each for what those before it lack."""
    from matplotlib import font_manager  # noqa: PLC0415 - heavy

    there = {one.name for one in font_manager.fontManager.ttflist}
    return [LATIN, *(name for name in CJK if name in there)][:3]


def writable(names: list[str]) -> Callable[[str], str]:
    """A function that escapes what none of the fonts can show."""
    from matplotlib import font_manager  # noqa: PLC0415

    known: set[int] = set()
    for name in names:
        font: Any = font_manager.get_font(font_manager.findfont(name))
        known.update(font.get_charmap())

    def shown(text: str) -> str:
        return "".join(one if ord(one) in known else f"\\u{ord(one):04x}" for one in text)

    return shown
