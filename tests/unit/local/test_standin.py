"""What stands in for base images."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kobako import data
from kobako.catalogue import recognise
from kobako.engines.local import standin
from kobako.errors import BuildError, Where

HERE = Where("Dockerfile", 3)
NGC = "nvcr.io/nvidia/pytorch"


def of(reference: str, hints: Mapping[str, str] | None = None) -> standin.StandIn:
    return standin.of(reference, hints or {}, HERE)


@pytest.mark.parametrize(
    ("reference", "python", "packages"),
    [
        (f"{NGC}:22.02-py3", "3.8", ("torch==1.11.0", "torchvision==0.12.0")),
        (f"{NGC}:22.12-py3", "3.8", ("torch==2.0.0", "torchvision==0.15.1")),  # 1.14.0a0 was released as 2.0.0
        (f"{NGC}:23.05-py3", "3.10", ("torch==2.0.0", "torchvision==0.15.1")),
        (f"{NGC}:20.11-py3", "3.6", ("torch==1.8.0", "torchvision==0.9.0")),
        (f"{NGC}:25.11-py3", "3.12", ("torch==2.10.0", "torchvision==0.25.0")),
        ("pytorch/pytorch:1.11.0-cuda11.3-cudnn8-devel", "3.8", ("torch==1.11.0", "torchvision==0.12.0")),
        ("pytorch/pytorch:1.13.1-cuda11.6-cudnn8-runtime", "3.10", ("torch==1.13.1", "torchvision==0.14.1")),
        ("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime", "3.10", ("torch==2.1.0", "torchvision==0.16.0")),
        ("docker.io/pytorch/pytorch:1.10.0-cuda11.3-cudnn8-runtime", "3.7", ("torch==1.10.0", "torchvision==0.11.1")),
        ("python:3.11", "3.11", ()),
        ("python:3.8-slim", "3.8", ()),
        ("python:3.10.4-slim-bullseye", "3.10", ()),
        ("python:3.12-alpine3.20", "3.12", ()),
        ("python:3.9@sha256:0123456789abcdef", "3.9", ()),
        ("docker.io/library/python:3.13-bookworm", "3.13", ()),
        ("nvidia/cuda:12.1.1-cudnn8-devel-ubuntu22.04", "3.10", ()),
        ("ubuntu:20.04", "3.8", ()),
        ("debian:bookworm-slim", "3.11", ()),
    ],
)
def test_known(reference: str, python: str, packages: tuple[str, ...]) -> None:
    made = of(reference)
    assert (made.python, made.packages) == (python, packages)


@pytest.mark.parametrize(
    "reference",
    [f"{NGC}:18.11-py3", f"{NGC}:99.01-py3", "python:latest", "python", "pytorch/pytorch:latest", "a.b:5000/c/d:7"],
)
def test_unknown_asks_for_hints(reference: str) -> None:
    with pytest.raises(BuildError) as caught:
        of(reference)
    error = caught.value
    assert (error.code, error.where, error.exit_code) == ("unknown-base", HERE, 5)
    assert error.what == (f"nothing is known about the base image {reference}: the local engine cannot stand in for it")
    assert "x-kobako: {base: {python:" in error.fix


@pytest.mark.parametrize("reference", [f"{NGC}:99.01-py3", "pytorch/pytorch:nightly"])
def test_an_image_with_a_pytorch_that_is_not_known(reference: str) -> None:
    with pytest.raises(BuildError) as caught:
        of(reference, {"python": "3.12"})
    assert caught.value.code == "unknown-base"
    assert "which PyTorch" in caught.value.what
    assert 'python: "3.12"' in caught.value.fix


@pytest.mark.parametrize("reference", ["", "a b", "$X", "-a"])
def test_what_is_no_image(reference: str) -> None:
    with pytest.raises(BuildError) as caught:
        of(reference)
    assert (caught.value.code, caught.value.where) == ("unknown-base", HERE)


@pytest.mark.parametrize(
    ("reference", "hints", "python", "packages"),
    [
        ("a/b:1", {"python": "3.9"}, "3.9", ()),
        ("a/b:1", {"python": "3.9", "torch": "2.1.0"}, "3.9", ("torch==2.1.0", "torchvision==0.16.0")),
        (f"{NGC}:22.02-py3", {"python": "3.9"}, "3.9", ("torch==1.11.0", "torchvision==0.12.0")),
        (f"{NGC}:22.02-py3", {"torch": "2.0.1"}, "3.8", ("torch==2.0.1", "torchvision==0.15.2")),
        (f"{NGC}:22.04-py3", {"python": "3.8"}, "3.8", ("torch==1.12.0", "torchvision==0.13.0")),
        (f"{NGC}:99.01-py3", {"python": "3.12", "torch": "2.9.0"}, "3.12", ("torch==2.9.0", "torchvision==0.24.0")),
        ("python:3.11", {"torch": "2.1.0"}, "3.11", ("torch==2.1.0", "torchvision==0.16.0")),
        ("a/b:1", {"python": "3.9", "torch": "0.0.1"}, "3.9", ("torch==0.0.1",)),
    ],
)
def test_hints_win(reference: str, hints: dict[str, str], python: str, packages: tuple[str, ...]) -> None:
    made = of(reference, hints)
    assert (made.python, made.packages) == (python, packages)


@pytest.mark.parametrize(
    ("reference", "workdir", "language"),
    [(f"{NGC}:22.02-py3", "/workspace", "C.UTF-8"), ("python:3.11", "/", "C.UTF-8"), ("ubuntu:20.04", "/", None)],
)
def test_what_images_set(reference: str, workdir: str, language: str | None) -> None:
    made = of(reference)
    assert (made.workdir, made.environment.get("LANG")) == (workdir, language)
    assert "/usr/bin" in made.environment["PATH"].split(":")


def test_every_row_of_ngc_is_a_release_of_torch_or_asks() -> None:
    releases = {row["torch"]: row["torchvision"] for row in data.rows("torch_releases")}
    for row in data.ngc_releases():
        reference = f"{NGC}:{row.release}-py3"
        if not (recognise(reference).python and row.pytorch):  # of the first ones nobody knows the Python
            with pytest.raises(BuildError):
                of(reference)
            continue
        torch = of(reference).packages[0].removeprefix("torch==")
        assert torch in releases
        said = [int(one) for one in row.pytorch.partition("a")[0].split(".")[:2]]
        assert [int(one) for one in torch.split(".")[:2]] in (said, [2, 0])


@pytest.mark.parametrize(
    ("reference", "hints", "day"),
    [
        (f"{NGC}:22.02-py3", {}, "2022-04-09"),  # torch 1.11.0 came on March 10th
        (f"{NGC}:22.04-py3", {}, "2022-07-28"),
        ("pytorch/pytorch:1.13.1-cuda11.6-cudnn8-runtime", {}, "2023-01-14"),
        ("python:3.11", {}, ""),
        ("a/b:1", {"python": "3.9", "torch": "0.0.1"}, ""),
    ],
)
def test_what_comes_with_torch_is_of_its_time(reference: str, hints: dict[str, str], day: str) -> None:
    assert of(reference, hints).as_of == day
