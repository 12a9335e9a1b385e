"""The base that a repository's authors chose, and what they installed into it."""

from __future__ import annotations

from kobako.scan.declaring.declared import Declared
from kobako.scan.told import compose, dockerfiles
from unit.scan.told.conftest import Plant

TRAIN = """\
ARG PYTORCH="1.6.0"
ARG CUDA="10.1"
ARG CUDNN="7"

FROM pytorch/pytorch:${PYTORCH}-cuda${CUDA}-cudnn${CUDNN}-devel

ENV TORCH_CUDA_ARCH_LIST="6.0 6.1 7.0+PTX"
ENV FORCE_CUDA="1"

RUN apt-get update && apt-get install -y ffmpeg libsm6 \\
    git ninja-build \\
    && rm -rf /var/lib/apt/lists/*

RUN pip install --no-cache-dir --upgrade pip
RUN pip install --no-cache-dir mmcv-full==1.3.17 -f https://example.org/mmcv/dist/cu101/torch1.6.0/index.html
RUN conda install -y opencv && conda clean --all
RUN git clone https://github.com/eggs/SpamNet.git /SpamNet
WORKDIR /SpamNet
RUN pip install -r requirements/build.txt && \\
    pip install -e .
RUN git clone https://example.org/a/det /opt/det && cd /opt/det && python setup.py install
"""


def specifiers(found: Declared | None) -> dict[str, str]:
    assert found is not None
    every = {"python": found.python, "torch": found.torch, "cuda": found.cuda}
    assert all(len(bounds) <= 1 for bounds in every.values())
    assert not any(bound.firm for bounds in every.values() for bound in bounds)
    return {name: bounds[0].specifier for name, bounds in every.items() if bounds}


def without_python(found: Declared | None) -> dict[str, str]:
    """The Python of somebody else's image is in no tag; whether a table knows it is for that table to say."""
    return {name: specifier for name, specifier in specifiers(found).items() if name != "python"}


def test_a_dockerfile_for_training(plant: Plant) -> None:
    found = dockerfiles.read(plant({"docker/Dockerfile": TRAIN}))
    assert without_python(found) == {"torch": "==1.6.*", "cuda": "==10.1.*"}
    assert found is not None
    assert [(str(one), str(one.findings[0]), one.origin, one.optional) for one in found.requirements] == [
        ("mmcv-full==1.3.17", "docker/Dockerfile:15", "readme", False),
        ("opencv-python", "docker/Dockerfile:16", "readme", False),
        ("det @ git+https://example.org/a/det", "docker/Dockerfile:21", "readme", False),
    ]
    assert [(one.name, str(one.findings[0])) for one in found.system] == [
        (name, "docker/Dockerfile:10") for name in ("ffmpeg", "libsm6", "ninja-build")
    ]
    assert [str(one) for one in found.torch[0].findings] == ["docker/Dockerfile:5", "docker/Dockerfile:15"]
    assert found.torch[0].findings[0].text == "FROM pytorch/pytorch:1.6.0-cuda10.1-cudnn7-devel"
    assert [one.what for one in found.others] == [
        *(
            'TORCH_CUDA_ARCH_LIST="6.0 6.1 7.0+PTX"',
            'FORCE_CUDA="1"',
            "git",
            "pip",
            "requirements/build.txt",
            "pip install -e .",
        ),
    ]


def test_bases(plant: Plant) -> None:
    for line, bounds in (
        ("FROM nvcr.io/nvidia/pytorch:22.02-py3", {"python": "==3.8.*", "torch": "==1.11.*", "cuda": "==11.6.*"}),
        ("FROM python:3.9-slim AS a\nFROM a", {"python": "==3.9.*"}),
        ("FROM nvidia/cuda:11.3.1-cudnn8-devel-ubuntu20.04", {"cuda": "==11.3.*"}),
        ("FROM ubuntu:20.04", {}),
        ("FROM somebody/else:1.2", {}),
        ("ARG TAG\nFROM x:${TAG}", {}),
        ("FROM scratch", {}),
    ):
        assert specifiers(dockerfiles.read(plant({"Dockerfile": line + "\n"}))) == bounds, line


def test_several_are_one_range_and_those_for_serving_do_not_count(plant: Plant) -> None:
    files = {
        "Dockerfile": "FROM pytorch/pytorch:1.8.0-cuda11.1-cudnn8-devel\n",
        "docker/cu102.Dockerfile": "FROM pytorch/pytorch:1.7.0-cuda10.2-cudnn8-devel\n",
        "docker/serve/Dockerfile": "FROM pytorch/pytorch:1.13.0-cuda11.6-cudnn8-runtime\nRUN pip install torchserve\n",
        "docker/Dockerfile.cpu": "FROM python:3.12\nRUN pip install bacon\n",
    }
    found = dockerfiles.read(plant(files))
    assert found is not None
    assert without_python(found) == {"torch": ">=1.7,<1.9", "cuda": ">=10.2,<11.2"}
    assert [(one.name, one.optional) for one in found.requirements] == [("bacon", True)]
    assert [(one.what, one.why) for one in found.others] == [
        ("pip install torchserve", "told for another purpose than training: in docker/serve/Dockerfile")
    ]


def test_what_is_no_dockerfile(plant: Plant) -> None:
    found = dockerfiles.read(plant({"Dockerfile": "pip install a\n", "Dockerfile.gpu": "FROM x\nRUN <<EOF\n"}))
    assert found is not None
    assert [(one.what, one.why.partition(":")[0], str(one.findings[0])) for one in found.others] == [
        ("Dockerfile", "a Dockerfile that is not understood", "Dockerfile:1"),
        ("Dockerfile.gpu", "a Dockerfile that is not understood", "Dockerfile.gpu:2"),
    ]
    assert dockerfiles.read(plant({"Dockerfile.py": "x"}, "none/below/too/deep/for/us")) is not None
    assert dockerfiles.read(plant({"docker.md": "x"}, "nothing")) is None


def test_compose_files_name_images_and_dockerfiles(plant: Plant) -> None:
    tree = plant(
        {
            "docker-compose.yml": """\
                services:
                  train:
                    build:
                      context: .
                      dockerfile: docker/Training
                  eval:
                    image: pytorch/pytorch:${TAG:-1.9.0-cuda11.1-cudnn8-runtime}
                  out:
                    build: {context: .., dockerfile: Dockerfile}
                """,
            "docker/Training": "FROM nvidia/cuda:11.0-devel-ubuntu20.04\nRUN pip install bacon\n",
        }
    )
    assert without_python(compose.read(tree)) == {"torch": "==1.9.*", "cuda": "==11.1.*"}
    assert compose.dockerfiles(tree) == ["docker/Training"]
    found = dockerfiles.read(tree)
    assert found is not None
    assert [(one.name, str(one.findings[0])) for one in found.requirements] == [("bacon", "docker/Training:2")]
    assert compose.read(plant({"compose.txt": ""}, "nothing")) is None
