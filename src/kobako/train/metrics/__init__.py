"""The numbers that a training writes, wherever it writes them, read while it runs.

``Follower`` follows files, ``Console`` understands what is printed; both speak in tags of one spelling.
"""

from __future__ import annotations

from kobako.train.metrics.console import Console, Facts
from kobako.train.metrics.follower import Follower
from kobako.train.metrics.headline import headline
from kobako.train.metrics.point import Point

__all__ = ["Console", "Facts", "Follower", "Point", "headline"]
