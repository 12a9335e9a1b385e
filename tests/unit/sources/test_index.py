"""NAME==VERSION from a find-links folder: no network, the same code."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.errors import UsageError
from kobako.pipconfig import PipConfig
from kobako.sources import index
from kobako.sources.model import Source
from unit.sources.test_unpack import make_tar


@pytest.fixture
def config(tmp_path: Path) -> PipConfig:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    make_tar(shelf / "toy-1.0.tar.gz", [("toy-1.0/PKG-INFO", "file", "Name: toy\nVersion: 1.0\n")])
    make_tar(shelf / "toy-1.1.tar.gz", [("toy-1.1/PKG-INFO", "file", "Name: toy\nVersion: 1.1\n")])
    (shelf / "toy-2.0-py3-none-any.whl").write_bytes(b"")
    return PipConfig(no_index=True, find_links=(str(shelf),))


def source(version: str, name: str = "toy") -> Source:
    return Source("index", f"{name}=={version}", f"{name}=={version}", name)


def test_the_sdist_is_downloaded(config: PipConfig, tmp_path: Path) -> None:
    archive, version = index.download(source("1.0"), tmp_path, config)
    assert (archive, version) == (tmp_path / "toy-1.0.tar.gz", "1.0")
    assert archive.read_bytes() == (tmp_path / "shelf/toy-1.0.tar.gz").read_bytes()


def test_a_version_with_wheels_only(config: PipConfig, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        index.download(source("2.0"), tmp_path, config)
    assert (caught.value.code, caught.value.what, caught.value.fix) == (
        "bad-source",
        "no index has an sdist of toy==2.0",
        "it has 1.1, 1.0",
    )


def test_a_name_that_nobody_has(config: PipConfig, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        index.download(source("1.0", "nobody"), tmp_path, config)
    assert caught.value.what == "no index has an sdist of nobody==1.0"


def test_a_hash_that_differs(config: PipConfig, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    url = (tmp_path / "shelf/toy-1.0.tar.gz").as_uri()
    page.write_text(f'<html><body><a href="{url}#sha256={"0" * 64}">toy-1.0.tar.gz</a></body></html>')
    with pytest.raises(UsageError) as caught:
        index.download(source("1.0"), tmp_path, PipConfig(no_index=True, find_links=(page.as_uri(),)))
    assert (caught.value.what, caught.value.why) == (
        "toy-1.0.tar.gz is not what the index says it is",
        "its hash differs",
    )
