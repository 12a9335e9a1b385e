"""Curves of runs, side by side: in a terminal, or as a picture."""

from __future__ import annotations

from kobako.train.curves.chart import terminal
from kobako.train.curves.picture import picture
from kobako.train.curves.series import Panel, Series, panels, series, smoothed, thinned

__all__ = ["Panel", "Series", "panels", "picture", "series", "smoothed", "terminal", "thinned"]
