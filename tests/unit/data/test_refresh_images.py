"""The script that refreshes the tables of images, on configurations in the form that Docker documents."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh_images", ROOT / "tools" / "refresh_images.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["refresh_images"] = module
    spec.loader.exec_module(module)
    return module


tool = _tool()
NGC = "nvcr.io/nvidia/pytorch"

ENVIRONMENT = [
    "PATH=/usr/local/nvidia/bin:/usr/bin",
    "CUDA_VERSION=12.9.0.043",
    "CUDA_DRIVER_VERSION=575.51.03",
    "CUDNN_VERSION=9.9.0.52",
    "NCCL_VERSION=2.26.3+cuda12.9",
    "TRT_VERSION=10.9.0.34+cuda12.8",
    "PYTORCH_BUILD_VERSION=2.7.0a0+79aa17489c",
    "PYTORCH_VERSION=2.7.0a0+79aa174",
    "NVIDIA_PYTORCH_VERSION=25.04",
    "TORCH_CUDA_ARCH_LIST=7.5 8.0 8.6 9.0 10.0 12.0+PTX",
    "LD_LIBRARY_PATH=/usr/local/lib/python3.12/dist-packages/torch/lib:/usr/local/nvidia/lib",
]
LABELS = {"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": "24.04"}


def config(environment: list[str], created: str = "2025-04-17T19:30:13.58Z") -> dict[str, Any]:
    return {
        "created": created,
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": environment, "Labels": LABELS, "WorkingDir": "/workspace"},
        "rootfs": {"type": "layers", "diff_ids": []},
    }


def image(environment: list[str] = ENVIRONMENT) -> Any:
    return tool.configuration(json.dumps(config(environment)))


def replaced(name: str, value: str) -> list[str]:
    return [one for one in ENVIRONMENT if not one.startswith(f"{name}=")] + ([f"{name}={value}"] if value else [])


FACTS = {
    "release": "25.04",
    "image": f"{NGC}:25.04-py3",
    "ubuntu": "24.04",
    "python": "3.12",
    "cuda": "12.9.0",
    "cudnn": "9.9.0.52",
    "nccl": "2.26.3",
    "tensorrt": "10.9.0.34",
    "pytorch": "2.7.0a0+79aa17489c",
    "torch_cuda_arch_list": "7.5 8.0 8.6 9.0 10.0 12.0+PTX",
    "cuda_compat_driver": "575.51.03",
    "released": "2025-04-17",
    "driver_exact_derived": "575.51.03",
    "driver_minor_compat_derived": "525",
    "cc_max_inferred": "12.1",
}


@pytest.mark.parametrize(
    "found",
    [
        config(ENVIRONMENT),
        {"linux/arm64": config([]), "linux/amd64": config(ENVIRONMENT)},
        {"linux/arm64": config(ENVIRONMENT)},
        [
            {
                "Id": "sha256:0",
                "RepoTags": [f"{NGC}:25.04-py3"],
                "Created": "2025-04-17T19:30:13.58Z",
                "Config": {"Env": ENVIRONMENT, "Labels": LABELS},
                "Architecture": "amd64",
            }
        ],
    ],
    ids=["one platform", "two platforms", "another platform", "docker image inspect"],
)
def test_what_a_configuration_says(found: Any) -> None:
    assert tool.facts(f"{NGC}:25.04-py3", tool.configuration(json.dumps(found))) == ("ngc_pytorch", FACTS)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"linux/amd64": 3}', '"x"'])
def test_no_configuration(text: str) -> None:
    with pytest.raises(ValueError):
        tool.configuration(text)


def test_a_configuration_that_says_little() -> None:
    found = tool.configuration(json.dumps({"created": "1970-01-01T00:00:00Z", "config": {"Env": None, "Labels": None}}))
    assert tool.facts(f"{NGC}:25.04-py3", found)[1] == {"release": "25.04", "image": f"{NGC}:25.04-py3"}


@pytest.mark.parametrize(
    ("name", "environment", "why"),
    [
        (f"{NGC}:25.05-py3", ENVIRONMENT, "its configuration says that it is 25.04"),
        (f"{NGC}:latest", [], "which release it is"),
        ("python:3.11", [], "neither"),
        ("pytorch/pytorch:latest", [], "a tag such as"),
        ("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel", ["PYTORCH_VERSION=v2.1.1"], "it has torch 2.1.1"),
    ],
)
def test_what_goes_into_no_table(name: str, environment: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        tool.facts(name, image(environment))


@pytest.mark.parametrize(
    ("environment", "python"),
    [
        (["PYTHON_VERSION=3.11.10"], "3.11"),
        (["PATH=/opt/conda/lib/python3.8/bin:/usr/bin"], "3.8"),
        (["A=/usr/lib/python3.8/x", "B=/usr/lib/python3.10"], ""),
        (["PYTHONIOENCODING=utf-8"], ""),
    ],
)
def test_which_python(environment: list[str], python: str) -> None:
    assert tool.facts(f"{NGC}:25.04-py3", image(environment))[1].get("python", "") == python


def test_pytorch_s_own() -> None:
    table, cells = tool.facts(
        "docker.io/pytorch/pytorch:1.2-cuda10.0-cudnn7-devel", image(["PYTORCH_VERSION=v1.2.0", "PYTHON_VERSION=3.7"])
    )
    assert table == "pytorch_images"
    assert cells == {
        "torch": "1.2.0",
        "cuda": "10.0",
        "cudnn": "7",
        "tag": "1.2-cuda10.0-cudnn7",
        "python": "3.7",
    }


def rows(table: str) -> list[dict[str, str]]:
    with (tool.FOLDER / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("table", tool.FLOORS)
def test_a_table_that_is_read_and_written_is_the_same(table: str) -> None:
    assert tool.render(rows(table)) == (tool.FOLDER / f"{table}.csv").read_text(encoding="utf-8")
    assert len(rows(table)) >= tool.FLOORS[table]


def row(merged: Any, release: str) -> dict[str, str]:
    (found,) = (one for one in merged.rows if one["release"] == release)
    return dict(found)


def test_known_rows_are_confirmed_and_filled_in() -> None:
    old = rows("ngc_pytorch")
    cells = tool.facts(f"{NGC}:25.04-py3", image())[1]
    merged = tool.merge("ngc_pytorch", old, [cells], "2026-11-24")
    assert merged.contradictions == ()
    found = row(merged, "25.04")
    assert found["confidence"] == "image-config"
    assert found["source"].startswith("image configuration, 2026-11-24; ")
    assert (found["ubuntu"], found["released"]) == ("24.04", "2025-04-17")
    others = [one for one in merged.rows if one["release"] != "25.04"]
    assert others == [one for one in old if one["release"] != "25.04"]
    again = tool.merge("ngc_pytorch", merged.rows, [cells], "2027-01-01")
    assert again.rows == merged.rows


def test_a_new_release_takes_its_place() -> None:
    cells = {**FACTS, "release": "25.07", "image": f"{NGC}:25.07-py3"}
    merged = tool.merge("ngc_pytorch", rows("ngc_pytorch"), [cells], "2026-11-24")
    releases = [one["release"] for one in merged.rows]
    assert releases[releases.index("25.07") - 1 : releases.index("25.07") + 2] == ["25.06", "25.07", "25.08"]
    assert row(merged, "25.07")["source"] == "image configuration, 2026-11-24"
    assert tool.refused("ngc_pytorch", rows("ngc_pytorch"), merged, accept=False) == ""


def test_a_contradiction_needs_a_person() -> None:
    old = rows("ngc_pytorch")
    cells = tool.facts(f"{NGC}:25.04-py3", image(replaced("CUDA_VERSION", "12.8.1.012")))[1]
    merged = tool.merge("ngc_pytorch", old, [cells], "2026-11-24")
    assert str(merged.contradictions[0]) == ("25.04: cuda is 12.9.0 in the table and 12.8.1 in the image")
    assert "--accept" in tool.refused("ngc_pytorch", old, merged, accept=False)
    assert tool.refused("ngc_pytorch", old, merged, accept=True) == ""
    assert row(merged, "25.04")["cuda"] == "12.8.1"


def test_a_more_precise_value_is_taken_and_a_less_precise_one_is_not() -> None:
    old = [{**dict.fromkeys(rows("ngc_pytorch")[0], ""), "release": "25.04", "cudnn": "9.9.0", "pytorch": "2.7.0a0+79"}]
    merged = tool.merge(
        "ngc_pytorch", old, [{"release": "25.04", "cudnn": "9.9.0.52", "pytorch": "2.7.0a0"}], "2026-11-24"
    )
    assert merged.contradictions == ()
    assert (row(merged, "25.04")["cudnn"], row(merged, "25.04")["pytorch"]) == ("9.9.0.52", "2.7.0a0+79")


def test_a_table_never_shrinks() -> None:
    old = rows("ngc_pytorch")
    short = tool.Merged(old[:-1], ())
    assert (
        tool.refused("ngc_pytorch", old, short, accept=True)
        == f"ngc_pytorch: {len(old) - 1} rows, and there have to be {len(old)}"
    )
    assert "have to be 92" in tool.refused("ngc_pytorch", old[:10], tool.Merged(old[:10], ()), accept=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for table in tool.FLOORS:
        text = (tool.FOLDER / f"{table}.csv").read_text(encoding="utf-8")
        (tmp_path / f"{table}.csv").write_text(text, encoding="utf-8")
    monkeypatch.setattr(tool, "FOLDER", tmp_path)
    (tmp_path / "saved.json").write_text(json.dumps(config(ENVIRONMENT)), encoding="utf-8")
    (tmp_path / "other.json").write_text(json.dumps(config(replaced("CUDA_VERSION", "12.8.1.012"))), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "written"),
    [
        (["--from", "saved.json", "--", f"{NGC}:25.04-py3"], 0, False),
        (["--write", "--from", "saved.json", "--", f"{NGC}:25.04-py3"], 0, True),
        (["--write", "--from", "other.json", "--", f"{NGC}:25.04-py3"], 1, False),
        (["--write", "--accept", "--from", "other.json", "--", f"{NGC}:25.04-py3"], 0, True),
        (["--write", "--from", "ngc_pytorch.csv", "--", f"{NGC}:25.04-py3"], 1, False),
        (["--write", "--from", "none.json", "--", f"{NGC}:25.04-py3"], 1, False),
        (["--write", "--from", "saved.json", "--", "python:3.11"], 1, False),
    ],
)
def test_the_script(
    words: list[str], code: int, written: bool, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "ngc_pytorch.csv").read_text(encoding="utf-8")
    there = {one.name for one in folder.iterdir()} | {"none.json"}
    assert tool.main([str(folder / word) if word in there else word for word in words]) == code
    after = (folder / "ngc_pytorch.csv").read_text(encoding="utf-8")
    assert (after != before) is written
    out, err = capsys.readouterr()
    assert ("+25.04" in out) is (code == 0 or "--accept" in err)
    assert bool(err) is (code == 1)
