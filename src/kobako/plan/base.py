"""The first steps: the base image, an interpreter where it has none, the floor, and the installer."""

from __future__ import annotations

from collections.abc import Iterable

from kobako import data
from kobako import floor as floors
from kobako.model.image import BaseImage
from kobako.plan.facts import Facts
from kobako.plan.text import INDENT, Step, listed, sentence

CATALOGUE = "https://catalog.ngc.nvidia.com/orgs/nvidia/containers/pytorch"
FLOOR = floors.FOLDER


def image(facts: Facts) -> Step:
    """FROM, with what is known about the image and why it was chosen."""
    base = facts.image
    told = [_title(base)]
    if base.family == "ngc":
        told += [CATALOGUE, "It is tested as a whole, which is less work than building such a container oneself"]
    if base.confidence == "secondary":
        told.append("(these versions are known second-hand: release notes, articles and other people's Dockerfiles)")
    for at, reason in enumerate(facts.base.reasons):
        told.append(f"{INDENT}{reason}" if at else f"Why this one: {reason}")
    if facts.as_of:
        told.append(f"Packages are of {facts.as_of}, {facts.as_of_why}")
    return Step(tuple(told), (f"FROM {base.reference}",))


def _title(base: BaseImage) -> str:
    names = {"ngc": "NVIDIA NGC container", "pytorch": "PyTorch's own image", "python": "Python's official image"}
    names.update({"cuda": "NVIDIA's CUDA image", "distribution": "A plain distribution", "other": "The base image"})
    known = (("PyTorch", base.torch), ("CUDA", base.cuda), ("Python", base.python))
    facts = ", ".join(f"{what} {version}" for what, version in known if version)
    return f"{names[base.family]}{': ' if facts else ''}{facts}"


def fresh(_facts: Facts) -> Step:
    """What ``verify`` changes: ``--no-cache`` would empty the download cache as well."""
    why = "To build all that follows anew: --build-arg KOBAKO_FRESH=anything (downloads stay in the cache)"
    return Step((why,), ("ARG KOBAKO_FRESH=",))


def workdir(facts: Facts) -> Iterable[Step]:
    """Where commands start: NVIDIA's and PyTorch's images start in /workspace by themselves."""
    if facts.image.family not in {"ngc", "pytorch"}:
        yield Step(("Commands start where the service's folders are mounted",), ("WORKDIR /workspace",))


def interpreter(facts: Facts) -> Iterable[Step]:
    """Python and pip from the distribution, where the image has none."""
    if facts.image.has_pip:
        return
    packages = ("python3", "python3-dev", "python3-pip")
    tail = ("ln -sf python3 /usr/bin/python", "apt-get clean", "rm -rf /var/lib/apt/lists/*")
    yield Step(
        ("The image has no Python of its own: the distribution's", "python is what scripts and people call it"),
        listed((APT_INSTALL,), packages, tail),
    )


APT_INSTALL = "RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"


def floor(_facts: Facts) -> Step:
    """Writes down what the base came with, before anything is installed."""
    commands = floors.commands(data.torch_family_pattern())
    return Step(
        (
            "The base image is a floor: PyTorch and what was built with it must survive all that is installed below",
            f"{FLOOR}/base.txt        everything that the image came with",
            f"{FLOOR}/floor.txt       PyTorch and its family: kept as they are, whatever a package asks for",
            f"{FLOOR}/constraint.txt  the image's own constraints, if it ships any (NGC does from 25.03 on);",
            "    to let one package move, delete its line there before the step that installs it",
        ),
        (*(f"{command} \\" for command in commands[:-1]), commands[-1]),
    )


def installer(facts: Facts) -> Iterable[Step]:
    """uv, or a pip that is new enough where uv does not run."""
    if facts.image.too_old_for_uv:
        yield from _pip(facts.image)
        return
    settings = {
        "PIP_BREAK_SYSTEM_PACKAGES": "1",
        "UV_BREAK_SYSTEM_PACKAGES": "1",
        "UV_CONSTRAINT": f"{FLOOR}/constraint.txt",
        "UV_LINK_MODE": "copy",
        "UV_OVERRIDE": f"{FLOOR}/floor.txt",
        "UV_SYSTEM_CERTS": "1",
        "UV_SYSTEM_PYTHON": "1",
    }
    words = [f"{key}={value}" for key, value in settings.items()]
    lines = [f"ENV {words[0]}", *(f"    {word}" for word in words[1:])]
    yield Step(
        (
            "uv installs several times as fast as pip, into the image's own Python, and keeps to the floor:",
            "UV_OVERRIDE holds PyTorch's family, UV_CONSTRAINT the image's own constraints",
        ),
        (
            *(f"{line} \\" for line in lines[:-1]),
            lines[-1],
            f"RUN python3 -m pip install --no-cache-dir uv=={data.pinned('uv')}",
        ),
    )


def _pip(base: BaseImage) -> Iterable[Step]:
    rows = [row for row in data.rows("tools") if row["name"] == "pip" and row["python_min"] == base.python]
    for row in rows:
        yield Step(
            (
                f"uv does not run on Python {base.python}. This is the last pip that does:",
                "an older one does not know the wheels of today",
            ),
            (f"RUN python3 -m pip install --no-cache-dir pip=={row['version']}",),
        )


def constraint(names: tuple[str, ...]) -> Iterable[Step]:
    """Takes names out of the base's constraint."""
    if not names:
        return
    found = "|".join(data.pattern(name) for name in names)
    yield Step(
        (
            f"{sentence(names)}: the steps below say which version, and that goes before NGC's constraint",
            "(delete this step to let NGC's constraint decide)",
        ),
        (floors.freeing(found),),
    )
