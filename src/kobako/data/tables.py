"""The tables that only choosing a base image reads, row by row with a type. Apart, since ``kobako exec`` needs none."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kobako import data


class CudaToolkit(NamedTuple):
    """A CUDA release: the driver it was made with, and the one that is enough for its major version ("": none is).

    ``capability_min`` and ``capability_max`` are what its compiler knows.
    """

    version: str
    driver: str
    driver_minor: str
    capability_min: str
    capability_max: str


class GpuModel(NamedTuple):
    """``kind`` is datacenter, geforce, workstation or jetson: the compatibility packages are for the first alone."""

    name: str
    architecture: str
    capability: str
    kind: str


class TorchRelease(NamedTuple):
    """PyTorch as the index has it: the Pythons it has wheels for, and the CUDA versions it was built with."""

    version: str
    pythons: tuple[str, ...]
    cudas: tuple[str, ...]


class PytorchImage(NamedTuple):
    """A tag of pytorch/pytorch without its last word, which is ``runtime`` or ``devel``."""

    tag: str
    torch: str
    cuda: str
    python: str
    confidence: str
    source: str


@cache
def cuda_toolkits() -> tuple[CudaToolkit, ...]:
    """Oldest first."""
    found = (
        CudaToolkit(
            row["cuda"],
            row["driver_linux_min_exact"] or row["driver_branch"],
            row["driver_linux_min_minor_compat"],
            row["toolkit_cc_min"],
            row["toolkit_cc_max"],
        )
        for row in data.rows("cuda_driver")
    )
    return tuple(sorted(found, key=lambda one: numbers(one.version)))


@cache
def cuda_toolkit(version: str) -> CudaToolkit | None:
    """The row of a CUDA version; of the first 11.6.x where it is "11.6"; of the nearest older one of its 11.x."""
    asked = numbers(version)
    if not asked:
        return None
    same = [one for one in cuda_toolkits() if numbers(one.version)[: len(asked)] == asked]
    if same:
        return same[0]
    older = [one for one in cuda_toolkits() if numbers(one.version)[:2] == asked[:2] and numbers(one.version) < asked]
    return older[-1] if older else None


@cache
def gpus() -> tuple[GpuModel, ...]:
    """In the table's order: the oldest architecture first."""
    return tuple(
        GpuModel(row["gpu"], row["architecture"], row["compute_capability"], row["gpu_class"])
        for row in data.rows("gpu_compute_capability")
    )


@cache
def capabilities() -> dict[str, str]:
    """The CUDA release from which on a compute capability is known to its compiler, by compute capability."""
    return {row["compute_capability"]: row["cuda_min"] for row in data.rows("compute_capability")}


@cache
def torch_releases() -> tuple[TorchRelease, ...]:
    """Oldest first. Free-threaded Pythons ("3.13t") are left out."""
    return tuple(
        TorchRelease(
            row["torch"],
            tuple(one for one in row["cpython"].split(";") if one and not one.endswith("t")),
            tuple(sorted((one for one in row["cuda_variants"].split(";") if one), key=numbers)),
        )
        for row in data.rows("torch_releases")
    )


@cache
def pythons() -> tuple[str, ...]:
    """The Pythons that torch has had wheels for, oldest first."""
    return tuple(sorted({python for one in torch_releases() for python in one.pythons}, key=numbers))


@cache
def pytorch_images() -> tuple[PytorchImage, ...]:
    """Oldest first."""
    return tuple(PytorchImage(*(row[field] for field in PytorchImage._fields)) for row in data.rows("pytorch_images"))


@cache
def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``1.11.0a0+17540c5`` is (1, 11, 0)."""
    found: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
        if digits != part:
            break
    return tuple(found)
