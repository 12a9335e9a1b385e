"""What the host says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako import host


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
