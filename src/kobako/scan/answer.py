"""What all that was read comes to: declarations win, imports annotate them, README and code fill in.

The rule is measured (benchmarks/scan): where a repository declares what it needs, adding what it imports besides makes
the answer worse, not better. What is left out is listed with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain

from kobako import data
from kobako.masking import mask
from kobako.model.finding import Finding
from kobako.model.requirement import Argument, Bound, EntryPoint, Other, Question, Requirement, Scan
from kobako.model.result import Problem
from kobako.scan.aside import folder_kind
from kobako.scan.code.imports import Imported, reason
from kobako.scan.declaring.declared import MOST_BOUNDS, Declared, bounded
from kobako.scan.declaring.spelling import minor_only
from kobako.scan.limits import combined, contradictions, tightened
from kobako.scan.matching import HOSTED, known_by_name

FULL = "mmcv-full"
"""What mmcv with compiled operators was called before 2.0."""

MOST_MARKERS = 50
"""Entries of one package that differ in their markers; people write two or three."""


@cache
def _platform() -> dict[str, dict[str, str]]:
    """By import name, what authors leave undeclared: frameworks, and the families of packages built around one."""
    return {row["import"]: row for row in data.rows("platform")}


@cache
def _twins() -> dict[str, str]:
    """Distributions that hold the same modules as another: whoever declares one has the other's imports."""
    return {row["name"]: row["as"] for row in data.rows("same_modules")}


@dataclass(frozen=True)
class Code:
    """What the code says: its imports, its version assertions, how it is started, what it needs to be built.

    ``is_package`` is true for what can be installed itself.
    """

    imports: tuple[Imported, ...] = ()
    says: Declared = field(default_factory=Declared)
    entry_points: tuple[EntryPoint, ...] = ()
    problems: tuple[Problem, ...] = ()
    has_python: bool = True
    is_package: bool = False


def answer(code: Code, declared: Declared, family: Declared, told: Declared) -> Scan:
    """The scan. ``declared`` is for an installer, ``family`` apart from it (mim), ``told`` for a person."""
    sources = (declared, family, told, code.says)
    code = replace(code, imports=known_by_name(code.imports, sources))
    wanted = [*family.requirements, *declared.requirements]
    others = [*chain.from_iterable(one.others for one in sources)]
    questions = [*chain.from_iterable(one.questions for one in sources)]
    proposed, foreign = _for_linux(_merged(wanted))
    others += foreign
    problems = _excluding(wanted)
    proposed += _listed(code.imports, declared.listed, proposed)
    besides = _besides(code, told, proposed, declared)
    proposed += besides.more
    others += besides.others
    questions += besides.questions
    bounds = {**_gathered(sources)}
    proposed, unused = _bounded(proposed, bounds)
    questions += unused
    questions += _unknown(code.imports)
    found = _scan(code, sources, _annotated(proposed, code.imports), (others, questions))
    return replace(found, problems=(*problems, *found.problems)) if problems else found


def _for_linux(requirements: Sequence[Requirement]) -> tuple[list[Requirement], list[Other]]:
    """Without what the markers keep for other systems."""
    kept = [one for one in requirements if one.applies()]
    return kept, [Other(str(one), "not for Linux", one.findings) for one in requirements if not one.applies()]


def _excluding(requirements: Sequence[Requirement]) -> list[Problem]:
    first: dict[str, Requirement] = {}
    for one in requirements:
        first.setdefault(one.name, one)
    return contradictions(list(first.values()), [one for one in requirements if first[one.name] is not one])


def from_code(code: Code) -> Scan:
    """The scan as far as the code alone tells."""
    return answer(code, Declared(), Declared(), Declared())


