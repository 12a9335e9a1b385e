"""What a repository tells people and machines, besides what it declares: README, CI, Dockerfiles, notebooks.

All of it is weaker than a declaration. Bounds are wishes, requirements have the origin "readme", and what is told for
another purpose than running the repository is listed with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question, Requirement, SystemPackage
from kobako.scan.declaring.declared import Declared
from kobako.scan.told import compose, dockerfiles, notebooks, readme, workflows
from kobako.scan.told.versions import MOST_FINDINGS
from kobako.scan.tree import Tree

_READERS: tuple[Callable[[Tree], Declared | None], ...] = (
    readme.read,
    dockerfiles.read,
    compose.read,
    workflows.read,
    notebooks.read,
)
MOST_OTHERS = 200
"""A thousand remarks on what was not taken help nobody."""


def read(tree: Tree) -> Declared:
    """All that is told. One entry per package, whose first teller's version stands."""
    every = Declared()
    for reader in _READERS:
        found = reader(tree)
        if found is None:
            continue
        if reader is workflows.read and every.system:  # machines that test have more than is needed
            known = {one.name for one in every.system}
            found = replace(found, system=[one for one in found.system if one.name in known])
        every.merge(found)
    every.requirements, disagreeing = merged(every.requirements)
    every.system = _systems(every.system)
    every.others = _others([*every.others, *disagreeing])
    every.questions = list(dict.fromkeys([*every.questions, *_left_out(tree)]))
    return every


def _left_out(tree: Tree) -> list[Question]:
    """One word on all that is longer than what is read."""
    names = list(dict.fromkeys(tree.left_out))
    if not names:
        return []
    more = f" and {len(names) - 1} other files" if len(names) > 1 else ""
    return [
        Question(f"{names[0]}{more} tell more than is read: look there for what they install", Finding(names[0], 1))
    ]


def merged(requirements: Sequence[Requirement]) -> tuple[list[Requirement], list[Other]]:
    """One entry per package with the places of all, and what was told otherwise later on.

    The first teller stands, but what is told as needed beats what is optional, an index beats an address, and a range
    beats no version at all. A single release that comes later is an example.
    """
    kept: dict[str, Requirement] = {}
    others: list[Other] = []
    for one in requirements:
        first = kept.get(one.name)
        if first is None:
            kept[one.name] = one
            continue
        better, worse = (one, first) if _weight(one) > _weight(first) else (first, one)
        if (worse.specifier and worse.specifier != better.specifier) or (worse.url and worse.url != better.url):
            others.append(Other(str(worse), f"{better} is told elsewhere, and is taken", worse.findings))
        kept[one.name] = replace(
            better,
            extras=tuple(sorted({*first.extras, *one.extras})),
            optional=first.optional and one.optional,
            findings=tuple(dict.fromkeys((*better.findings, *worse.findings)))[:MOST_FINDINGS],
        )
    for name in list(kept):
        for_gpus = f"{name.removesuffix('-cpu')}-gpu"
        if for_gpus in kept:
            one = kept.pop(name)
            others.append(Other(str(one), f"{for_gpus} is told as well: the same for GPUs", one.findings))
    return list(kept.values()), others


def _weight(one: Requirement) -> tuple[bool, bool, bool]:
    return not one.optional, not one.url, bool(one.specifier) and not one.specifier.startswith("==")


def _systems(packages: Sequence[SystemPackage]) -> list[SystemPackage]:
    kept: dict[str, SystemPackage] = {}
    for one in packages:
        first = kept.setdefault(one.name, one)
        findings = tuple(dict.fromkeys((*first.findings, *one.findings)))[:MOST_FINDINGS]
        kept[one.name] = replace(first, findings=findings)
    return list(kept.values())


def _others(others: Sequence[Other]) -> list[Other]:
    kept: dict[tuple[str, str], Other] = {}
    for one in others:
        first = kept.setdefault((one.what, one.why), one)
        findings = tuple(dict.fromkeys((*first.findings, *one.findings)))[:MOST_FINDINGS]
        kept[one.what, one.why] = replace(first, findings=findings)
    return list(kept.values())[:MOST_OTHERS]
