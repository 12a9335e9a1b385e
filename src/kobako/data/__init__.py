"""The tables: what Kobako knows about images, PyTorch releases, GPUs and packages. Each row names its source."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

TABLES = (
    "build_needs",
    "compute_capability",
    "conda_names",
    "cuda_driver",
    "distribution_python",
    "gpu_compute_capability",
    "ngc_pytorch",
    "platform",
    "python_releases",
    "pytorch_images",
    "same_modules",
    "system_needs",
    "tools",
    "torch_family",
    "torch_releases",
)


@cache
def rows(table: str) -> tuple[dict[str, str], ...]:
    """The rows of one of ``TABLES``, in the file's order. They are shared: do not change them."""
    import csv  # noqa: PLC0415 - `kobako exec` imports this module and reads no table
    from importlib import resources  # noqa: PLC0415

    text = resources.files(__name__).joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


class NgcRelease(NamedTuple):
    """A PyTorch container of NGC. Empty fields are not known; ``confidence`` says how the row was learned.

    The fields are columns of the table, and say what they mean there: ``driver_min``, ``driver_compat_branches`` and
    ``compute_capability_*`` are what NVIDIA states of the release, ``driver_*_derived`` what its CUDA needs, ``cc_*``
    what follows from CUDA and from the releases around it.
    """

    release: str
    image: str
    ubuntu: str
    python: str
    cuda: str
    pytorch: str
    confidence: str
    source: str
    driver_min: str = ""
    driver_compat_branches: str = ""
    driver_exact_derived: str = ""
    driver_minor_compat_derived: str = ""
    compute_capability_min: str = ""
    compute_capability_max: str = ""
    cc_min_inferred: str = ""
    cc_max_inferred: str = ""


@cache
def ngc_releases() -> tuple[NgcRelease, ...]:
    """NGC's PyTorch containers, oldest first."""
    found = (NgcRelease(*(row[field] for field in NgcRelease._fields)) for row in rows("ngc_pytorch"))
    return tuple(sorted(found, key=lambda one: one.release))


class BuildNeed(NamedTuple):
    """A package that needs torch while it is built, and what else it needs then."""

    name: str
    requires: tuple[str, ...]
    environment: str
    reason: str


@cache
def build_needs() -> dict[str, BuildNeed]:
    """By normalised name."""
    return {
        row["name"]: BuildNeed(row["name"], tuple(row["requires"].split(";")), row["environment"], row["reason"])
        for row in rows("build_needs")
    }


@cache
def torch_family() -> tuple[str, ...]:
    """Normalised names of torch and of the packages that only work with the torch they were built for, sorted."""
    return tuple(sorted(row["name"] for row in rows("torch_family")))


def torch_family_pattern() -> str:
    """The torch family as alternatives of a regular expression (Python's and grep -E's), in every spelling."""
    return "|".join(pattern(name) for name in torch_family())


def pattern(name: str) -> str:
    """A normalised name as a regular expression for all spellings that pip takes for the same."""
    return name.replace("-", "[-_.]")


def held_by(family: str) -> frozenset[str]:
    """Packages of the torch family that every image of a family ("ngc", "pytorch") surely holds."""
    return frozenset(row["name"] for row in rows("torch_family") if family in row["held_by"].split())


@cache
def system_needs() -> dict[str, tuple[tuple[str, ...], str]]:
    """Debian packages that a Python package needs at run time, and why, by normalised name."""
    return {row["name"]: (tuple(row["packages"].split()), row["reason"]) for row in rows("system_needs")}


def pinned(tool: str) -> str:
    """The version of a tool that generated files install."""
    return next(row["version"] for row in rows("tools") if row["name"] == tool)
