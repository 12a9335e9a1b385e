"""The packages of a repository's own family."""

from __future__ import annotations

from pathlib import Path

from kobako.scan.declaring import mim
from kobako.scan.tree import Tree


def test_they_are_the_platform_s(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "mminstall.txt").write_text("mmcv>=2.0.0rc4,<2.2.0\nmmengine>=0.7.1\n")
    found = mim.read(Tree(tmp_path))
    assert found is not None
    assert [(str(one), one.origin, one.role, str(one.findings[0])) for one in found.requirements] == [
        ("mmcv>=2.0.0rc4,<2.2.0", "platform", "project", "requirements/mminstall.txt:1"),
        ("mmengine>=0.7.1", "platform", "project", "requirements/mminstall.txt:2"),
    ]


def test_without_the_file(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("mmcv\n")
    assert mim.read(Tree(tmp_path)) is None