def _scan(
    code: Code,
    sources: Sequence[Declared],
    requirements: Sequence[Requirement],
    rest: tuple[list[Other], list[Question]],
) -> Scan:
    # several are for several Pythons: which one counts hangs on the base that is yet to be chosen
    torches = [one for one in requirements if one.name == "torch" and one.specifier and not one.url]
    kinds: dict[str, list[Bound]] = {
        "python": [bound for one in sources for bound in one.python],
        "torch": [
            *(
                Bound(one.specifier, one.findings, firm=len(torches) == 1 and one.origin == "declared")
                for one in torches
            ),
            *(bound for one in sources for bound in one.torch),
            *(
                Bound(minor_only(other.specifier), other.findings, firm=False)
                for one in sources
                for other in one.listed
                if other.name == "torch" and other.specifier
            ),
        ],
        "cuda": [bound for one in sources for bound in one.cuda],
    }
    answers = {kind: combined(kind, bounds) for kind, bounds in kinds.items()}
    problems = [*chain.from_iterable(one.problems for one in sources), *code.problems]
    problems += chain.from_iterable(found for _, found in answers.values())
    others, questions = rest
    return Scan(
        requirements=tuple(requirements),
        python=answers["python"][0],
        torch=answers["torch"][0],
        cuda=answers["cuda"][0],
        bounds={kind: tuple(sorted(bounds, key=lambda one: not one.firm)) for kind, bounds in kinds.items()},
        system=tuple({one.name: one for source in reversed(sources) for one in reversed(source.system)}.values())[::-1],
        build=tuple(_merged([one for source in sources for one in source.build])),
        entry_points=tuple(replace(one, arguments=tuple(map(masked, one.arguments))) for one in code.entry_points),
        others=tuple(dict.fromkeys(replace(one, what=mask(one.what), why=mask(one.why)) for one in others)),
        questions=tuple(dict.fromkeys(replace(one, what=mask(one.what)) for one in questions)),
        problems=tuple(dict.fromkeys(problems)),
        has_python=True,
    )


@dataclass
class _Besides:
    """What is proposed besides the declarations, and what is not, with the reason."""

    named: set[str]
    more: list[Requirement] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def propose(self, one: Requirement) -> None:
        self.more.append(one)
        self.named.add(_same(one.name))

    def leave(self, what: str, why: str, findings: tuple[Finding, ...]) -> None:
        self.others.append(Other(what, why, findings))


def masked(one: Argument) -> Argument:
    """Without the default of a token or a password."""
    shown = f"{one.flags[-1]}={one.default}"
    return replace(one, default="***") if one.default and mask(shown) != shown else one


def _besides(code: Code, told: Declared, proposed: Sequence[Requirement], declared: Declared) -> _Besides:
    found = _Besides({_same(one.name) for one in proposed})
    imported = {_same(one.distribution): one for one in code.imports if one.distribution}
    for told_one in _merged(told.requirements):
        if _same(told_one.name) not in found.named:
            _told(told_one, imported.get(_same(told_one.name)), found, (code, declared))
    for one in code.imports:
        if one.distribution and _same(one.distribution) not in found.named:
            _imported(one, found, declared)
    return found


def _listed(
    imports: Sequence[Imported], listed: Sequence[Requirement], proposed: Sequence[Requirement]
) -> list[Requirement]:
    """What a file beside the package's own declaration lists and the code cannot do without.

    A setup.py may be there for ``pip install -e .`` alone, and the environment stand in another file.
    """
    named = {_same(one.name) for one in proposed}
    needed = {_same(one.distribution) for one in imports if one.distribution and (one.firm or not reason(one))}
    return [one for one in _merged(listed) if _same(one.name) in needed - named]


def _told(one: Requirement, seen: Imported | None, found: _Besides, known: tuple[Code, Declared]) -> None:
    """What to make of something that is told to a person. ``seen`` is its import."""
    code, declared = known
    is_needed = seen is not None and not reason(seen)
    if declared.requirements and not declared.is_partial:
        if is_needed and seen is not None and _row(seen) is not None:
            found.propose(replace(one, origin="platform", optional=False))
            return
        if is_needed and seen is not None and not _beside(one):
            what = f"`{one}` is told to a person and imported ({seen.findings[0]}), but not declared: is it needed?"
            found.questions.append(Question(what, one.findings[0] if one.findings else None))
        found.leave(str(one), "told to a person, but not declared", one.findings)
        found.named.add(_same(one.name))
    elif is_needed or not (one.optional or (code.is_package and seen is None)):
        found.propose(replace(one, origin="readme", optional=False))
    elif one.optional:
        found.leave(str(one), "told as an option, and not imported by what the repository is for", one.findings)
    else:
        found.leave(str(one), "told to a person, and not imported", one.findings)


def _beside(one: Requirement) -> bool:
    """Whether only a demonstration tells it: notebooks install what their own cells need."""
    return all(
        folder_kind(place.file) in {"outside", "examples"} or place.file.endswith(".ipynb") for place in one.findings
    )


def _imported(one: Imported, found: _Besides, declared: Declared) -> None:
    """What to make of an import that nothing else accounts for."""
    requirement, why = _from_import(one, declared)
    if requirement is not None:
        found.propose(requirement)
    elif not all(each.file.endswith("setup.py") for each in one.findings):  # what builds it is not what it needs
        found.leave(one.distribution, why, one.findings)


