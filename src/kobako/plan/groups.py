"""Sorts requirements into the groups of a Dockerfile, and asks about what does not fit the base."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kobako import data
from kobako.model.image import BaseImage
from kobako.model.requirement import Question, Requirement, Scan
from kobako.plan.facts import Facts, Groups


def sort(facts: Facts) -> Groups:
    """Who is installed when."""
    image = facts.image
    held = data.held_by(image.family) | {"torch"} if image.has_torch else frozenset()
    kept, torch, project, runtime, compiled = [], [], [], [], []
    optional = tuple(one for one in facts.scan.requirements if one.optional)
    for one in facts.scan.requirements:
        if one.optional or not one.applies(image.python):
            continue
        if one.name in held and not one.url:
            kept.append(one)
        elif one.name in data.build_needs() and not is_wheel(one):
            compiled.append(one)
        elif one.name in data.torch_family() and not image.has_torch:
            torch.append(one)
        elif one.role == "project":
            project.append(one)
        else:
            runtime.append(one)
    added = bool(compiled) and not image.has_torch and not any(one.name == "torch" for one in torch)
    if added:
        torch.insert(0, Requirement("torch"))
    return Groups(tuple(kept), tuple(torch), tuple(project), tuple(runtime), tuple(compiled), optional, added)


def is_wheel(one: Requirement) -> bool:
    """A direct reference to something that is built already."""
    return bool(one.url) and (one.url or "").partition("#")[0].endswith(".whl")


def freed(facts: Facts, groups: Groups) -> tuple[str, ...]:
    """Names that the recipe itself holds to a version: there its word goes before the base's constraint.

    A lower bound on numpy alone is no such word: the base is newer than most of them, and what was compiled against
    the base's numpy, torch first of all, does not survive the upgrade that any other package could then ask for.
    """
    if not facts.image.constrained:
        return ()
    family = data.torch_family()
    holding = {one.name for one in groups.all if one.name not in family and _holds(one)}
    for one in groups.compiled:
        tools = (tool.partition("<") for tool in data.build_needs()[one.name].requires)
        holding.update(name for name, bounded, _ in tools if bounded)
    return tuple(sorted(holding))


def _holds(one: Requirement) -> bool:
    if one.name != "numpy":
        return bool(one.specifier)
    return any(part.startswith(("==", "~=", "<")) for part in one.specifier.split(","))


def questions(facts: Facts, groups: Groups) -> tuple[Question, ...]:
    """What a person should know before the first build."""
    image = facts.image
    return (*_nothing(facts.scan), *_python(facts.scan, image), *_torch(groups, image), *_image(image, groups))


def _nothing(scan: Scan) -> Iterable[Question]:
    if not scan.requirements:
        yield Question("no declared requirements were found: add what it needs to the Dockerfile")


def _python(scan: Scan, image: BaseImage) -> Iterable[Question]:
    bounds = scan.bounds.get("python") or ((scan.python,) if scan.python else ())
    for wanted in bounds:
        if not image.python or _contains(wanted.specifier, f"{image.python}.99"):
            continue
        finding = wanted.findings[0] if wanted.findings else None
        verb = "is asked for" if wanted.firm else "is spoken of"
        yield Question(f"Python {wanted.specifier} {verb}, and {image.reference} has {image.python}", finding)
        return  # the firm ones come first


def _torch(groups: Groups, image: BaseImage) -> Iterable[Question]:
    for one in groups.kept:
        if one.name == "torch" and image.torch and not _contains(one.specifier, _final(image.torch)):
            what = (
                f"torch {one.specifier} is asked for, and the base's {image.torch} is kept: choose another --base if it"
            )
            yield Question(f"{what} does not run", one.findings[0] if one.findings else None)
    for one in groups.runtime:
        if one.name == "torchaudio" and image.has_torch:
            what = f"torchaudio is not in {image.reference}: the index's own build may not fit the base's torch"
            yield Question(what, one.findings[0] if one.findings else None)


def _image(image: BaseImage, groups: Groups) -> Iterable[Question]:
    if image.system == "alpine":
        yield Question(f"{image.reference} is Alpine: apt-get and most wheels do not work there; choose a Debian image")
    if image.family == "other" and not image.python:
        yield Question(f"nothing is known about {image.reference}: it is taken to have Python 3.8 or later, with pip")
    lacking = _without_compiler(image, groups)
    if lacking:
        which = "take the -devel image" if image.family in {"pytorch", "cuda"} else "choose an image that has"
        yield Question(f"{image.reference} has no CUDA compiler, and {', '.join(lacking)} needs one: {which}")
    if image.too_old_for_uv and image.python_version < (3, 6):
        yield Question(f"{image.reference} has Python {image.python}: many packages are no longer to be had for it")


def _without_compiler(image: BaseImage, groups: Groups) -> list[str]:
    """What is compiled with CUDA, where the image has no compiler for it. FORCE_CUDA=0 builds some of it without."""
    if image.family in {"pytorch", "cuda"} and re.search(r"runtime|base", image.reference):
        return [one.name for one in groups.compiled]
    if image.family in {"python", "distribution"}:
        return [one.name for one in groups.compiled if "FORCE_CUDA" not in data.build_needs()[one.name].environment]
    return []


def _contains(specifier: str, version: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - heavy

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def _final(version: str) -> str:
    """The release number alone: NGC's 1.11.0a0+17540c5 counts as 1.11.0."""
    from packaging.version import Version  # noqa: PLC0415 - heavy

    return Version(version).base_version
