"""What uv outside is told of an install: files of Kobako's own, and paths of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako.dockerfile.recipe import read_recipe
from kobako.engines.local import given, pip
from kobako.engines.local.given import Call
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.stage import Stage
from unit.local.recorded_uv import HERE


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path / "stage", Interpreter("/opt/p/bin/python3.11", "3.11.7", "/opt/p", "x86_64"))
    files = {
        "w/r.txt": "six # old\nnumpy  >=1\n-c c.txt\n",
        "w/c.txt": "scipy<2\n",
        "w/e.txt": "-e .\n",
        "opt/o.txt": "-i https://a/simple\nsix==1 --hash=sha256:aa\n",
        "opt/empty.txt": "",
    }
    for name, text in files.items():
        (made.root / name).parent.mkdir(parents=True, exist_ok=True)
        (made.root / name).write_text(text, encoding="utf-8")
    return made


def call(line: str, environment: Mapping[str, str] | None = None) -> Call:
    install = pip.install(read_recipe(f"FROM x\nRUN {line}\n").steps[1].commands[0])
    assert install is not None
    return Call(install, environment or {}, "/w", HERE, line, "a")


def written(stage: Stage) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in stage.folder.glob("*.txt")}


OPT = "six==1 --hash=sha256:aa\n"
SIMPLE = f"--index-url=https://a/simple\n{OPT}"


@pytest.mark.parametrize(
    ("line", "words", "files"),
    [
        ("pip install six", ["six"], {}),
        (
            "pip install -r r.txt tqdm",
            ["tqdm", "--requirements={}/given-0.txt", "--constraint={}/given-bounds.txt"],
            {"given-0.txt": "six\nnumpy>=1\n", "given-bounds.txt": "scipy<2\n"},
        ),
        (
            "pip install -c c.txt six -r/opt/o.txt --no-deps",
            ["six", "--no-deps", "--constraints={}/given-0.txt", "--requirements={}/given-1.txt"],
            {"given-0.txt": "scipy<2\n", "given-1.txt": SIMPLE},
        ),
        (
            "uv pip install --override /opt/o.txt -b c.txt six",
            ["six", "--override={}/given-0.txt", "--build-constraints={}/given-1.txt"],
            {"given-0.txt": SIMPLE, "given-1.txt": "scipy<2\n"},
        ),
        (
            "uv pip install --requirements=/opt/empty.txt --constraint ../w/c.txt",
            ["--requirements={}/given-0.txt", "--constraint={}/given-1.txt"],
            {"given-0.txt": "", "given-1.txt": "scipy<2\n"},
        ),
        ("pip install -f wheels ./a.whl", ["--find-links", "{}/root/w/wheels", "{}/root/w/a.whl"], {}),
        ("pip install -f https://a/links six", ["--find-links", "https://a/links", "six"], {}),
    ],
)
def test_arguments(stage: Stage, line: str, words: list[str], files: dict[str, str]) -> None:
    assert given.arguments(stage, call(line)) == [word.format(stage.folder) for word in words]
    assert written(stage) == files


def test_variables(stage: Stage) -> None:
    said = {
        "UV_OVERRIDE": "/opt/o.txt",
        "UV_CONSTRAINT": "c.txt /opt/empty.txt",
        "UV_BUILD_CONSTRAINT": "/w/c.txt",
        "PIP_CONSTRAINT": "/w/r.txt",
        "PIP_FIND_LINKS": "wheels https://a/links",
        "PIP_NO_INDEX": "1",
    }
    folder = stage.folder
    made = [
        f"--override={folder}/given-0.txt",
        f"--constraint={folder}/given-1.txt",
        f"--constraint={folder}/given-2.txt",
        f"--build-constraint={folder}/given-3.txt",
    ]
    assert given.arguments(stage, call("uv pip install six", said)) == ["six", *made]
    files = {"given-0.txt": SIMPLE, "given-1.txt": "scipy<2\n", "given-2.txt": "", "given-3.txt": "scipy<2\n"}
    assert written(stage) == files
    assert given.arguments(stage, call("pip install six", said)) == [
        "six",
        *made,
        f"--constraint={folder}/given-4.txt",
        f"--constraint={folder}/given-bounds.txt",
        f"--find-links={stage.root}/w/wheels",
        "--find-links=https://a/links",
    ]
    more = {"given-4.txt": "six\nnumpy>=1\n", "given-bounds.txt": "scipy<2\n"}
    assert written(stage) == {**files, **more}


def test_what_stands_before_the_command_goes_before_the_images(stage: Stage) -> None:
    said = {"UV_OVERRIDE": "e.txt", "PIP_CONSTRAINT": "/none.txt"}
    line = "UV_OVERRIDE=/opt/o.txt PIP_CONSTRAINT=c.txt pip install six"
    assert given.arguments(stage, call(line, said)) is not None
    assert written(stage) == {"given-0.txt": SIMPLE, "given-1.txt": "scipy<2\n"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pip install -r e.txt", {}),
        ("pip install -r r.txt -c e.txt", {}),
        ("pip install -r none.txt", {}),
        ("pip install -r https://a/r.txt", {}),
        ("pip install -c https://a/c.txt six", {}),
        ("uv pip install --override e.txt six", {}),
        ("uv pip install -b e.txt six", {}),
        ("uv pip install six", {"UV_OVERRIDE": "e.txt"}),
        ("uv pip install six", {"UV_CONSTRAINT": "c.txt e.txt"}),
        ("uv pip install six", {"UV_BUILD_CONSTRAINT": "none.txt"}),
        ("pip install six", {"PIP_CONSTRAINT": "https://a/c.txt"}),
        ("UV_OVERRIDE=e.txt pip install six", {}),
    ],
)
def test_what_is_not_believed(stage: Stage, line: str, said: dict[str, str]) -> None:
    assert given.arguments(stage, call(line, said)) is None


def test_no_strangers_path_is_passed_on(stage: Stage) -> None:
    """Whatever is read later is not what was read before: a link, another content."""
    said = {"UV_OVERRIDE": "/opt/o.txt", "PIP_CONSTRAINT": "/opt/o.txt"}
    for line in ("pip install -r r.txt -c c.txt", "uv pip install -r r.txt -b c.txt --override /opt/o.txt"):
        words = given.arguments(stage, call(line, said))
        assert words is not None
        assert not [word for word in words if str(stage.root) in word or word.endswith(("r.txt", "c.txt", "o.txt"))]


def test_inside_they_have_the_names_that_they_have_there(stage: Stage) -> None:
    said = {"UV_OVERRIDE": "e.txt", "PIP_CONSTRAINT": "c.txt /opt/o.txt", "PIP_FIND_LINKS": "/wheels", "PIP_PRE": "yes"}
    one = call("pip install six", said)
    assert given.inside(one) == [
        "--override=e.txt",
        "--constraint=c.txt",
        "--constraint=/opt/o.txt",
        "--find-links=/wheels",
        "--prerelease=allow",
    ]
    assert given.inside(call("uv pip install six", said)) == ["--override=e.txt"]
    assert written(stage) == {}
