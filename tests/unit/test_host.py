"""What the host says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako import host
from kobako.model.host import Gpu
from kobako.process import Outcome


def machine(root: Path, *, timezone: str = "", link: str = "") -> Path:
    (root / "etc").mkdir()
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text("MemTotal:       24640000 kB\nMemFree: 1 kB\n")
    if timezone:
        (root / "etc/timezone").write_text(f"{timezone}\n")
    if link:
        (root / "etc/localtime").symlink_to(link)
    return root


@pytest.mark.parametrize(
    ("env", "file", "link", "zone"),
    [
        ("Asia/Tokyo", "Europe/Paris", "", "Asia/Tokyo"),
        (":Asia/Tokyo", "", "", "Asia/Tokyo"),
        ("JST-9", "Asia/Tokyo", "", "Asia/Tokyo"),
        ("../../etc/passwd", "", "", ""),
        ("Asia/Tokyo; rm", "UTC", "", "UTC"),
        ("", "", "/usr/share/zoneinfo/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("", "", "../usr/share/zoneinfo/Etc/GMT+9", "Etc/GMT+9"),
        ("", "", "", ""),
    ],
)
def test_time_zones(env: str, file: str, link: str, zone: str, tmp_path: Path) -> None:
    facts = host.read({"TZ": env}, machine(tmp_path, timezone=file, link=link))
    assert (facts.timezone, facts.memory) == (zone, 24640000 * 1024)


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    assert host.memory(tmp_path) == 0


NEW = "nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader"
OLD = "nvidia-smi --query-gpu=name,driver_version --format=csv,noheader"
UNKNOWN_FIELD = (2, 'Field "compute_cap" is not a valid field to query.\n')
NO_DRIVER = (9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n")


class Asked:
    """A machine whose nvidia-smi gives these answers."""

    def __init__(self, answers: dict[str, tuple[int, str]]) -> None:
        self.answers = answers

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if self.answers else None

    def run(self, *argv: str) -> Outcome:
        code, out = self.answers[" ".join(argv)]
        return Outcome(argv, code, out, "", 0.1)


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({}, ()),
        (
            {NEW: (0, "NVIDIA A100-SXM4-80GB, 535.183.01, 8.0\nNVIDIA L4, 535.183.01, 8.9\n")},
            (Gpu("NVIDIA A100-SXM4-80GB", "535.183.01", "8.0"), Gpu("NVIDIA L4", "535.183.01", "8.9")),
        ),
        (
            {NEW: UNKNOWN_FIELD, OLD: (0, "Tesla V100-SXM2-16GB, 418.87.00\n")},
            (Gpu("Tesla V100-SXM2-16GB", "418.87.00"),),
        ),
        ({NEW: (0, "NVIDIA A100 MIG 1g.5gb, 535.183.01, [N/A]\n")}, (Gpu("NVIDIA A100 MIG 1g.5gb", "535.183.01"),)),
        ({NEW: NO_DRIVER, OLD: NO_DRIVER}, ()),
        ({NEW: (0, "No devices were found\n")}, ()),
        ({NEW: (0, "\n,,\nx\n")}, ()),
    ],
)
def test_gpus(answers: dict[str, tuple[int, str]], found: tuple[Gpu, ...]) -> None:
    assert host.gpus(Asked(answers)) == found
