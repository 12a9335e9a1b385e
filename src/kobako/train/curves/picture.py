"""Curves as a picture: one frame for each measure, all runs in it. matplotlib is imported only here, and only then."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kobako.errors import UsageError
from kobako.masking import harmless
from kobako.train.curves import fonts
from kobako.train.curves.scale import drawable, scale
from kobako.train.curves.series import Panel, Place, Series, panels, smoothed, thinned
from kobako.train.metrics.tags import evaluates, lower_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#3366cc", "#e0533d", "#2b9e63", "#8d5bd1", "#d99100", "#1795b3", "#cf4f8c", "#6b7280")
_INK, _FAINT, _GRID = "#1f2933", "#66727f", "#e4e8ec"
_MOST_PANELS = 24
_MOST_NAMES = 12
_BUCKETS = 600
_NOISY = 120
"""Points from which on a curve of training is drawn faintly, with its running mean over it."""
_FEW_DECADES = 2
_PANEL = (4.3, 2.75)
_SUFFIXES = frozenset({".png", ".svg"})
_STYLE = {
    "svg.hashsalt": "kobako",
    "svg.fonttype": "none",
    "font.size": 9.0,
    "text.color": _INK,
    "text.parse_math": False,
    "axes.edgecolor": "#b8c0c8",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
}


class _Drawing(NamedTuple):
    """What all frames of a picture share."""

    runs: tuple[str, ...]
    phases: bool
    """Whether a frame may hold training and evaluation together."""
    log: bool
    shown: Callable[[str], str]

    def colour(self, one: Series) -> str:
        """By run; where there is only one, by phase."""
        place = self.runs.index(one.run)
        if len(self.runs) == 1 and self.phases and evaluates(one.tag):
            place = 1
        return _COLOURS[place % len(_COLOURS)]


def picture(every: Sequence[Series], path: str | Path, *, title: str = "", log: bool = False) -> None:
    """Draw all of it into a PNG or SVG file, by the path's suffix. The same curves give the same bytes."""
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        why = f"its name ends with {path.suffix!r}" if path.suffix else "its name has no suffix"
        raise UsageError("bad-picture", f"cannot draw {path}", why=why, fix="name it .png or .svg")
    try:
        import matplotlib as mpl  # noqa: PLC0415 - a second, and it may be absent
    except ImportError as error:
        raise _missing(path) from error
    suffix = path.suffix.lower().removeprefix(".")
    with mpl.rc_context(), warnings.catch_warnings():
        # of glyphs and fonts that are missing: what they lack is escaped, or written by the viewer's own fonts
        warnings.simplefilter("ignore")
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        mpl.rcdefaults()
        names = fonts.families()
        parameters: Any = mpl.rcParams
        parameters.update({**_STYLE, "font.family": names})
        # in an SVG the viewer's own fonts write the text
        shown = fonts.writable(names) if suffix == "png" else _plain
        figure = _figure(every, _drawing(every, shown, log=log), shown(harmless(title)))
        _write(path, _saved(figure, suffix))


def _drawing(every: Sequence[Series], shown: Callable[[str], str], *, log: bool) -> _Drawing:
    runs = tuple(dict.fromkeys(one.run for one in every))
    return _Drawing(runs, len({evaluates(one.tag) for one in every}) > 1, log, shown)


def _figure(every: Sequence[Series], drawing: _Drawing, title: str) -> Figure:
    from matplotlib.figure import Figure  # noqa: PLC0415

    wanted = panels([one for one in every if one.points])
    frames = wanted[:_MOST_PANELS]
    across = 1 if len(frames) <= 1 else 2 if len(frames) <= 4 else 3
    down = max(1, -(-len(frames) // across))
    size = (max(_PANEL[0] * across, 6.0), _PANEL[1] * down + 0.75)
    figure = Figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08, hspace=0.04, wspace=0.02)  # type: ignore[union-attr,call-arg]
    for number, panel in enumerate(frames):
        _frame(figure.add_subplot(down, across, number + 1), panel, drawing)
    if not frames:
        figure.text(0.5, 0.5, "no numbers", ha="center", va="center", color=_FAINT)
    left_out = f"and {len(wanted) - len(frames)} more" if len(wanted) > len(frames) else ""
    heading = "   ".join(one for one in (title, left_out) if one)
    if heading:
        figure.suptitle(heading, x=0.012, ha="left", fontsize=12, fontweight="bold")
    _legend(figure, every, drawing, 2 * across)
    return figure


def _frame(axes: Axes, panel: Panel, drawing: _Drawing) -> None:
    axes.set_title(drawing.shown(harmless(panel.family)), loc="left", fontsize=9.5, fontweight="bold", pad=6)
    if drawing.log and any(value > 0 for one in panel.series for _, value in one.points):
        _logarithmic(axes, [value for one in panel.series for _, value in one.points])
    row = 0
    for one in panel.series:
        _curve(axes, one, drawing)
        row += _best(axes, one, drawing.colour(one), row)
    axes.margins(x=0.02, y=0.08)
    axes.locator_params(axis="x", nbins=5)
    if axes.get_yscale() == "linear":
        axes.locator_params(axis="y", nbins=5)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-3, 5), useOffset=False)
        axes.yaxis.get_offset_text().set_fontsize(7.5)
    axes.ticklabel_format(axis="x", style="plain", useOffset=False)


