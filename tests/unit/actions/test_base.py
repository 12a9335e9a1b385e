"""``kobako base``: a question, and a change of FROM. The machine's answers are recorded; no program runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kobako import sources
from kobako.actions import base
from kobako.actions.base import BaseRequest
from kobako.actions.context import Context
from kobako.choose import Asked
from kobako.console import Console
from kobako.errors import UsageError
from kobako.model.result import Result
from unit.actions.test_doctor import Recorded
from unit.test_contract import validator

NGC = "nvcr.io/nvidia/pytorch"
QUERY = "nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader"

COMPOSE = """\
services:
  small:
    container_name: Small
    build: {context: ., dockerfile: docker/Small}
    x-kobako: {source: {date: "2022-05-01"}}
  staged:
    container_name: Staged
    build: {context: ., dockerfile: docker/Staged, target: train, args: {TAG: 22.01-py3}}
  ready: {image: "python:3.11"}
"""
DOCKERFILE = f"# why this one: it was there\nFROM {NGC}:21.09-py3  # no comment to Docker\nRUN true\n"
STAGED = f"ARG TAG=22.02-py3\nFROM {NGC}:${{TAG}} AS train\nRUN true\nFROM busybox\n"
SETUP = (
    "from setuptools import setup\nsetup(name='x', python_requires='>=3.7', install_requires=['torch>=1.8,<1.12'])\n"
)

Ask = Callable[..., Result]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says what nvidia-smi answers; nothing: there is none."""

    def set_up(answer: str) -> None:
        programs: Mapping[str, tuple[int, str, str]] = {QUERY: (0, answer, "")} if answer else {}
        monkeypatch.setattr(base, "Machine", lambda _: Recorded(programs=programs))

    monkeypatch.setattr(sources, "facts_of", lambda _: {})
    set_up("")
    return set_up


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docker").mkdir()
    (tmp_path / "Small").mkdir()
    (tmp_path / "Small" / "setup.py").write_text(SETUP, encoding="utf-8")
    (tmp_path / "docker-compose.yaml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "docker" / "Small").write_text(DOCKERFILE.replace("  # no comment to Docker", ""), encoding="utf-8")
    (tmp_path / "docker" / "Staged").write_text(STAGED, encoding="utf-8")
    return tmp_path


@pytest.fixture
def ask(root: Path, machine: object) -> Ask:
    """Asks, and holds the answer against the published schema."""

    def call(
        service: str = "", *, image: str | None = None, write: bool = False, verbose: bool = False, **said: Any
    ) -> Result:
        context = Context(root, {}, Console({}))
        request = BaseRequest(Asked(**said), service, image, write=write, verbose=verbose)
        result = base.base(context, request)
        validator("base").validate(json.loads(json.dumps(result.data)))
        return result

    return call


def test_a_question(ask: Ask) -> None:
    result = ask(torch="1.11", cuda="11.6")
    assert (result.status, result.exit_code, result.problems) == ("ok", 0, ())
    choice = result.data["choice"]
    assert (choice["release"], choice["image"]) == ("22.02", f"{NGC}:22.02-py3")
    assert (choice["python"], choice["torch"], choice["cuda"]) == ("3.8", "1.11.0a0+17540c5", "11.6.0")
    assert choice["reasons"][:3] == [
        "the newest NGC release that fits",
        "--torch asks for torch ==1.11.*",
        "--cuda asks for CUDA ==11.6.*",
    ]
    assert choice["reasons"][3].startswith("what it holds is known second-hand: ")
    assert [one["image"] for one in result.data["candidates"]] == [f"{NGC}:22.02-py3", f"{NGC}:22.01-py3"]
    assert result.data["rejected"][0] == {
        "release": "22.03",
        "image": f"{NGC}:22.03-py3",
        "why": "torch 1.12.0a0 is not ==1.11.*",
        "near": True,
    }
    assert result.text == (
        f"{NGC}:22.02-py3\n"
        "  Python 3.8, torch 1.11.0a0+17540c5, CUDA 11.6.0, ubuntu 20.04\n"
        "why:\n"
        "  the newest NGC release that fits\n"
        "  --torch asks for torch ==1.11.*\n"
        "  --cuda asks for CUDA ==11.6.*\n"
        "  what it holds is known second-hand (-v says from where)\n"
        "this machine shows no NVIDIA GPU, and asks for nothing\n"
        "near misses:\n"
        "  22.03 ... 22.04  torch 1.12.0a0 is not ==1.11.*\n"
        "  21.11 ... 21.12  CUDA 11.5.0 is not ==11.6.*\n"
        "90 images do not fit (-v says why of each)"
    )


def test_verbose_says_why_of_each(ask: Ask) -> None:
    text = ask(torch="1.11", verbose=True).text
    assert "these do not fit:" in text
    assert "  18.10            torch 1.0a0 is not ==1.11.*" in text
    assert "second-hand: container banner" in text


def test_nothing_fits(ask: Ask) -> None:
    result = ask(torch="1.6", cuda="10.1")
    assert (result.status, result.exit_code, result.data["choice"]) == ("failed", 1, None)
    (problem,) = result.problems
    assert problem.code == "no-base"
    assert problem.what == "no NGC release has both torch ==1.6.* (--torch) and CUDA ==10.1.* (--cuda)"
    assert problem.fix.startswith("not from the table of images: pytorch/pytorch:1.6.0-cuda10.1-cudnn7-devel or ")
    assert [one["wanted"] for one in result.data["conflict"]["constraints"]] == ["==1.6.*", "==10.1.*"]
    assert [one["image"] for one in result.data["conflict"]["without"]] == [f"{NGC}:19.10-py3", f"{NGC}:20.07-py3"]
    assert [one["image"] for one in result.data["alternatives"]] == [
        "pytorch/pytorch:1.6.0-cuda10.1-cudnn7-devel",
        "python:3.8-slim",
    ]


def test_what_is_unknown_is_a_warning(ask: Ask) -> None:
    gpu = ask(gpus=("RTX 9090",))
    assert (gpu.status, gpu.exit_code, [one.code for one in gpu.problems]) == ("partial", 0, ["unknown-gpu"])
    assert gpu.data["choice"]["release"] == "26.09"
    doubt = ask(torch="1.11", gpus=("RTX 4090",))
    assert (doubt.status, [one.code for one in doubt.problems]) == ("partial", ["unfit-base"])
    assert doubt.problems[0].what == f"whether {NGC}:22.02-py3 fits is not known"
    assert doubt.problems[0].why.startswith("it is older than 8.9, and code for 8.6 runs there as well")


def test_an_image_that_the_user_names_is_taken_and_judged(ask: Ask) -> None:
    fits = ask(image=f"{NGC}:22.01-py3", torch="1.11")
    assert (fits.status, fits.data["judged"]["fits"]) == ("ok", "yes")
    assert fits.data["choice"]["reasons"][0] == "named with --image"
    not_it = ask(image="python:3.12-slim", torch="1.11")
    assert (not_it.status, not_it.exit_code, not_it.data["judged"]["fits"]) == ("partial", 0, "no")
    (problem,) = not_it.problems
    assert (problem.code, problem.what) == ("unfit-base", "python:3.12-slim does not fit")
    assert problem.fix == f"{NGC}:22.02-py3 does"
    unknown = ask(image="registry.example/team/base:7", torch="1.11")
    assert (unknown.status, unknown.data["judged"]["fits"]) == ("partial", "unknown")
    assert unknown.data["choice"]["torch"] is None
    assert ask(image="registry.example/team/base:7").status == "ok"


def test_what_the_machine_shows(ask: Ask, machine: Callable[[str], None]) -> None:
    machine("NVIDIA A100-SXM4-80GB, 470.199.02, 8.0\nNVIDIA A100-SXM4-80GB, 470.199.02, 8.0\n")
    found = ask()
    assert found.data["choice"]["release"] == "25.08"
    assert [(one["kind"], one["wanted"], one["origin"]) for one in found.data["constraints"]] == [
        ("gpu", "NVIDIA A100-SXM4-80GB", "this machine"),
        ("driver", "470.199.02", "this machine"),
    ]
    assert found.data["host"]["gpus"] == [{"name": "NVIDIA A100-SXM4-80GB", "compute_capability": "8.0"}] * 2
    assert "shows no NVIDIA GPU" not in found.text
    # what is said goes before
    assert ask(driver="580").data["choice"]["release"] == "26.09"
    other = ask(gpus=("RTX 3090",))
    assert other.data["choice"]["release"] == "22.12"
    # an older torch is asked for firmly: the machine gives way, and that is said
    old = ask(torch="1.4")
    assert (old.data["choice"]["release"], old.status) == ("20.01", "partial")
    assert old.problems[0].what == f"{NGC}:20.01-py3 does not fit"
    assert "NVIDIA A100-SXM4-80GB is 8.0 (this machine)" in old.problems[0].why


def test_a_service_s_repository_is_asked(ask: Ask, root: Path) -> None:
    result = ask("Small")
    assert result.data["choice"]["release"] == "22.02"
    assert [(one["kind"], one["evidence"]) for one in result.data["constraints"]] == [
        ("torch", [{"file": "setup.py", "line": 2}]),
        ("python", [{"file": "setup.py", "line": 2}]),
        ("as-of", []),
    ]
    assert (result.data["file"], result.data["written"]) == ("docker/Small", False)
    assert result.data["current"] == {"image": f"{NGC}:21.09-py3", "fits": "yes", "against": [], "unknown": []}
    assert result.data["patch"] == (
        "--- a/docker/Small\n"
        "+++ b/docker/Small\n"
        "@@ -1,3 +1,3 @@\n"
        " # why this one: it was there\n"
        f"-FROM {NGC}:21.09-py3\n"
        f"+FROM {NGC}:22.02-py3\n"
        " RUN true\n"
    )
    assert result.text.endswith(f"kobako base Small --write would change:\n{result.data['patch'].rstrip()}")
    assert "21.09" in (root / "docker" / "Small").read_text(encoding="utf-8")


def test_a_repository_of_today_wants_what_is_new(ask: Ask, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compose = root / "docker-compose.yaml"
    today = datetime.now(timezone.utc).date().isoformat()
    compose.write_text(COMPOSE.replace("2022-05-01", today), encoding="utf-8")
    (root / "Small" / "setup.py").write_text("from setuptools import setup\nsetup(name='x')\n", encoding="utf-8")
    assert ask("Small").data["choice"]["release"] == "26.09"
    # what git says of the folder counts where nothing was written down
    compose.write_text(COMPOSE.replace('x-kobako: {source: {date: "2022-05-01"}}', "init: true"), encoding="utf-8")
    monkeypatch.setattr(sources, "facts_of", lambda _: {"date": "2021-03-02"})
    assert ask("Small").data["choice"]["release"] == "21.03"
    assert ask("Small", as_of=date(2022, 2, 1)).data["choice"]["release"] == "22.02"


def test_flags_go_before_the_repository(ask: Ask) -> None:
    result = ask("small", torch="1.12")
    assert result.data["choice"]["release"] == "22.05"
    assert [one["origin"] for one in result.data["constraints"]] == [
        "--torch",
        "the repository",
        "the age of the repository",
    ]


def test_write_changes_from_and_nothing_else(ask: Ask, root: Path) -> None:
    file = root / "docker" / "Small"
    file.chmod(0o640)
    before = file.read_text(encoding="utf-8")
    result = ask("Small", write=True)
    assert result.data["written"] is True
    assert file.read_text(encoding="utf-8") == before.replace("21.09", "22.02")
    assert file.stat().st_mode & 0o777 == 0o640
    stamp = file.stat().st_mtime_ns, file.stat().st_ino
    again = ask("Small", write=True)
    assert (again.data["written"], again.data["patch"]) == (False, "")
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == stamp
    assert again.text.endswith("docker/Small starts from it already")


def test_write_takes_the_named_image_though_it_does_not_fit(ask: Ask, root: Path) -> None:
    result = ask("Small", image="python:3.12-slim", write=True)
    assert (result.status, result.data["written"]) == ("partial", True)
    assert "FROM python:3.12-slim\n" in (root / "docker" / "Small").read_text(encoding="utf-8")
    after = ask("Small")
    assert after.data["current"]["fits"] == "no"
    assert "docker/Small starts from python:3.12-slim, which does not fit: it brings no torch" in after.text


def test_nothing_is_written_where_nothing_fits(ask: Ask, root: Path) -> None:
    before = (root / "docker" / "Small").read_bytes()
    result = ask("Small", torch="3", write=True)
    assert (result.exit_code, result.data["written"], result.data["patch"]) == (1, False, "")
    assert (root / "docker" / "Small").read_bytes() == before


def test_a_base_that_the_compose_file_decides_is_left_alone(ask: Ask, root: Path) -> None:
    assert ask("Staged", image=f"{NGC}:22.01-py3").data["patch"] == ""  # build.args says so already
    before = (root / "docker" / "Staged").read_bytes()
    changed = ask("Staged", image=f"{NGC}:22.05-py3").data["patch"]
    assert f"+FROM {NGC}:22.05-py3 AS train" in changed  # the word in FROM, not the ARG that the compose file sets
    assert (root / "docker" / "Staged").read_bytes() == before
    (root / "docker" / "Staged").write_text(f"ARG TAG={NGC}:1\nFROM $TAG AS train\n", encoding="utf-8")
    compose = COMPOSE.replace("22.01-py3", "python:3.11")
    (root / "docker-compose.yaml").write_text(compose, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        ask("Staged", image=f"{NGC}:22.05-py3")
    assert (caught.value.code, caught.value.why) == (
        "cannot-edit",
        "build.args gives the variable in FROM another value",
    )
    assert caught.value.where is not None
    assert caught.value.where.line == 8


def test_a_service_without_a_repository(ask: Ask, root: Path) -> None:
    (root / "Small" / "setup.py").unlink()
    (root / "Small").rmdir()
    result = ask("Small", torch="1.11")
    assert result.data["choice"]["release"] == "22.02"
    assert result.data["ignored"] == ["there is no folder Small: no repository is asked"]


@pytest.mark.parametrize(
    ("service", "said", "code"),
    [
        ("smal", {}, "unknown-service"),
        ("ready", {}, "missing-dockerfile"),
        ("", {"write": True}, "usage"),
        ("", {"torch": "new"}, "usage"),
        ("", {"driver": "x"}, "usage"),
        ("", {"image": "a b"}, "no-base"),
    ],
)
def test_what_cannot_be_asked(service: str, said: dict[str, Any], code: str, ask: Ask) -> None:
    with pytest.raises(UsageError) as caught:
        ask(service, **said)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)


def test_own_rows(root: Path, machine: object, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(
        "image,python,pytorch,release\nregistry.example/x:1,3.9,1.11.0,22.02\nbad image,,,\n", encoding="utf-8"
    )
    context = Context(root, {"KOBAKO_IMAGES": str(table)}, Console({}))
    result = base.base(context, BaseRequest(Asked(torch="1.11", python="3.9")))
    assert result.data["choice"]["image"] == "registry.example/x:1"
    assert result.data["choice"]["reasons"][0] == "the newest image of yours that fits"
    assert [(one.code, one.where.line if one.where else 0) for one in result.problems] == [("bad-images", 3)]


def test_what_a_dockerfile_has_from_its_base_only(ask: Ask, root: Path) -> None:
    file = root / "docker" / "Small"
    file.write_text(f"FROM {NGC}:21.09-py3\nRUN uv pip install \\\n    torchmetrics\n")
    result = ask("Small", image="python:3.8-slim")
    (problem,) = result.problems
    assert (problem.code, problem.what) == ("unfit-base", "docker/Small was made for another kind of base")
    assert problem.why == (f"it brings no PyTorch, and docker/Small does not install it: {NGC}:21.09-py3 brings it")
    assert problem.fix == ("have it written for that image: kobako add ./Small --name Small-2 --base python:3.8-slim")
    old = ask("Small", image=f"{NGC}:20.11-py3", torch="1.8").problems
    assert [one.why for one in old][1:] == ["its Python 3.6 is too old for uv, with which docker/Small installs"]
    assert ask("Small", image=f"{NGC}:21.08-py3").problems == ()
    file.write_text(f"FROM {NGC}:21.09-py3\nRUN uv pip install \\\n    'torch>=1.7' \\\n    six\n")
    assert ask("Small", image="python:3.8-slim").problems == ()


def test_a_comment_that_tells_of_the_image_before(ask: Ask, root: Path) -> None:
    (root / "docker" / "Small").write_text(f"# Why this one: a\n#     b\n#\nFROM {NGC}:21.09-py3\n")
    text = ask("Small", torch="1.8", write=True).text
    assert text.endswith("the comment above FROM tells of the image before: it is left as it is")


def test_a_named_image_says_why_it_fits(ask: Ask) -> None:
    result = ask(image="python:3.11-slim", torch="2.1")
    assert result.data["choice"]["reasons"] == [
        "named with --image",
        "--torch asks for torch ==2.1.*: it brings no torch; the index has 2.1.2 for Python 3.11",
    ]
    assert "near misses" not in result.text


def test_an_empty_name_of_an_image(ask: Ask) -> None:
    with pytest.raises(UsageError) as caught:
        ask(image="")
    assert caught.value.what == "'' is not the name of an image"


def test_a_patch_release_has_a_minor_version(ask: Ask) -> None:
    result = ask(torch="2.1.2")
    assert result.problems[0].fix.startswith(f"with torch ==2.1.*: {NGC}:23.10-py3; not from the table of images: ")
    assert "near misses" not in result.text
