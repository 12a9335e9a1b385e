"""Small repositories, written where a test wants them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from kobako.scan.tree import Tree

Plant = Callable[..., Tree]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A repository with these files; ``root`` is the name of its folder."""

    def make(files: Mapping[str, str | bytes], root: str = "SpamNet") -> Tree:
        for name, content in files.items():
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        return Tree(tmp_path / root)

    return make
