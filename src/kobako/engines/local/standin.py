"""What stands in for a base image: an interpreter of its version, its PyTorch, its working directory. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from kobako import data
from kobako.catalogue import final, recognise
from kobako.errors import BuildError, UsageError, Where
from kobako.model.image import BaseImage

_WORKDIR = {"ngc": "/workspace", "pytorch": "/workspace"}
"""Where the family's images start. Source: NGC's release notes and github:pytorch/pytorch, Dockerfile."""

_LANGUAGE = {"python": "C.UTF-8", "ngc": "C.UTF-8", "pytorch": "C.UTF-8"}
"""LANG in the images. Source: github:docker-library/python, Dockerfile-linux.template; NGC's release notes."""


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What BuildKit gives an image that sets none."""


_LATER = timedelta(days=30)
"""What is released together is not all uploaded on one day: torchvision 0.2.2 came 22 days after its torch."""


class StandIn(NamedTuple):
    """``packages`` are requirements of torch's family, to be installed before anything else. What they bring is of the
    day ``as_of``, as in the image: the NumPy of a later year has other names in it. "" where no day is known.
    """

    image: BaseImage
    python: str
    packages: tuple[str, ...]
    workdir: str
    environment: Mapping[str, str]
    as_of: str = ""


def of(reference: str, hints: Mapping[str, str], where: Where) -> StandIn:
    """The stand-in for an image. ``hints`` are ``x-kobako.base``: they go before the tables.

    Raises ``BuildError("unknown-base")`` where the Python of the image is known from neither.
    """
    try:
        image = recognise(reference)
    except UsageError as error:
        raise BuildError("unknown-base", error.what, fix="correct the FROM line", where=where) from error
    python = hints.get("python") or image.python
    torch = hints.get("torch") or _torch(image)
    if not python:
        raise BuildError(
            "unknown-base",
            f"nothing is known about the base image {reference}: the local engine cannot stand in for it",
            why="it needs to know which Python the image has, and which PyTorch if any",
            fix='say it under the service: x-kobako: {base: {python: "3.10", torch: "2.1.0"}}, or use --engine docker',
            where=where,
        )
    if image.has_torch and not torch:
        raise BuildError(
            "unknown-base",
            f"which PyTorch is in {reference} is not known: the local engine cannot stand in for it",
            fix=f'say it under the service: x-kobako: {{base: {{torch: "2.1.0", python: "{python}"}}}}',
            where=where,
        )
    environment = {"PATH": PATH} | ({"LANG": _LANGUAGE[image.family]} if image.family in _LANGUAGE else {})
    workdir = _WORKDIR.get(image.family, "/")
    row = _row(torch)
    return StandIn(image, python, _packages(torch, row), workdir, environment, _day(row))


def _torch(image: BaseImage) -> str:
    """The release that is nearest to the image's own build: NGC's 1.14.0a0 was released as 2.0.0."""
    if not image.torch:
        return ""
    wanted = final(image.torch)
    known = [row["torch"] for row in data.rows("torch_releases")]
    if wanted.count(".") < 2:
        wanted = next((one for one in known if one.startswith(f"{wanted}.")), wanted)
    if wanted in known:
        return wanted
    return next((one for one in known if _numbers(one) >= _numbers(wanted)), known[-1])


def _row(torch: str) -> Mapping[str, str]:
    return next((row for row in data.rows("torch_releases") if row["torch"] == torch), {})


def _packages(torch: str, row: Mapping[str, str]) -> tuple[str, ...]:
    vision = row.get("torchvision", "")
    return tuple(f"{name}=={version}" for name, version in (("torch", torch), ("torchvision", vision)) if version)


def _day(row: Mapping[str, str]) -> str:
    """A day on which torch's release could be had, as near to the image's own as that can be."""
    released = row.get("released", "")
    return (date.fromisoformat(released) + _LATER).isoformat() if released else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
