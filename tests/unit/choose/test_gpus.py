"""GPUs by the names that people and nvidia-smi give them."""

from __future__ import annotations

import pytest

from kobako.choose import gpus
from kobako.data import tables


@pytest.mark.parametrize("model", tables.gpus(), ids=lambda model: model.name)
def test_every_gpu_of_the_table_is_known_by_its_own_name(model: tables.GpuModel) -> None:
    assert gpus.recognise(model.name)[0] == model


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Tesla V100", "NVIDIA V100"),
        ("V100-SXM2-16GB", "NVIDIA V100"),
        ("Tesla V100-SXM2-32GB", "NVIDIA V100"),
        ("Tesla V100S-PCIE-32GB", "NVIDIA V100"),
        ("GRID V100D-8Q", None),
        ("NVIDIA GeForce RTX 3090", "GeForce RTX 3090"),
        ("RTX3090", "GeForce RTX 3090"),
        ("3090", "GeForce RTX 3090"),
        ("rtx 2080ti", "GeForce RTX 2080 Ti"),
        ("1080Ti", "GeForce GTX 1080 Ti"),
        ("NVIDIA GeForce RTX 3080 Ti Laptop GPU", "GeForce RTX 3080 Ti"),
        ("NVIDIA GeForce RTX 3090 Ti", "GeForce RTX 3090 Ti"),
        ("NVIDIA GeForce GTX 1660 SUPER", "GeForce GTX 1660"),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", "GeForce RTX 4070"),
        ("A100 80GB PCIe", "NVIDIA A100"),
        ("NVIDIA A100-SXM4-80GB", "NVIDIA A100"),
        ("NVIDIA A100-PG509-200", "NVIDIA A100"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "NVIDIA A100"),
        ("4 x A100", "NVIDIA A100"),
        ("NVIDIA A10G", "NVIDIA A10G"),
        ("NVIDIA A10", "NVIDIA A10"),
        ("NVIDIA H100 80GB HBM3", "NVIDIA H100"),
        ("NVIDIA H100 NVL", "NVIDIA H100"),
        ("NVIDIA GH200 480GB", "NVIDIA GH200"),
        ("NVIDIA L40S", "NVIDIA L40S"),
        ("Tesla T4", "NVIDIA T4"),
        ("Tesla P100-PCIE-16GB", "Tesla P100"),
        ("NVIDIA TITAN X (Pascal)", "NVIDIA TITAN X"),
        ("GeForce GTX TITAN X", "GeForce GTX TITAN X"),
        ("TITAN Xp", "NVIDIA TITAN Xp"),
        ("TITAN RTX", "NVIDIA TITAN RTX"),
        ("NVIDIA RTX A6000", "NVIDIA RTX A6000"),
        ("A6000", "NVIDIA RTX A6000"),
        ("Quadro RTX 6000", "Quadro RTX 6000"),
        ("NVIDIA RTX 6000 Ada Generation", "NVIDIA RTX 6000 Ada"),
        ("NVIDIA T1000 8GB", "T1000"),
        ("NVIDIA GB10", "NVIDIA GB10 (DGX Spark)"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "NVIDIA RTX PRO 6000 Blackwell Server Edition"),
        (
            "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
            "NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
        ),
        ("RTX PRO 6000", "NVIDIA RTX PRO 6000 Blackwell Workstation Edition"),
    ],
)
def test_recognised(name: str, known: str | None) -> None:
    found, _ = gpus.recognise(name)
    if known is None:
        assert found is None or found.name == "NVIDIA V100"
        return
    assert found is not None
    wanted = next(model for model in tables.gpus() if model.name == known)
    assert (found.capability, found.kind) == (wanted.capability, wanted.kind)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RTX 9090", "GeForce RTX 3090"),
        ("A1000", "NVIDIA A100"),
        ("RTX 6000", "Quadro RTX 6000"),  # 7.5, or 8.9, or 12.0
        ("TITAN", "NVIDIA TITAN V"),
    ],
)
def test_unknown_and_what_was_perhaps_meant(name: str, meant: str) -> None:
    found, close = gpus.recognise(name)
    assert found is None
    assert meant in close


@pytest.mark.parametrize("name", ["", "GPU", "Radeon VII", "MI300X", "M3 Max", "\x00", "a" * 5000, "Quadro RTX 3000"])
def test_nothing_is_guessed(name: str) -> None:
    assert gpus.recognise(name)[0] is None


@pytest.mark.parametrize(
    ("text", "capability"),
    [("8.6", "8.6"), ("sm_86", "8.6"), ("86", "8.6"), ("12", "12.0"), ("120", "12.0"), ("9.0a", "9.0"), ("7", "7.0")],
)
def test_compute_capabilities_as_typed(text: str, capability: str) -> None:
    assert gpus.capability(text) == capability


@pytest.mark.parametrize("text", ["", "a", "8,6", "8.6.1", "-1", "1234"])
def test_no_compute_capability(text: str) -> None:
    with pytest.raises(ValueError, match="--compute-capability"):
        gpus.capability(text)


def test_kinds_by_compute_capability() -> None:
    assert gpus.is_datacenter("9.0")
    assert gpus.is_datacenter("8.0")
    assert not gpus.is_datacenter("8.6")  # A40, and GeForce RTX 3090
    assert not gpus.is_datacenter("7.0")  # V100, and TITAN V
    assert not gpus.is_datacenter("99.0")
    assert gpus.is_known_capability("12.1")
    assert not gpus.is_known_capability("13.0")
    assert not gpus.is_known_capability("")