def _logarithmic(axes: Axes, values: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    axes.set_yscale("log", nonpositive="mask")
    of = scale(values, log=True)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    # between the powers of ten others are named as well, where there are few powers
    wide = of.high - of.low
    named = "2346" if wide < 1 else "25" if wide < _FEW_DECADES else ""
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in named else ""))


def _is_noisy(one: Series) -> bool:
    return len(one.points) > _NOISY and not evaluates(one.tag) and not one.tag.startswith("lr")


def _curve(axes: Axes, one: Series, drawing: _Drawing) -> None:
    colour = drawing.colour(one)
    evaluated = drawing.phases and evaluates(one.tag)
    points = thinned(one.points, _BUCKETS)
    if _is_noisy(one):
        axes.plot(*_axes(points), color=colour, linewidth=0.7, alpha=0.28, zorder=2)
        points = thinned(smoothed(one.points, len(one.points) / 40), _BUCKETS)
    axes.plot(
        *_axes(points),
        color=colour,
        linewidth=1.6,
        zorder=4 if evaluated else 3,
        linestyle=(0, (4, 1.6)) if evaluated and len(drawing.runs) > 1 else "-",
        marker="o" if len(one.points) <= (40 if evaluated else 2) else "",
        markersize=3.2,
    )


def _best(axes: Axes, one: Series, colour: str, row: int) -> bool:
    """A ring around the best value of an evaluation, and the number where no curve is likely to be."""
    finite = [place for place in one.points if drawable(place[1])]
    if not evaluates(one.tag) or not finite:
        return False
    lower = lower_is_better(one.tag)
    best = (min if lower else max)(finite, key=lambda place: place[1])
    axes.plot([best[0]], [best[1]], marker="o", markersize=6.5, markerfacecolor="white", color=colour, zorder=5)
    at = 0.95 - 0.09 * row if lower else 0.05 + 0.09 * row
    text = axes.text(0.985, at, f"best {best[1]:.4g}", transform=axes.transAxes, ha="right", va="center", zorder=6)
    text.set(color=colour, fontsize=8)
    return True


def _legend(figure: Figure, every: Sequence[Series], drawing: _Drawing, columns: int) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415

    entries: list[tuple[Line2D, str]] = []
    several = len(drawing.runs) > 1
    if several or not drawing.phases:
        entries += [
            (Line2D([], [], color=_COLOURS[place % len(_COLOURS)], linewidth=2), run)
            for place, run in enumerate(drawing.runs[:_MOST_NAMES])
        ]
    if drawing.phases:
        dashes: Any = (0, (4, 1.6)) if several else "-"
        colours = (_FAINT, _FAINT) if several else _COLOURS[:2]
        entries.append((Line2D([], [], color=colours[0], linewidth=2), "training"))
        entries.append((Line2D([], [], color=colours[1], linewidth=2, linestyle=dashes), "evaluation"))
    if any(_is_noisy(one) for one in every):
        entries.append((Line2D([], [], color=_FAINT, linewidth=0.7, alpha=0.5), "as reported, before smoothing"))
    if any(text for _, text in entries):
        figure.legend(
            [line for line, _ in entries],
            [drawing.shown(harmless(text)) for _, text in entries],
            loc="outside lower left",
            ncols=columns,
            frameon=False,
            fontsize=8.5,
            handlelength=2.4,
        )


def _axes(points: Sequence[Place]) -> tuple[list[float], list[float]]:
    return [step for step, _ in points], [value if drawable(value) else math.nan for _, value in points]


def _saved(figure: Figure, suffix: str) -> bytes:
    written = io.BytesIO()
    # neither a date nor a version: the same curves give the same bytes
    about: dict[str, Any] = {"Date": None, "Creator": "kobako"} if suffix == "svg" else {"Software": "kobako"}
    figure.savefig(written, format=suffix, dpi=160, metadata=about)
    return written.getvalue()


def _plain(text: str) -> str:
    return text


def _missing(path: Path) -> UsageError:
    return UsageError(
        "plot-missing",
        f"cannot draw {path}",
        why="pictures are drawn by matplotlib, which is not installed beside Kobako",
        fix=f"{sys.executable} -m pip install matplotlib",
    )


def _write(path: Path, data: bytes) -> None:
    """To a temporary name beside it first, then in one rename."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.chmod(name, 0o666 & ~_mask())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(
            "bad-picture", f"cannot write {path}", why=why, fix="name a place that can be written"
        ) from error


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
