"""The rules behind the golden files, one by one."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kobako import compiled, plan
from kobako.catalogue import recognise
from kobako.model.choice import Choice
from kobako.model.finding import Finding
from kobako.model.host import HostFacts
from kobako.model.requirement import Bound, Other, Requirement, Scan
from kobako.plan import Facts
from kobako.plan.service import scalar, shared_memory
from kobako.plan.text import Step

GIB = 1024**3
NGC = "nvcr.io/nvidia/pytorch:25.04-py3"
KEPT = (
    "requirements.txt:1: torch <2 is asked for, and the base's 2.7.0a0+79aa17489c is kept: "
    "choose another --base if it does not run"
)


def facts(*requirements: Requirement, base: str = NGC, python: str = "") -> Facts:
    bound = Bound(python, (Finding("setup.py", 3),)) if python else None
    return Facts("repo", Choice(recognise(base), ("named with --base",)), Scan(requirements, bound))


def dockerfile(*requirements: Requirement, base: str = NGC) -> str:
    return plan.plan(facts(*requirements, base=base)).dockerfile


def asked(*requirements: Requirement, base: str = NGC, python: str = "") -> list[str]:
    return [str(one) for one in plan.plan(facts(*requirements, base=base, python=python)).questions]


def at(name: str, specifier: str = "", **more: str) -> Requirement:
    return Requirement(name, specifier, url=more.get("url"), findings=(Finding("requirements.txt", 1),))


def installed(text: str) -> list[str]:
    """The words of all ``uv pip install`` of a Dockerfile, options left out."""
    joined = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    found: list[str] = []
    for line in joined.splitlines():
        if "uv pip install" in line:
            words = shlex.split(line.partition("uv pip install")[2])
            found += [word for word in words if not word.startswith("--")]
    return found


def test_the_base_s_torch_is_not_repeated() -> None:
    text = dockerfile(at("torch", ">=2.0"), at("torchvision"), at("einops"))
    assert installed(text)[:1] == ["einops"]
    assert "(not repeated: torch and torchvision, which the base image holds)" in text


@pytest.mark.parametrize("base", ["python:3.11-slim", "ubuntu:22.04", "example/unknown:1"])
def test_torch_is_installed_where_the_base_has_none(base: str) -> None:
    assert installed(dockerfile(at("six"), at("torch", ">=2.0"), base=base))[:2] == ["torch>=2.0", "six"]


def test_tracking_comes_last_and_whole() -> None:
    assert installed(dockerfile(at("six")))[-3:] == ["clearml", "clearml-agent", "boto3"]


def test_packages_that_import_torch_are_built_last_alone_and_kept_for_one_torch() -> None:
    text = dockerfile(at("flash-attn"), at("six"))
    words = installed(text)
    assert words.index("six") < words.index("ninja") < words.index("flash-attn") < words.index("clearml")
    assert "    /opt/kobako/keep-wheels uv pip install --no-build-isolation \\\n    flash-attn\n" in text


def test_what_keeps_wheels_stands_before_them_once() -> None:
    text = dockerfile(at("flash-attn"), replace(at("mmcv-full"), role="project"))
    script = "\n".join(compiled.writing(compiled.UV))
    assert text.count(script) == 1
    assert text.index(script) < text.index("keep-wheels uv pip install")


def test_the_settings_stand_before_the_program_that_keeps_the_wheels() -> None:
    """It finds them in its environment: what is written there by hand counts."""
    step = next(step for step in dockerfile(at("mmcv-full")).split("\n\n") if "keep-wheels uv" in step)
    assert (
        "RUN --mount=type=cache,target=/root/.cache/built,sharing=locked \\\n    MMCV_WITH_OPS=1 FORCE_CUDA=1 \\\n"
        "    /opt/kobako/keep-wheels uv pip install --no-build-isolation \\\n    mmcv-full"
    ) in step


def test_nothing_is_kept_where_nothing_is_compiled() -> None:
    assert "keep-wheels" not in dockerfile(at("six"))


def test_tracking_moves_nothing() -> None:
    text = dockerfile(at("six"))
    assert "    uv pip list --format=freeze > /opt/kobako/held.txt \\\n&&  uv pip install --constraint " in text


def test_a_wheel_is_not_built() -> None:
    url = "https://example.org/flash_attn-2.5-cp310-cp310-linux_x86_64.whl"
    text = dockerfile(at("flash-attn", url=url))
    assert url in installed(text)
    assert "--no-build-isolation" not in text


def test_no_cuda_no_cuda_code() -> None:
    assert "FORCE_CUDA=1" in dockerfile(at("mmcv"))
    assert "FORCE_CUDA=0" in dockerfile(at("mmcv"), base="python:3.11-slim")


def test_git_is_installed_for_what_it_fetches() -> None:
    text = dockerfile(at("x", url="git+https://example.org/x.git"))
    assert "    ca-certificates \\\n    git \\\n    tzdata \\\n" in text
    assert "    git \\\n" not in dockerfile(at("x"))


@pytest.mark.parametrize(
    ("one", "freed"),
    [
        (at("pandas", "==2.1.*"), True),
        (at("pandas", ">=2"), True),
        (at("pandas"), False),
        (at("numpy", ">=1.20"), False),
        (at("numpy", ">=1.20,<2"), True),
        (at("flash-attn", "==2.5"), False),
    ],
)
def test_whose_word_goes_before_ngc_s_constraint(one: Requirement, freed: bool) -> None:
    text = dockerfile(one)
    assert (f"RUN sed -i -E '/^({one.name}) *" in text) == freed
    assert "RUN sed" not in dockerfile(one, base="nvcr.io/nvidia/pytorch:24.10-py3")


def test_the_order_of_the_first_steps() -> None:
    text = dockerfile(at("six"))
    marks = [
        "FROM ",
        "ARG KOBAKO_FRESH=",
        "pip list --format=freeze",
        "ENV PIP_BREAK",
        "uv==",
        "apt-get update",
        "ENV TZ=",
    ]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "<<" not in text
    assert "# syntax" not in text


def test_questions_about_what_does_not_fit() -> None:
    assert asked(at("torch", "<2"), python="<3.9") == [
        f"setup.py:3: Python <3.9 is asked for, and {NGC} has 3.12",
        KEPT,
    ]
    assert asked(at("torch", ">=2.7")) == []
    assert asked() == ["no declared requirements were found: add what it needs to the Dockerfile"]
    assert "is Alpine" in asked(at("six"), base="python:3.12-alpine")[0]
    assert "no CUDA compiler" in asked(at("mmcv"), base="pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime")[0]
    assert "torchaudio is not in" in asked(at("torchaudio"))[0]


def test_only_old_interpreters_need_a_resolution() -> None:
    old = facts(at("six"), at("torch"), base="nvcr.io/nvidia/pytorch:20.11-py3")
    assert [one.name for one in plan.to_resolve(old)] == ["six", "clearml", "clearml-agent", "boto3"]
    assert plan.to_resolve(facts(at("six"))) == ()
    assert "uv" not in installed(plan.plan(old).dockerfile)


@pytest.mark.parametrize(
    ("memory", "size"), [(0, 8), (64 * GIB, 8), (16 * GIB, 8), (12 * GIB, 6), (3 * GIB, 1), (GIB // 2, 1)]
)
def test_shared_memory(memory: int, size: int) -> None:
    assert shared_memory(memory) == size
    found = plan.plan(Facts("r", Choice(recognise(NGC)), Scan(), HostFacts("", memory)))
    assert f"shm_size: '{size}gb'\n" in found.service


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.booleans())
def test_scalars_mean_what_they_say(value: str | bool) -> None:
    assert yaml.safe_load(f"key: {scalar(value)}\n") == {"key": value}


@pytest.mark.parametrize(
    "value", ["1e10", "0x1f", "2.24", "1:30", "yes", "null", "~", "a: b", "a #b", "", "-", "2022-01-01"]
)
def test_scalars_that_look_like_something_else(value: str) -> None:
    assert yaml.safe_load(scalar(value)) == value


@given(st.text(max_size=200))
def test_no_text_leaves_its_comment(text: str) -> None:
    rendered = Step((text,), ("RUN true",)).render()
    assert re.fullmatch(r"#\n(?:# [^\n\r]*\n)+#\nRUN true\n", rendered)


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=40))
def test_a_url_is_one_word_to_a_shell(word: str) -> None:
    url = f"git+https://example.org/{word}"
    assert url in installed(dockerfile(at("x", url=url)))


def test_each_reason_has_its_line() -> None:
    words = " ".join(["word"] * 30)
    base = Choice(recognise(NGC), ("the newest", f"the repository asks for {words}", "short"))
    text = plan.plan(Facts("repo", base, Scan())).dockerfile.partition("FROM")[0]
    assert "# Why this one: the newest\n#     the repository asks for word " in text
    assert "word\n#       word" in text
    assert "\n#     short\n" in text


def test_an_image_of_the_user_s_own_keeps_its_torch() -> None:
    own = replace(recognise("registry.example/team/base:1"), torch="2.1.2", has_torch=True)
    text = plan.plan(Facts("repo", Choice(own, ("own",)), Scan((at("torch"), at("einops"))))).dockerfile
    assert installed(text)[0] == "einops"
    assert "(not repeated: torch, which the base image holds)" in text


def test_what_was_left_out_is_told() -> None:
    scan = Scan((at("einops"),), others=(Other("numpy>=1", plan.WITHOUT), Other("x", "a typo")))
    text = plan.plan(Facts("repo", Choice(recognise(NGC), ("own",)), scan)).dockerfile
    assert "# (left out with --without: numpy>=1)\n" in text


def test_what_was_only_told_of_python_is_not_asked_for() -> None:
    place = (Finding("setup.py", 3),)
    bounds = {"python": (Bound(">=3.7", place), Bound(">=3.7,<3.11", place, firm=False))}
    scan = Scan((at("einops"),), python=Bound(">=3.7,<3.11", place), bounds=bounds)
    (one,) = plan.plan(Facts("repo", Choice(recognise(NGC), ("own",)), scan)).questions
    assert str(one) == f"setup.py:3: Python >=3.7,<3.11 is spoken of, and {NGC} has 3.12"


@pytest.mark.parametrize(
    ("base", "name", "which"),
    [
        ("python:3.11-slim", "flash-attn", "choose an image that has"),
        ("python:3.11-slim", "mmcv", ""),
        ("nvidia/cuda:12.1.1-base-ubuntu22.04", "mmcv", "take the -devel image"),
        ("nvidia/cuda:12.1.1-devel-ubuntu22.04", "mmcv", ""),
        ("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime", "mmcv", "take the -devel image"),
        ("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel", "mmcv", ""),
        (NGC, "mamba-ssm", ""),
    ],
)
def test_a_base_without_a_compiler_for_cuda(base: str, name: str, which: str) -> None:
    questions = [one for one in asked(at(name), base=base) if "CUDA compiler" in one]
    assert questions == ([f"{base} has no CUDA compiler, and {name} needs one: {which}"] if which else [])
