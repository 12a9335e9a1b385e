"""The tables are what they say they are."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from kobako import data
from kobako.catalogue import recognise
from kobako.data import tables
from kobako.scan.declaring.declared import normalised


@pytest.mark.parametrize("table", data.TABLES)
def test_each_row_is_whole_and_names_its_source(table: str) -> None:
    rows = data.rows(table)
    assert rows
    for row in rows:
        assert None not in row
        assert None not in row.values()
        assert row["source"]
        assert row.get("confidence", "release-notes") in {"release-notes", "image-config", "secondary", "memory"}


FLOORS = {
    "ngc_pytorch": 92,
    "torch_releases": 53,
    "cuda_driver": 68,
    "gpu_compute_capability": 128,
    "pytorch_images": 48,
    "system_needs": 50,
    "compute_capability": 22,
}


@pytest.mark.parametrize(("table", "floor"), FLOORS.items())
def test_no_rows_are_lost(table: str, floor: int) -> None:
    assert len(data.rows(table)) >= floor


KEYS = {
    "build_needs": ("name",),
    "compute_capability": ("compute_capability",),
    "conda_names": ("conda",),
    "cuda_driver": ("cuda",),
    "distribution_python": ("image", "version"),
    "gpu_compute_capability": ("gpu",),
    "ngc_pytorch": ("release",),
    "platform": ("import",),
    "python_releases": ("python",),
    "pytorch_images": ("torch", "cuda"),
    "same_modules": ("name",),
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


VERSION = r"\d+(?:\.\d+)*"
SHAPES = {
    "ngc_pytorch": {
        "release": r"\d\d\.\d\d",
        "python": r"3\.\d+|",
        "cuda": rf"{VERSION}|",
        "driver_min": rf"{VERSION}|",
        "driver_compat_branches": rf"{VERSION}(?:;{VERSION})*|",
        "compute_capability_min": r"\d+\.\d|",
        "compute_capability_max": r"\d+\.\d|",
        "driver_exact_derived": rf"{VERSION}|",
        "driver_minor_compat_derived": rf"{VERSION}|",
        "cc_min_inferred": r"\d+\.\d|",
        "cc_max_inferred": r"\d+\.\d",
    },
    "cuda_driver": {
        "cuda": VERSION,
        "driver_linux_min_exact": rf"{VERSION}|",
        "driver_branch": r"\d{3}",
        "driver_linux_min_minor_compat": rf"{VERSION}|",
        "toolkit_cc_min": r"\d+\.\d|",
        "toolkit_cc_max": r"\d+\.\d|",
    },
    "gpu_compute_capability": {
        "compute_capability": r"\d+\.\d",
        "gpu_class": "datacenter|geforce|workstation|jetson",
    },
    "compute_capability": {"compute_capability": r"\d+\.\d", "cuda_min": VERSION},
    "torch_releases": {
        "torch": r"\d+\.\d+\.\d+",
        "cpython": r"(?:\d\.\d+t?(?:;|$))*",
        "cuda_variants": r"(?:\d+\.\d(?:;|$))*",
    },
    "pytorch_images": {
        "torch": r"\d+\.\d+\.\d+",
        "cuda": r"\d+\.\d",
        "tag": r"[\d.]+-cuda[\d.]+-cudnn[\d.]+",
        "python": r"3\.\d+|",
    },
    "system_needs": {"packages": r"[a-z0-9.+-]+(?: [a-z0-9.+-]+)*"},
}


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in SHAPES for column in SHAPES[table]])
def test_cells_have_their_shape(table: str, column: str) -> None:
    wrong = [row[column] for row in data.rows(table) if not re.fullmatch(SHAPES[table][column], row[column])]
    assert not wrong


def test_every_gpu_s_compute_capability_has_its_cuda() -> None:
    assert {model.capability for model in tables.gpus()} == set(tables.capabilities())
    for capability, cuda in tables.capabilities().items():
        if tables.numbers(cuda) >= (10, 0) and capability != "8.7":
            assert tables.cuda_toolkit(cuda), capability


def test_what_a_compiler_knows_agrees_in_both_tables() -> None:
    for toolkit in tables.cuda_toolkits():
        if toolkit.capability_max:
            since = tables.capabilities()[toolkit.capability_max]
            assert tables.numbers(since) <= tables.numbers(toolkit.version), toolkit


def test_every_release_s_cuda_is_in_the_table_of_drivers() -> None:
    for release in data.ngc_releases():
        toolkit = tables.cuda_toolkit(release.cuda) if release.cuda else None
        if not release.cuda or release.release == "26.07":
            continue
        assert toolkit is not None, release
        assert toolkit.driver_minor == release.driver_minor_compat_derived, release
        if release.driver_exact_derived:  # its builds differ: 11.0.167 is 11.0.1
            assert toolkit.driver.split(".")[0] == release.driver_exact_derived.split(".")[0], release


@pytest.mark.parametrize(
    ("version", "row"),
    [
        ("11.6", "11.6.0"),
        ("11.6.0", "11.6.0"),
        ("10.1.243", "10.1"),
        ("10.1", "10.1"),
        ("12.3.3", "12.3.2"),
        ("9.0", "9.0.76"),
        ("12.7", None),
        ("", None),
        ("x", None),
    ],
)
def test_the_row_of_a_cuda_version(version: str, row: str | None) -> None:
    found = tables.cuda_toolkit(version)
    assert (found.version if found else None) == row


def test_every_tag_of_pytorch_is_understood() -> None:
    for row in tables.pytorch_images():
        image = recognise(f"pytorch/pytorch:{row.tag}-devel")
        assert (image.family, image.cuda, image.python) == ("pytorch", row.cuda, row.python)
        assert row.torch in {image.torch, f"{image.torch}.0"}
        assert row.torch in {one.version for one in tables.torch_releases()}


@pytest.mark.parametrize(
    ("tag", "python"),
    [
        ("1.8.1-cuda11.1-cudnn8-runtime", "3.8"),
        ("1.9.0-cuda11.1-cudnn8-runtime", "3.7"),
        ("2.0.1-cuda11.7-cudnn8-devel", "3.10"),
        ("2.1.0-cuda12.1-cudnn8-runtime", "3.10"),
        ("2.1.1-cuda12.1-cudnn8-runtime", "3.10"),
        ("2.4.0-cuda12.4-cudnn9-runtime", "3.11"),
        ("2.9.0-cuda12.8-cudnn9-runtime", ""),
    ],
)
def test_the_python_of_pytorch_s_images(tag: str, python: str) -> None:
    """Without it nothing can stand in for the image."""
    assert recognise(f"pytorch/pytorch:{tag}").python == python


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
