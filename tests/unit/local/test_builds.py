"""CPU builds of torch in folders of find-links: small wheels with nothing but their metadata."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from kobako.engines.local import builds
from kobako.engines.local.interpreters import Interpreter
from kobako.pipconfig import PipConfig

CP38 = Interpreter("/x", "3.8.18", "/opt", "x86_64")
NVIDIA = ("nvidia-cublas-cu12==12.1; platform_system == 'Linux'",)


def wheel(folder: Path, name: str, requires: Sequence[str] = ("filelock",)) -> None:
    folder.mkdir(exist_ok=True)
    version = name.split("-")[1]
    lines = [
        "Metadata-Version: 2.1",
        "Name: torch",
        f"Version: {version}",
        *(f"Requires-Dist: {one}" for one in requires),
    ]
    with zipfile.ZipFile(folder / name, "w") as file:
        file.writestr(f"torch-{version}.dist-info/METADATA", "\n".join(lines) + "\n")
        file.writestr("torch/testing/x.dist-info/METADATA", "Requires-Dist: nvidia-cublas\n")


def offered(*links: str, interpreter: Interpreter = CP38) -> list[str]:
    return builds.offered(PipConfig(find_links=links), interpreter)


@pytest.mark.parametrize(
    ("name", "requires", "version"),
    [
        ("torch-1.11.0+cpu-cp38-cp38-linux_x86_64.whl", (), "1.11.0+cpu"),
        ("torch-2.4.1+cpu.cxx11.abi-cp38-cp38-linux_x86_64.whl", (), "2.4.1+cpu.cxx11.abi"),
        ("torch-2.1.0+cpu-cp38-cp38-manylinux_2_28_x86_64.whl", (), "2.1.0+cpu"),
        ("torch-2.1.0-cp38-cp38-manylinux1_x86_64.whl", (), "2.1.0"),
        ("torch-2.1.0-cp38-cp38-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", (), "2.1.0"),
        ("torch-2.1.0-cp38-cp38-manylinux1_x86_64.whl", NVIDIA, None),
        ("torch-2.1.0+cpu-cp38-cp38-linux_x86_64.whl", NVIDIA, "2.1.0+cpu"),
        ("torch-2.1.0+cu121-cp38-cp38-linux_x86_64.whl", (), None),
        ("torch-2.1.0+rocm5.6-cp38-cp38-linux_x86_64.whl", (), None),
        ("torch-2.1.0+computecanada-cp38-cp38-linux_x86_64.whl", (), None),
        ("torch-2.1.0+cpu-cp39-cp39-linux_x86_64.whl", (), None),
        ("torch-2.1.0+cpu-cp38-cp38t-linux_x86_64.whl", (), None),
        ("torch-2.1.0+cpu-cp38-cp38-linux_aarch64.whl", (), None),
        ("torch-2.1.0+cpu-cp38-cp38-win_amd64.whl", (), None),
        ("torch-2.1.0-cp38-none-macosx_10_9_x86_64.whl", (), None),
        ("torch-2.1.0+cpu-pp38-pypy38_pp73-linux_x86_64.whl", (), None),
        ("torch-nothing.whl", (), None),
    ],
)
def test_offered(tmp_path: Path, name: str, requires: Sequence[str], version: str | None) -> None:
    if name.count("-") < 3:
        (tmp_path / name).touch()
    else:
        wheel(tmp_path, name, requires)
    assert offered(str(tmp_path)) == ([] if version is None else [version])
    assert offered(tmp_path.as_uri()) == offered(str(tmp_path))


def test_another_machine(tmp_path: Path) -> None:
    wheel(tmp_path, "torch-2.1.0-cp310-cp310-manylinux_2_17_aarch64.manylinux2014_aarch64.whl")
    assert offered(str(tmp_path), interpreter=Interpreter("/x", "3.10.1", "/opt", "aarch64")) == ["2.1.0"]
    assert offered(str(tmp_path)) == []


def test_newest_first_and_each_once(tmp_path: Path) -> None:
    for folder, versions in (("one", ["1.13.1", "2.0.0", "1.9.0"]), ("two two", ["1.10.2", "2.0.0"])):
        for version in versions:
            wheel(tmp_path / folder, f"torch-{version}+cpu-cp38-cp38-linux_x86_64.whl")
    found = offered(str(tmp_path / "one"), (tmp_path / "two two").as_uri())
    assert found == ["2.0.0+cpu", "1.13.1+cpu", "1.10.2+cpu", "1.9.0+cpu"]


def test_a_release_before_its_candidates(tmp_path: Path) -> None:
    for version in ("2.1.0rc1", "2.1.0", "2.1.0.dev1"):
        wheel(tmp_path, f"torch-{version}+cpu-cp38-cp38-linux_x86_64.whl")
    assert offered(str(tmp_path))[0] == "2.1.0+cpu"


def test_broken_wheels_are_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "torch-2.1.0-cp38-cp38-linux_x86_64.whl").write_bytes(b"PK")
    with zipfile.ZipFile(tmp_path / "torch-2.2.0-cp38-cp38-linux_x86_64.whl", "w") as file:
        file.writestr("torch/__init__.py", "")
    assert offered(str(tmp_path)) == []


def test_other_links_and_packages(tmp_path: Path) -> None:
    (tmp_path / "torchvision-0.16.0+cpu-cp38-cp38-linux_x86_64.whl").touch()
    (tmp_path / "torch_scatter-2.1.0+cpu-cp38-cp38-linux_x86_64.whl").touch()
    assert offered(str(tmp_path), "https://a/links", str(tmp_path / "none"), "file:///no/where") == []


@pytest.mark.parametrize(
    ("packages", "unpaired"),
    [
        ({"torch": "2.13.0+cpu", "torchvision": "0.28.0"}, ("torchvision",)),
        ({"torch": "2.13.0+cpu", "torchvision": "0.28.0+cpu"}, ()),
        (
            {"torch": "2.13.0+cpu.cxx11.abi", "torchaudio": "2.11.0", "torchvision": "0.28.0"},
            ("torchvision", "torchaudio"),
        ),
        ({"torch": "2.13.0", "torchvision": "0.28.0"}, ()),
        ({"torch": "2.13.0+cu130", "torchvision": "0.28.0"}, ()),
        ({"torch": "2.13.0+cpu", "numpy": "2.0"}, ()),
        ({"torchvision": "0.28.0"}, ()),
        ({}, ()),
    ],
)
def test_what_cannot_be_imported_beside_a_cpu_build(packages: dict[str, str], unpaired: tuple[str, ...]) -> None:
    assert builds.unpaired(packages, CP38) == unpaired
    assert builds.unpaired(packages, CP38._replace(machine="aarch64")) == ()
