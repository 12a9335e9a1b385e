"""Dockerfiles that a repository brings along: the base that its authors chose, and what they installed into it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kobako.dockerfile.recipe import base, read_recipe
from kobako.errors import KobakoError
from kobako.model.finding import Finding
from kobako.model.recipe import Recipe, Stage
from kobako.model.requirement import Other, SystemPackage
from kobako.scan.declaring.declared import Declared
from kobako.scan.told import compose
from kobako.scan.told.budget import Budget
from kobako.scan.told.images import Points
from kobako.scan.told.manner import PLAIN, WEAK, Manner
from kobako.scan.told.own import own_of
from kobako.scan.told.shell import Shell, Voice
from kobako.scan.told.versions import condense
from kobako.scan.tree import Tree

MOST_FILES = 30
LARGEST, LARGEST_ALL = 64 * 1024, 128 * 1024

_NAME = re.compile(r"(?:Dockerfile|Containerfile)(?:[-_.][\w.-]+)?|[\w.-]+\.(?:Dockerfile|dockerfile)|dockerfile")
_ASIDE = re.compile(
    r"serv(?:e|ing|er)|benchmark|deploy|test|dev|docs?(?![a-z])|demo|cpu|onnx|tensorrt|trt|jetson|arm|rocm|windows|example|sample|third[-_]?party|jupyter|notebook",
    re.IGNORECASE,
)
_WEAK = re.compile(r"cpu|jupyter|notebook|example|sample|dev", re.IGNORECASE)
_NOTED = frozenset({"TORCH_CUDA_ARCH_LIST", "FORCE_CUDA", "CUDA_HOME", "MMCV_WITH_OPS"})


def read(tree: Tree) -> Declared | None:
    names = list(dict.fromkeys([*_names(tree), *compose.dockerfiles(tree)]))[:MOST_FILES]
    if not names:
        return None
    own = own_of(tree)
    every = Declared()
    points, aside = Points(), Points()
    main: list[SystemPackage] = []
    budget = Budget(LARGEST, LARGEST_ALL)
    for name in names:
        text = budget.read(tree, name)
        if text is None:
            continue
        found = _one(Shell(tree, own), name, text, aside if is_aside(name) else points)
        if main:
            found.others += [
                Other(one.name, "in another Dockerfile than the first", one.findings) for one in found.system
            ]
            found.system = []
        main = main or found.system
        every.merge(found)
    every.merge((points if any(points.told.values()) else aside).declared())
    return every


def is_aside(name: str) -> bool:
    """Whether a Dockerfile is for serving, testing or another machine rather than for training."""
    if name.startswith(".") or "/." in name:
        return True
    return _ASIDE.search(name.replace("docker/", "").replace("Dockerfile", "")) is not None


def _names(tree: Tree) -> Iterator[str]:
    found = [name for name in tree.files if name.count("/") <= 3 and _NAME.fullmatch(name.rsplit("/", 1)[-1])]
    yield from sorted(found, key=_rank)


def _rank(name: str) -> tuple[bool, bool, int, bool, str]:
    """The likeliest to train comes first."""
    is_plain = name.rsplit("/", 1)[-1] == "Dockerfile"
    return is_aside(name), "train" not in name.lower(), name.count("/"), not is_plain, name


def _one(shell: Shell, name: str, text: str, points: Points) -> Declared:
    try:
        recipe = read_recipe(text, name)
        image = base(recipe) if recipe.stages else ""
    except KobakoError as error:
        why = f"a Dockerfile that is not understood: {error.what}"
        return Declared(others=[Other(name, why, (Finding(name, (error.where and error.where.line) or 1),))])
    if image:
        stage = _origin(recipe)
        points.add_image(image, Finding(name, stage.step.line, f"FROM {image}"))
    return _steps(recipe, shell, name, points)


def _origin(recipe: Recipe) -> Stage:
    """The stage whose FROM names the image that the last stage comes from."""
    stage = recipe.stages[-1]
    while earlier := [one for one in recipe.stages[: stage.index] if one.name and one.name == stage.image.lower()]:
        stage = earlier[-1]
    return stage


def _steps(recipe: Recipe, shell: Shell, name: str, points: Points) -> Declared:
    manner = PLAIN
    if is_aside(name):
        manner = WEAK if _WEAK.search(name) else Manner(f"told for another purpose than training: in {name}")
    for step in recipe.steps:
        if step.kind == "run":
            shell.take(step.commands, Voice(name, lambda line: line, manner))
        elif step.kind == "workdir":
            shell.walk.go(step.value.strip("\"'"))
        elif step.kind == "env":
            for key, value in step.pairs:
                if key in _NOTED:
                    why = "a setting for building extensions; Kobako sets its own for the GPUs at hand"
                    shell.installs.other(f"{key}={value}", why, Finding(name, step.line, f"ENV {key}={value}"[:200]))
    found = shell.finish()
    condense(found)
    points.add_bounds(found)
    found.python, found.torch, found.cuda = [], [], []
    return found
