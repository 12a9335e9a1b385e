"""The tables are what they say they are."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from kobako import data
from kobako.catalogue import recognise
from kobako.scan.declared import normalised


@pytest.mark.parametrize("table", data.TABLES)
def test_each_row_is_whole_and_names_its_source(table: str) -> None:
    rows = data.rows(table)
    assert rows
    for row in rows:
        assert None not in row
        assert None not in row.values()
        assert row["source"]
        assert row.get("confidence", "release-notes") in {"release-notes", "secondary", "memory"}


FLOORS = {"ngc_pytorch": 92, "torch_releases": 53, "cuda_driver": 68, "gpu_compute_capability": 128}


@pytest.mark.parametrize(("table", "floor"), FLOORS.items())
def test_no_rows_are_lost(table: str, floor: int) -> None:
    assert len(data.rows(table)) >= floor


KEYS = {
    "build_needs": ("name",),
    "distribution_python": ("image", "version"),
    "ngc_pytorch": ("release",),
    "pytorch_images": ("torch",),
    "system_needs": ("name",),
    "tools": ("name", "python_min"),
    "torch_family": ("name",),
    "torch_releases": ("torch",),
}


@pytest.mark.parametrize(("table", "key"), KEYS.items())
def test_rows_are_unique(table: str, key: tuple[str, ...]) -> None:
    found = [tuple(row[part] for part in key) for row in data.rows(table)]
    assert len(found) == len(set(found))


def test_every_ngc_release_is_recognised_by_its_image() -> None:
    for release in data.ngc_releases():
        image = recognise(release.image)
        assert (image.family, image.release, image.torch) == ("ngc", release.release, release.pytorch)
        if release.pytorch:
            Version(release.pytorch)


def test_names_are_normalised() -> None:
    for table in ("build_needs", "system_needs", "torch_family"):
        assert [row["name"] for row in data.rows(table)] == [normalised(row["name"]) for row in data.rows(table)]


def test_build_needs_are_requirements() -> None:
    for need in data.build_needs().values():
        for one in need.requires:
            Requirement(one)
        assert re.fullmatch(r"(?:[A-Z_0-9]+=\d+(?: |$))*", need.environment)


def test_the_torch_family_in_every_spelling() -> None:
    family = re.compile(data.torch_family_pattern())
    for name in ("torch", "torchvision", "flash_attn", "flash-attn", "torch_tensorrt"):
        assert family.fullmatch(name)
    for name in ("torchmetrics", "pytorch-lightning", "numpy"):
        assert not family.fullmatch(name)
