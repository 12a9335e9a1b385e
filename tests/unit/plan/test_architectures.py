"""What CUDA code is compiled for, by the GPUs at hand and the image's compiler."""

from __future__ import annotations

import pytest

from kobako.catalogue import recognise
from kobako.model.choice import Choice
from kobako.model.requirement import Scan
from kobako.plan import Facts
from kobako.plan.install import environment


@pytest.mark.parametrize(
    ("image", "capabilities", "expected"),
    [
        ("nvcr.io/nvidia/pytorch:22.02-py3", (), "FORCE_CUDA=1"),
        ("nvcr.io/nvidia/pytorch:22.02-py3", ("8.6",), 'TORCH_CUDA_ARCH_LIST="8.6" FORCE_CUDA=1'),
        ("nvcr.io/nvidia/pytorch:22.02-py3", ("7.0", "8.0"), 'TORCH_CUDA_ARCH_LIST="7.0;8.0" FORCE_CUDA=1'),
        # of CUDA 11.6 the table knows up to 8.6: a newer GPU of the machine's translates code for that
        ("nvcr.io/nvidia/pytorch:22.02-py3", ("8.9",), 'TORCH_CUDA_ARCH_LIST="8.6+PTX" FORCE_CUDA=1'),
        ("nvcr.io/nvidia/pytorch:22.02-py3", ("7.5", "9.0"), 'TORCH_CUDA_ARCH_LIST="7.5;8.6+PTX" FORCE_CUDA=1'),
        ("registry.example/own:1", ("12.0",), 'TORCH_CUDA_ARCH_LIST="12.0" FORCE_CUDA=1'),
        ("python:3.11-slim", ("8.6",), "FORCE_CUDA=0"),
    ],
)
def test_settings(image: str, capabilities: tuple[str, ...], expected: str) -> None:
    facts = Facts("x", Choice(recognise(image)), Scan(), architectures=capabilities)
    assert environment("FORCE_CUDA=1", facts)[0] == expected
