"""Curves on a terminal: dots of braille, eight to a character, or letters where several runs share a frame.

The dots and the lines between them are plotille's. Each series has a canvas of its own, laid over the others: plotille
does not tell whose a character is. The axes and the legend are ours: plotille's figures leave no gaps, and take colours
for granted.
"""

from __future__ import annotations

from collections.abc import Sequence

from kobako.masking import harmless
from kobako.train.curves.scale import Scale, labels, scale, ticks
from kobako.train.curves.series import Place, Series, smoothed, stretches, thinned
from kobako.train.drawing import columns, cut, number, padded
from kobako.train.metrics.tags import family

_COLOURS = ("34", "31", "32", "35", "33", "36")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_BLANK = 0x2800
"""The braille character without a dot; the lowest eight bits are the dots."""
_LEAST_WIDTH, _LEAST_HEIGHT = 20, 3
_NOISY = 2
"""Points to a character."""
_MOST = len(_LETTERS)


class _Sheet:
    """Characters of dots; each remembers which series was drawn into it last."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._dots = [[0] * width for _ in range(height)]
        self._owner = [[-1] * width for _ in range(height)]

    def lay(self, drawn: str, owner: int) -> None:
        """The rows that plotille drew, over what is there."""
        for row, line in enumerate(drawn.split("\n")):
            for column, character in enumerate(line):
                if ord(character) != _BLANK:
                    self._dots[row][column] |= ord(character) - _BLANK
                    self._owner[row][column] = owner

    def rows(self, style: _Style) -> list[str]:
        return [
            "".join(style.cell(dots, owner) for dots, owner in zip(row, owners, strict=True))
            for row, owners in zip(self._dots, self._owner, strict=True)
        ]


class _Style:
    """How one series is told from another: by colour, else by letters."""

    def __init__(self, count: int, *, colour: bool) -> None:
        self._colour = colour and count > 0
        self._letters = count > 1 and not colour

    def cell(self, dots: int, owner: int) -> str:
        if not dots:
            return " "
        return _LETTERS[owner % _MOST] if self._letters else self.paint(chr(_BLANK + dots), owner)

    def mark(self, owner: int) -> str:
        return _LETTERS[owner % _MOST] if self._letters else self.paint("\u2812\u2812", owner)

    def paint(self, text: str, owner: int) -> str:
        return f"\x1b[{_COLOURS[owner % len(_COLOURS)]}m{text}\x1b[0m" if self._colour else text


def terminal(every: Sequence[Series], width: int, height: int, *, log: bool = False, colour: bool = False) -> str:
    """A chart, never wider than ``width``; the legend comes below its ``height`` lines."""
    width, height = max(width, _LEAST_WIDTH), max(height, _LEAST_HEIGHT)
    shown = [one for one in every if one.points][:_MOST]
    style = _Style(len(shown), colour=colour)
    smooth = len(shown) > 1 and any(len(one.points) > _NOISY * width for one in shown)
    drawn = [thinned(_lines_of(one, width) if smooth else one.points, width) for one in shown]
    if not any(stretches(points) for points in drawn):
        return "\n".join([cut(_title(every), width), "(no numbers)", *_legend(shown, width, style)])
    y = scale((value for points in drawn for _, value in points), log=log)
    numbers = ticks(y, max(3, height // 3))
    texts = labels(numbers)
    margin = min(max(map(columns, texts)) + 1, width // 2)
    sheet = _Sheet(width - margin - 1, height)
    x = scale((step for points in drawn for step, value in points), pad=0.0)
    for owner, points in enumerate(drawn):
        sheet.lay(_drawn(points, (x, y), sheet), owner)
    names = dict(zip((_row(y, one, height) for one in numbers), texts, strict=True))
    said = ["log" if y.log else "no log scale: no value above 0"] if log else []
    said += ["smoothed"] if smooth else []
    title = _title(every) + (f" ({', '.join(said)})" if said else "")
    lines = [cut(title, width)]
    for number_, row in enumerate(sheet.rows(style)):
        text = names.get(number_, "")
        lines.append(f"{cut(text, margin - 1).rjust(margin)}{'+' if text else '|'}{row}".rstrip())
    lines += [f"{' ' * margin}+{'-' * sheet.width}", _steps(x, margin, sheet.width)]
    return "\n".join(lines + _legend(shown, width, style))


def _lines_of(one: Series, width: int) -> Sequence[Place]:
    """Several noisy curves in one frame hide each other."""
    return smoothed(one.points, len(one.points) / 40) if len(one.points) > _NOISY * width else one.points


def _drawn(points: Sequence[Place], axes: tuple[Scale, Scale], sheet: _Sheet) -> str:
    from plotille import Canvas  # noqa: PLC0415 - a tenth of a second, for a chart alone

    wide, high = 2 * sheet.width, 4 * sheet.height
    canvas = Canvas(sheet.width, sheet.height, xmax=wide, ymax=high)  # its unit is a dot
    for part in stretches(points):
        before: tuple[int, int] | None = None
        for step, value in part:
            across, up = axes[0].place(step), axes[1].place(value)
            if across is None or up is None:  # no logarithm: a gap
                before = None
                continue
            place = (round(across * (wide - 1)), round(up * (high - 1)))
            canvas.line(*(before or place), *place)
            before = place
    return canvas.plot(linesep="\n")


def _row(y: Scale, value: float, height: int) -> int:
    return (4 * height - 1 - round((y.place(value) or 0.0) * (4 * height - 1))) // 4


def _steps(x: Scale, margin: int, width: int) -> str:
    """The line of steps below the axis: round numbers, each under its place, none into another."""
    line = [" "] * width
    free = 0
    numbers = ticks(x, max(2, width // 14))
    for value, text in zip(numbers, labels(numbers), strict=True):
        begin = min(max(0, round((x.place(value) or 0.0) * (width - 1)) - len(text) // 2), width - len(text))
        if begin >= free:
            line[begin : begin + len(text)] = text
            free = begin + len(text) + 2
    return (" " * (margin + 1) + "".join(line)).rstrip()


def _title(every: Sequence[Series]) -> str:
    tags = list(dict.fromkeys(one.tag for one in every))
    return harmless(tags[0] if len(tags) == 1 else family(tags[0]) if tags else "")


def _legend(shown: Sequence[Series], width: int, style: _Style) -> list[str]:
    names = _names(shown)
    room = min(max((columns(name) for name in names), default=0), max(10, width - 16))
    return [
        _within(style.mark(owner), f"  {padded(name, room)}  {number(one.last)}", width)
        for owner, (name, one) in enumerate(zip(names, shown, strict=True))
    ]


def _within(mark: str, text: str, width: int) -> str:
    """The mark may hold a colour, which takes no room."""
    return mark + cut(text, width - 2)


def _names(shown: Sequence[Series]) -> list[str]:
    several = len({one.tag for one in shown}) > 1
    return [harmless(f"{one.run}  {one.tag}" if several else one.run or one.tag) for one in shown]