def _row(one: Imported) -> dict[str, str] | None:
    return _platform().get(one.module.partition(".")[0])


def _from_import(one: Imported, declared: Declared) -> tuple[Requirement | None, str]:
    """The requirement that an import makes, or None and why."""
    why = reason(one)
    row = _row(one)
    if row is not None and not why and (declared.requirements or row["kind"] == "family"):
        return Requirement(row["distribution"], origin="platform", findings=one.findings), ""
    if row is not None and one.configured:
        return Requirement(row["distribution"], origin="platform", findings=one.findings), ""
    if why:
        return None, why
    if declared.requirements and not declared.is_partial:
        return None, "imported, but not declared: it may come with another package"
    return Requirement(one.distribution, origin="imported", findings=one.findings), ""


def _same(name: str) -> str:
    """One name for distributions that hold the same modules."""
    return _twins().get(name, name)


def _gathered(sources: Sequence[Declared]) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for one in sources:
        for name, bounds in one.bounds.items():
            found.setdefault(name, []).extend(bounds)
    return found


def _bounded(
    proposed: Sequence[Requirement], bounds: dict[str, list[Requirement]]
) -> tuple[list[Requirement], list[Question]]:
    """The requirements with the constraints on them, and a word about constraints on what is not proposed."""
    used: set[str] = set()
    done: list[Requirement] = []
    same: dict[str, list[str]] = {}
    for name in bounds:
        same.setdefault(_same(name), []).append(name)
    for one in proposed:
        names = same.get(_same(one.name), [])
        used.update(names)
        limits = [bound for name in names for bound in bounds[name]]
        done.append(_as_then(bounded(one, limits)) if limits and not one.url else one)
    words = [
        Question(f"`{group[0].name}` is constrained more often than is read: the first {MOST_BOUNDS} count", None)
        for name, group in bounds.items()
        if name in used and len(group) > MOST_BOUNDS
    ]
    words += [
        Question(f"`{group[0]}` constrains a package that is not named itself; it is left out", group[0].findings[0])
        for name, group in bounds.items()
        if name not in used
    ]
    return done, words


def _as_then(one: Requirement) -> Requirement:
    """mmcv with its operators was called mmcv-full before 2.0."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - heavy

    if one.name != "mmcv" or one.origin != "platform" or SpecifierSet(one.specifier).contains("2.0.0"):
        return one
    return replace(one, name=FULL)


def _annotated(proposed: Iterable[Requirement], imports: Iterable[Imported]) -> list[Requirement]:
    """With the places that import it, and no limit that another one makes needless."""
    places: dict[str, tuple[Finding, ...]] = {}
    for one in imports:
        if one.distribution:
            places.setdefault(_same(one.distribution), one.findings[:1])
    return [
        replace(
            one,
            specifier=tightened(one.specifier),
            imports=() if one.origin in {"imported", "platform"} else places.get(_same(one.name), ()),
        )
        for one in proposed
    ]


def _unknown(imports: Iterable[Imported]) -> list[Question]:
    """Imports that the map does not know for certain are asked about, never installed."""
    return [
        Question(f"`import {one.module}`: {one.hint or 'no package is known for certain to hold it'}", one.findings[0])
        for one in imports
        if not one.distribution and not reason(one) and one.module not in HOSTED
    ]


def _merged(requirements: Iterable[Requirement]) -> list[Requirement]:
    """One entry per name and marker: a package that is declared twice must satisfy both."""
    kept: dict[tuple[str, str | None], list[Requirement]] = {}
    count: Counter[str] = Counter()
    for one in requirements:
        key = (one.name, one.marker)
        if key not in kept:
            count[one.name] += 1
        if count[one.name] <= MOST_MARKERS or key in kept:
            kept.setdefault(key, []).append(one)
    return [_one_of(same) for same in kept.values()]


def _one_of(same: Sequence[Requirement]) -> Requirement:
    """Where they exclude each other the first stands: a problem says so."""
    first = same[0]
    linked = next((one for one in same if one.url), None)
    if linked is not None or len(same) == 1:
        return replace(linked or first, role=first.role)
    extras = tuple(sorted({extra for one in same for extra in one.extras}))
    fitting = [one for one in same[1:] if not contradictions([first], [one])]
    return replace(bounded(first, fitting), extras=extras, optional=all(one.optional for one in same))
