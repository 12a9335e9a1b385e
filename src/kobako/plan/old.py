"""Python below 3.8, where uv does not run: pip with a resolved list, so that it never replaces the base's torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kobako import compiled, data
from kobako.model.requirement import Requirement
from kobako.plan.facts import Facts, Groups
from kobako.plan.install import FLOOR_CONSTRAINT, TRACKING, environment, keeping, kept, written
from kobako.plan.text import Step, listed, origins, quoted, sentence

PIP = "python3 -m pip install --no-cache-dir"
PIP_KEEPING = "python3 -m pip install"


def python(facts: Facts, groups: Groups) -> Iterable[Step]:
    """The same groups as with uv. Without a resolved list pip decides, and the floor is its constraint."""
    if facts.resolved is None:
        yield from _unresolved(facts, groups)
        return
    pins, loose = facts.resolved.pins, facts.resolved.loose
    tracking = tuple(Requirement(name) for name in TRACKING)
    named = {one.name for one in (*groups.all, *tracking)}
    rest = [f"{name}=={version}" for name, version in sorted(pins.items()) if name not in named]
    if groups.torch:
        yield _step(("The base has no PyTorch",), groups.torch, {})
    if rest:
        yield Step(
            (
                f"What the packages below need in turn, resolved for Python {facts.image.python}",
                "(--no-deps: pip would replace the base's PyTorch wherever a package asks for a newer one)",
            ),
            listed((f"RUN {PIP} --no-deps",), rest),
        )
    for title, group in (*_titled(groups), ("Tracking (clearml-agent does not bring clearml)", tracking)):
        pinned = [one for one in group if one.name in pins]
        if pinned:
            yield _step((title, *origins(pinned)), pinned, pins)
    sources = [one for one in groups.all if one.name in loose and one not in groups.compiled]
    if sources:
        why = "only their source is to be had for this Python; the floor keeps PyTorch"
        yield Step(("Built here", *origins(sources), why), _loose(sources))
    yield from _compiled(groups.compiled, facts)


def _titled(groups: Groups) -> tuple[tuple[str, tuple[Requirement, ...]], ...]:
    return (
        ("Packages of the project's own family", groups.project),
        ("What the repository requires", groups.runtime),
    )


def _step(why: tuple[str, ...], group: Sequence[Requirement], pins: Mapping[str, str]) -> Step:
    words = [f"{one.name}=={pins[one.name]}" if one.name in pins else written(one) for one in group]
    return Step(why, listed((f"RUN {PIP}{' --no-deps' if pins else ''}",), quoted(words)))


def _loose(group: Sequence[Requirement]) -> tuple[str, ...]:
    return listed((f"RUN {PIP} {FLOOR_CONSTRAINT}",), quoted([written(one) for one in group]))


def _compiled(group: Sequence[Requirement], facts: Facts) -> Iterable[Step]:
    needs = [data.build_needs()[one.name] for one in group]
    if needs:
        tools = sorted({tool.partition("<")[0] for need in needs for tool in need.requires})
        yield keeping(compiled.PIP)
        yield Step((f"To build {sentence([one.name for one in group])} (see below)",), listed((f"RUN {PIP}",), tools))
    for one, need in zip(group, needs, strict=True):
        settings, told = environment(need.environment, facts)
        command = f"{PIP_KEEPING} --no-build-isolation {FLOOR_CONSTRAINT}"
        why = (*(origins((one,)) or [one.name]), f"{need.reason}: without isolation; the floor keeps PyTorch", *told)
        yield Step(why, kept(settings, command, quoted([written(one)])))


def _unresolved(facts: Facts, groups: Groups) -> Iterable[Step]:
    why: tuple[str, ...] = (
        "(not resolved beforehand: pip may move packages of the base, though not PyTorch, which the floor holds;",
        "where a package asks for another PyTorch than the base's, this step fails and says so)",
    )
    if groups.torch:
        yield _step(("The base has no PyTorch",), groups.torch, {})
    tracking = tuple(Requirement(name) for name in TRACKING)
    for title, group in (*_titled(groups), ("Tracking (clearml-agent does not bring clearml)", tracking)):
        if group:
            yield Step((title, *origins(group), *why), _loose(group))
            why = ()
    yield from _compiled(groups.compiled, facts)
