"""What addresses and names of builds tell about torch, CUDA and Python."""

from __future__ import annotations

import pytest

from kobako.model.finding import Finding
from kobako.scan.declaring.wheel_urls import bounds

HERE = Finding("README.md", 3, "x")

CASES = [
    # OpenMMLab, detectron2, pytorch3d, PyG, DGL, Kaolin: folders of an index
    ("https://download.openmmlab.com/mmcv/dist/cu113/torch1.10/index.html", "==1.10.*", "==11.3.*", ""),
    ("https://download.openmmlab.com/mmcv/dist/cu101/torch1.6.0/index.html", "==1.6.*", "==10.1.*", ""),
    ("https://dl.fbaipublicfiles.com/detectron2/wheels/cu113/torch1.10/index.html", "==1.10.*", "==11.3.*", ""),
    (
        "https://dl.fbaipublicfiles.com/pytorch3d/packaging/wheels/py38_cu113_pyt1100/download.html",
        "==1.10.*",
        "==11.3.*",
        "==3.8.*",
    ),
    ("https://data.pyg.org/whl/torch-2.0.0+cu117.html", "==2.0.*", "==11.7.*", ""),
    ("https://data.pyg.org/whl/torch-2.0.0%2Bcu117.html", "==2.0.*", "==11.7.*", ""),
    ("https://data.dgl.ai/wheels/torch-2.1/cu121/repo.html", "==2.1.*", "==12.1.*", ""),
    ("https://nvidia-kaolin.s3.us-east-2.amazonaws.com/torch-1.12.1_cu113.html", "==1.12.*", "==11.3.*", ""),
    # PyTorch's own
    ("https://download.pytorch.org/whl/cu118", "", "==11.8.*", ""),
    ("--extra-index-url https://download.pytorch.org/whl/nightly/cu92", "", "==9.2.*", ""),
    ("https://download.pytorch.org/whl/torch_stable.html", "", "", ""),
    ("https://download.pytorch.org/whl/cpu", "", "", ""),
    ("https://download.pytorch.org/whl/rocm5.4.2", "", "", ""),
    (
        "https://download.pytorch.org/whl/cu113/torch-1.10.0%2Bcu113-cp38-cp38-linux_x86_64.whl",
        "==1.10.0",
        "==11.3.*",
        "==3.8.*",
    ),
    # Paddle
    (
        "https://wheels.example/2.2.2/linux-gpu-cuda11.2-cudnn8-mkl/paddlepaddle_gpu-2.2.2.post112-cp37-cp37m-linux_x86_64.whl",
        "",
        "==11.2.*",
        "==3.7.*",
    ),
    ("https://www.paddlepaddle.org.cn/packages/stable/cu118/", "", "==11.8.*", ""),
    ("pip install paddlepaddle-gpu==2.3.2.post112", "", "==11.2.*", ""),
    # pins and package names
    ("torch==1.7.0+cu110", "==1.7.0", "==11.0.*", ""),
    ("torch==1.13.1", "==1.13.1", "", ""),
    ("pip install torch==1.8.1+cu111 torchvision==0.9.1+cu111", "==1.8.1", "==11.1.*", ""),
    ("mmcv-full==1.2.7+torch1.6.0+cu101", "==1.6.*", "==10.1.*", ""),
    ("natten==0.14.6+torch1121cu116", "==1.12.*", "==11.6.*", ""),
    ("cupy-cuda110", "", "==11.0.*", ""),
    ("cupy-cuda12x", "", "==12.*", ""),
    ("nvidia-dali-cuda110", "", "==11.*", ""),
    ("spconv-cu113", "", "==11.3.*", ""),
    # wheels by themselves
    ("wheels/torch-1.10.0-cp36-cp36m-manylinux1_x86_64.whl", "==1.10.0", "", "==3.6.*"),
    ("safetensors-0.4.0-cp38-abi3-manylinux_2_17_x86_64.whl", "", "", ">=3.8"),
    ("six-1.16.0-py2.py3-none-any.whl", "", "", ""),
    (
        "https://github.com/a/b/releases/download/v2.3.3/flash_attn-2.3.3+cu118torch2.0cxx11abiFALSE-cp310-cp310-linux_x86_64.whl",
        "==2.0.*",
        "==11.8.*",
        "==3.10.*",
    ),
    ("https://developer.download.nvidia.com/compute/cuda/11.3.0/local_installers/x.run", "", "==11.3.*", ""),
    # nothing that would be one
    ("https://download.openmmlab.com/mmcv/dist/{cu_version}/{torch_version}/index.html", "", "", ""),
    ("https://data.pyg.org/whl/torch-${TORCH}+${CUDA}.html", "", "", ""),
    ("https://github.com/someone/pytorch-1.8-cuda11.3-notes", "", "", ""),
    ("https://huggingface.co/a/torch1.10", "", "", ""),
    ("https://example.org/torch110/x", "", "", ""),  # 1.1.0 or 1.10
    ("we train with cuda and torch", "", "", ""),
    ("https://example.org/cu999/torch99", "", "", ""),
    ("", "", "", ""),
]


@pytest.mark.parametrize(("text", "torch", "cuda", "python"), CASES)
def test_what_a_text_tells(text: str, torch: str, cuda: str, python: str) -> None:
    found = bounds(text, HERE)
    told = [",".join(bound.specifier for bound in one) for one in (found.torch, found.cuda, found.python)]
    assert told == [torch, cuda, python]
    assert (found.requirements, found.questions, found.problems) == ([], [], [])


def test_they_are_wishes_with_a_place() -> None:
    found = bounds("https://download.openmmlab.com/mmcv/dist/cu113/torch1.10/index.html", HERE)
    assert [(one.firm, one.findings) for one in (*found.torch, *found.cuda)] == [(False, (HERE,)), (False, (HERE,))]
    assert [one.firm for one in bounds("torch==1.10.0", HERE, firm=True).torch] == [True]


def test_the_same_is_told_once() -> None:
    found = bounds("torch==1.8.1+cu111 torchaudio==0.8.1+cu111 cupy-cuda102", HERE)
    assert [one.specifier for one in found.cuda] == ["==11.1.*", "==10.2.*"]


def test_a_line_without_an_end_is_cut() -> None:
    assert bounds("https://x/" + "a/" * 10_000_000 + "cu113", HERE).cuda == []
